#include "resolver/law_check.h"

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/prng.h"

namespace waggle {
namespace {

constexpr std::size_t kShownBytes = 48;
constexpr std::size_t kResultsKept = 64;

// Printable, and cut where it is long.
std::string shown(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes.substr(0, kShownBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += {'\\', c};
    } else if (byte < 0x20 || byte > 0x7e) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text.push_back(c);
    }
  }
  text.push_back('"');
  if (bytes.size() > kShownBytes) text += fmt::format("... ({} bytes)", bytes.size());
  return text;
}

std::string shown_result(const Result<std::string>& result) {
  return result ? shown(*result)
                : fmt::format("an error ({})", result.error().text.substr(0, kShownBytes));
}

bool same(const Result<std::string>& a, const Result<std::string>& b) {
  return a.has_value() == b.has_value() && (!a || *a == *b);
}

// A value and whether it is a sample or a result, of which more is asked.
struct Input {
  std::string bytes;
  bool sound = false;
};

class Trial {
 public:
  Trial(const Merger& merger, std::span<const std::string> samples, const MergerTrial& trial)
      : merger_(merger), samples_(samples), trial_(trial), prng_(trial.seed) {}

  Status run() {
    for (std::size_t i = 0; i < samples_.size(); ++i)
      if (!try_idempotent({samples_[i], true}) ||
          !merge_samples(samples_[i], samples_[(i + 1) % samples_.size()]))
        return refusal();
    for (case_ = 1; case_ <= trial_.cases; ++case_) {
      const Input a = draw();
      const Input b = draw();
      const Input c = draw();
      if (!try_pair(a, b) || !try_associative(a, b, c) || !try_idempotent(a)) return refusal();
    }
    return {};
  }

 private:
  Status refusal() const {
    return failed(Code::kRejected, fmt::format("the merger is refused: {} (case {} of {}, seed {})",
                                               fault_, case_, trial_.cases, trial_.seed));
  }
  bool refuse(std::string fault) {
    fault_ = std::move(fault);
    return false;
  }
  bool refuse_law(std::string_view law, std::string_view left, const Result<std::string>& got_left,
                  std::string_view right, const Result<std::string>& got_right,
                  std::initializer_list<std::string_view> values) {
    std::string fault = fmt::format("it is not {}: {} gives {}, {} gives {}, for a = ", law, left,
                                    shown_result(got_left), right, shown_result(got_right));
    char name = 'a';
    for (const std::string_view value : values) {
      if (name != 'a') fault += fmt::format(", {} = ", name);
      fault += shown(value);
      ++name;
    }
    return refuse(std::move(fault));
  }

  // Nothing: it threw or gave too much, and fault_ says what.
  std::optional<Result<std::string>> merge(std::string_view a, std::string_view b) {
    std::string thrown;
    try {
      Result<std::string> merged = merger_(a, b);
      if (!merged || merged->size() <= trial_.output_bytes_max) return merged;
      refuse(
          fmt::format("it is not bounded: m(a, b) has {} bytes, more than {}, for a = {}, b = {}",
                      merged->size(), trial_.output_bytes_max, shown(a), shown(b)));
      return {};
    } catch (const std::exception& exception) {
      thrown = exception.what();
    } catch (...) {
      thrown = "something that is no std::exception";
    }
    refuse(fmt::format("it threw {}; return an error instead, for a = {}, b = {}", shown(thrown),
                       shown(a), shown(b)));
    return {};
  }
  // The same with one more merger around it; an error stays one.
  std::optional<Result<std::string>> merge(const Result<std::string>& a, std::string_view b) {
    return a ? merge(std::string_view(*a), b) : std::optional(a);
  }
  std::optional<Result<std::string>> merge(std::string_view a, const Result<std::string>& b) {
    return b ? merge(a, std::string_view(*b)) : std::optional(b);
  }

  bool merge_samples(const std::string& a, const std::string& b) {
    const auto merged = merge(std::string_view(a), std::string_view(b));
    if (!merged) return false;
    if (!*merged)
      return refuse(fmt::format("it gave {} for two samples, a = {}, b = {}", shown_result(*merged),
                                shown(a), shown(b)));
    keep(**merged);
    return true;
  }

