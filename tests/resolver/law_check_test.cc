#include "resolver/law_check.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

using namespace std::string_literals;

const std::vector<std::string> kSamples = {"", "a", "abc", "b", "bd"};

// The letters of both, sorted, each once.
std::string union_of(std::string_view a, std::string_view b) {
  std::set<char> letters(a.begin(), a.end());
  letters.insert(b.begin(), b.end());
  return {letters.begin(), letters.end()};
}

void refused(const Merger& merger, std::string_view words,
             const std::vector<std::string>& samples = kSamples, const MergerTrial& trial = {}) {
  const Status status = check_merger(merger, samples, trial);
  BOOST_REQUIRE(!status);
  BOOST_TEST((status.error().code == Code::kRejected));
  BOOST_TEST(status.error().text.find(words) != std::string::npos, status.error().text);
}

BOOST_AUTO_TEST_SUITE(law_check_test)

BOOST_AUTO_TEST_CASE(a_maximum_and_a_union_are_admitted) {
  std::uint64_t calls = 0;
  const Status greatest = check_merger(
      [&](std::string_view a, std::string_view b) {
        ++calls;
        return std::string(std::max(a, b));
      },
      kSamples);
  BOOST_TEST(greatest.has_value());
  BOOST_TEST(calls > 60'000);  // 10,000 cases
  const Status both = check_merger(union_of, kSamples);
  BOOST_TEST(both.has_value(), (both ? "" : both.error().text));
}

BOOST_AUTO_TEST_CASE(a_merger_that_takes_the_first_is_not_commutative) {
  refused([](std::string_view a, std::string_view) { return std::string(a); }, "not commutative");
}

BOOST_AUTO_TEST_CASE(a_merger_that_concatenates_is_not_idempotent) {
  refused([](std::string_view a, std::string_view b) { return std::string(std::max(a, b)) + "x"; },
          "not idempotent");
}

// The trap of embeddings: an average is commutative and idempotent, and no merge.
BOOST_AUTO_TEST_CASE(an_average_is_not_associative) {
  const auto average = [](std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return std::string(a.size() > b.size() ? a : b);
    std::string mean(a);
    for (std::size_t i = 0; i < mean.size(); ++i)
      mean[i] = static_cast<char>(
          (static_cast<unsigned char>(a[i]) + static_cast<unsigned char>(b[i])) / 2);
    return mean;
  };
  refused(average, "not associative", {"\x10"s, "\x20"s, "\x41"s});
}

BOOST_AUTO_TEST_CASE(a_merger_with_a_memory_is_not_deterministic) {
  int calls = 0;
  refused([&](std::string_view, std::string_view) { return std::to_string(++calls); }, "not ");
  // One that remembers what it was asked only from the second sample on.
  std::string last;
  refused(
      [&](std::string_view a, std::string_view b) {
        if (a == b) return std::string(a);
        last = last == "0" ? "1" : "0";
        return last;
      },
      "not deterministic");
}

BOOST_AUTO_TEST_CASE(an_output_above_its_bound_is_refused) {
  refused(union_of, "not bounded", {"abcd", "efgh"}, {.output_bytes_max = 6});
}

BOOST_AUTO_TEST_CASE(exceptions_are_caught_and_named) {
  refused(
      [](std::string_view, std::string_view) -> std::string { throw std::runtime_error("oh\n"); },
      "it threw \"oh\\x0a\"");
  refused([](std::string_view, std::string_view) -> std::string { throw 7; },
          "something that is no std::exception");
}

BOOST_AUTO_TEST_CASE(an_error_is_allowed_for_what_no_sample_is_like_and_not_for_samples) {
  const auto picky = [](std::string_view a, std::string_view b) -> Result<std::string> {
    const auto letters = [](std::string_view text) {
      return std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
    };
    if (!letters(a) || !letters(b)) return failed(Code::kRejected, "expected letters");
    return union_of(a, b);
  };
  const Status admitted = check_merger(picky, kSamples);
  BOOST_TEST(admitted.has_value(), (admitted ? "" : admitted.error().text));
  refused(picky, "expected letters", {"ab", "A"});
}

BOOST_AUTO_TEST_CASE(a_refusal_is_printable_cut_and_repeatable) {
  const Merger first = [](std::string_view a, std::string_view) { return std::string(a); };
  const std::vector<std::string> samples = {std::string(5000, '\x01'), std::string(5000, '\x02')};
  const Status once = check_merger(first, samples, {.seed = 7});
  BOOST_REQUIRE(!once);
  BOOST_TEST(once.error().text.size() < 2000);
  BOOST_TEST(once.error().text.find("seed 7") != std::string::npos);
  BOOST_TEST(std::ranges::all_of(once.error().text, [](char c) { return c >= 0x20 && c < 0x7f; }));
  BOOST_TEST(check_merger(first, samples, {.seed = 7}).error().text == once.error().text);
}

BOOST_AUTO_TEST_CASE(too_few_samples_and_no_merger_are_refused) {
  refused(union_of, "two different samples", {});
  refused(union_of, "two different samples", {"a", "a"});
  refused(Merger(), "empty function");
  refused(union_of, "samples of up to 2 bytes", {"abc", "a"}, {.output_bytes_max = 2});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
