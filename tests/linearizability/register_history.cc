#include "tests/linearizability/register_history.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace waggle::linearizability {
namespace {

using Kind = Operation::Kind;

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

struct State {
  std::size_t written_by = kNone;  // an operation
  std::uint64_t version = 0;
  friend auto operator<=>(const State&, const State&) = default;
};

class Search {
 public:
  explicit Search(std::vector<Operation> operations) : operations_(std::move(operations)) {
    // What a write of unknown outcome was committed as, somebody may have read.
    std::map<std::string, std::uint64_t> versions;
    for (const Operation& one : operations_)
      if (one.version > 0) versions[one.value] = one.version;
    for (Operation& one : operations_)
      if (one.returned == kNever && versions.contains(one.value)) one.version = versions[one.value];
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      events_.push_back({operations_[i].called, false, i});
      if (operations_[i].returned != kNever) events_.push_back({operations_[i].returned, true, i});
    }
    std::ranges::sort(events_);
    const std::size_t size = events_.size();
    next_.resize(size + 1);
    previous_.resize(size + 1);
    return_of_.assign(operations_.size(), kNone);
    for (std::size_t at = 0; at <= size; ++at) {  // the last one closes the ring
      next_[at] = at == size ? 0 : at + 1;
      previous_[at] = at == 0 ? size : at - 1;
    }
    for (std::size_t at = 0; at < size; ++at)
      if (events_[at].returns) return_of_[events_[at].operation] = at;
    done_.assign((operations_.size() + 63) / 64, 0);
    for (const Operation& one : operations_) left_ += one.returned != kNever ? 1 : 0;
  }

  Answer run(std::size_t steps_max) {
    Answer answer;
    const std::size_t end = events_.size();
    std::size_t at = next_[end];
    while (left_ > 0) {
      if (++answer.steps > steps_max) {
        answer.verdict = Verdict::kGaveUp;
        return answer;
      }
      if (at != end && !events_[at].returns) {
        const std::size_t operation = events_[at].operation;
        State after = state_;
        mark(operation, true);
        if (step(operations_[operation], operation, after) && seen_.insert({done_, after}).second) {
          tried_.push_back({at, state_});
          state_ = after;
          cut(at);
          at = next_[end];
        } else {
          mark(operation, false);
          at = next_[at];
        }
        continue;
      }
      // A return before which its call can't be placed, or the end.
      note_stuck(at == end ? kNone : events_[at].operation);
      if (tried_.empty()) {
        answer.verdict = Verdict::kNot;
        answer.text = stuck_text_;
        return answer;
      }
      const auto [last, before] = tried_.back();
      tried_.pop_back();
      state_ = before;
      mark(events_[last].operation, false);
      paste(last);
      at = next_[last];
    }
    return answer;
  }

 private:
  struct Event {
    std::int64_t time;
    bool returns;  // calls come first: what touches in time is taken to overlap
    std::size_t operation;
    friend auto operator<=>(const Event&, const Event&) = default;
  };

  [[nodiscard]] bool step(const Operation& operation, std::size_t index, State& state) const {
    switch (operation.kind) {
      case Kind::kRead:
        if (operation.version == 0) return state.version == 0 && state.written_by == kNone;
        return state.written_by != kNone && state.version == operation.version &&
               operations_[state.written_by].value == operation.value;
      case Kind::kNoSwap:
        return state.version != operation.expected || unknown(state);
      case Kind::kSwap:
        if (unknown(state) || state.version != operation.expected) return false;
        break;
      case Kind::kWrite:
        break;
    }
    // Versions only grow.
    if (operation.version > 0 && operation.version <= state.version) return false;
    state = {index, operation.version};
    return true;
  }
  // Of a write of unknown outcome that nobody read, so nobody can have expected its version.
  [[nodiscard]] static bool unknown(const State& state) {
    return state.written_by != kNone && state.version == 0;
  }

  void mark(std::size_t operation, bool done) {
    const std::uint64_t bit = std::uint64_t{1} << (operation % 64);
    if (done) {
      done_[operation / 64] |= bit;
    } else {
      done_[operation / 64] &= ~bit;
    }
  }
  void unlink(std::size_t at) {
    next_[previous_[at]] = next_[at];
    previous_[next_[at]] = previous_[at];
  }
  void link(std::size_t at) {
    next_[previous_[at]] = at;
    previous_[next_[at]] = at;
  }
  void cut(std::size_t call) {
    const std::size_t end = return_of_[events_[call].operation];
    unlink(call);
    if (end == kNone) return;
    unlink(end);
    --left_;
  }
  void paste(std::size_t call) {
    const std::size_t end = return_of_[events_[call].operation];
    if (end != kNone) {
      link(end);
      ++left_;
    }
    link(call);
  }
  void note_stuck(std::size_t operation) {
    if (operation == kNone || tried_.size() < stuck_depth_) return;
    stuck_depth_ = tried_.size();
    stuck_text_ = fmt::format(
        "{} can't be placed; before it stood {}", to_text(operations_[operation]),
        state_.written_by == kNone ? "nothing" : to_text(operations_[state_.written_by]));
  }

  std::vector<Operation> operations_;
  std::vector<Event> events_;
  std::vector<std::size_t> next_, previous_;  // a ring over the events; the last place is its end
  std::vector<std::size_t> return_of_;
  std::vector<std::uint64_t> done_;  // a bit for each operation
  std::size_t left_ = 0;             // that returned and are not placed
  State state_;
  std::vector<std::pair<std::size_t, State>> tried_;  // the call, and what stood before it
  std::set<std::pair<std::vector<std::uint64_t>, State>> seen_;
  std::size_t stuck_depth_ = 0;
  std::string stuck_text_;
};

}  // namespace

Answer check(std::vector<Operation> operations, std::size_t steps_max) {
  return Search(std::move(operations)).run(steps_max);
}

std::string to_text(const Operation& operation) {
  static constexpr const char* kNames[] = {"read", "write", "swap", "no swap"};
  std::string text = fmt::format("{} {}", operation.client.empty() ? "?" : operation.client,
                                 kNames[static_cast<std::size_t>(operation.kind)]);
  if (operation.kind != Kind::kNoSwap) text += fmt::format(" '{}'", operation.value);
  if (operation.kind == Kind::kSwap || operation.kind == Kind::kNoSwap)
    text += fmt::format(" if {}", operation.expected);
  if (operation.version > 0) text += fmt::format(" @{}", operation.version);
  return text + (operation.returned == kNever
                     ? fmt::format(" [{}, ?]", operation.called)
                     : fmt::format(" [{}, {}]", operation.called, operation.returned));
}

}  // namespace waggle::linearizability