  bool try_pair(const Input& a, const Input& b) {
    const std::string_view left = a.bytes;
    const std::string_view right = b.bytes;
    const auto first = merge(left, right);
    if (!first) return false;
    const auto again = merge(left, right);
    if (!again) return false;
    if (!same(*first, *again))
      return refuse_law("deterministic", "m(a, b)", *first, "m(a, b) again", *again, {left, right});
    const auto swapped = merge(right, left);
    if (!swapped) return false;
    if (!same(*first, *swapped))
      return refuse_law("commutative", "m(a, b)", *first, "m(b, a)", *swapped, {left, right});
    if (*first && a.sound && b.sound) keep(**first);
    return true;
  }

  bool try_associative(const Input& a, const Input& b, const Input& c) {
    const auto ab = merge(std::string_view(a.bytes), std::string_view(b.bytes));
    if (!ab) return false;
    const auto bc = merge(std::string_view(b.bytes), std::string_view(c.bytes));
    if (!bc) return false;
    const auto left = merge(*ab, c.bytes);
    if (!left) return false;
    const auto right = merge(a.bytes, *bc);
    if (!right) return false;
    if (same(*left, *right)) return true;
    return refuse_law("associative", "m(m(a, b), c)", *left, "m(a, m(b, c))", *right,
                      {a.bytes, b.bytes, c.bytes});
  }

  bool try_idempotent(const Input& a) {
    const auto once = merge(std::string_view(a.bytes), std::string_view(a.bytes));
    if (!once) return false;
    if (a.sound && !same(*once, a.bytes))
      return refuse_law("idempotent", "m(a, a)", *once, "a", a.bytes, {a.bytes});
    if (!*once) return true;
    const auto twice = merge(std::string_view(**once), std::string_view(**once));
    if (!twice) return false;
    if (same(*once, *twice)) return true;
    return refuse_law("idempotent", "x = m(a, a)", *once, "m(x, x)", *twice, {a.bytes});
  }

  void keep(std::string result) {
    if (results_.size() < kResultsKept) {
      results_.push_back(std::move(result));
    } else {
      results_[prng_.below(kResultsKept)] = std::move(result);
    }
  }

  const std::string& sound_value() {
    if (!results_.empty() && prng_.chance(1, 2)) return results_[prng_.below(results_.size())];
    return samples_[prng_.below(samples_.size())];
  }

  Input draw() {
    Input drawn{sound_value(), true};
    if (prng_.chance(2, 5)) return drawn;
    drawn.sound = false;
    for (std::uint64_t changes = 1 + prng_.below(3); changes > 0; --changes) mutate(drawn.bytes);
    // A value too long to be stored is none that the merger will ever meet.
    if (drawn.bytes.size() > trial_.output_bytes_max) drawn.bytes.resize(trial_.output_bytes_max);
    return drawn;
  }

  void mutate(std::string& bytes) {
    const std::size_t at = prng_.below(bytes.size() + 1);
    const std::size_t size = prng_.below(std::min<std::size_t>(bytes.size() - at, 16) + 1);
    switch (prng_.below(6)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << prng_.below(8)));
        break;
      case 1:
        bytes.insert(at, 1, static_cast<char>(prng_.next()));
        break;
      case 2:
        bytes.erase(at, size);
        break;
      case 3:  // some of it twice
        bytes.insert(at, bytes.substr(at, size));
        break;
      case 4: {  // the front of one, the back of another
        const std::string& other = sound_value();
        bytes = bytes.substr(0, at) + other.substr(prng_.below(other.size() + 1));
        break;
      }
      default:  // its neighbour in most orders
        if (at < bytes.size())
          bytes[at] = static_cast<char>(bytes[at] + (prng_.chance(1, 2) ? 1 : -1));
    }
  }

  const Merger& merger_;
  std::span<const std::string> samples_;
  MergerTrial trial_;
  Prng prng_;
  std::uint64_t case_ = 0;
  std::vector<std::string> results_;
  std::string fault_;
};

}  // namespace

Status check_merger(const Merger& merger, std::span<const std::string> samples,
                    const MergerTrial& trial) {
  if (!merger) return failed(Code::kRejected, "expected a merger, got an empty function");
  if (std::ranges::all_of(samples, [&](const auto& each) { return each == samples.front(); }))
    return failed(Code::kRejected,
                  "expected at least two different samples of the values to merge");
  for (const std::string& sample : samples)
    if (sample.size() > trial.output_bytes_max)
      return failed(Code::kRejected,
                    fmt::format("expected samples of up to {} bytes, got one of {}",
                                trial.output_bytes_max, sample.size()));
  return Trial(merger, samples, trial).run();
}

}  // namespace waggle
