// Every short schedule of several authors against the oracle of sequence_world.h.

#include <algorithm>
#include <utility>
#include <vector>

#include "sequence_world.h"

namespace waggle {
namespace {

using sequence_laws::World;

// Every schedule of three authors and four writes: who writes what, having seen all or nothing new,
// and when each arrives. Authors are told apart only by when they first write. A schedule goes on
// from a copy of the world that it shares with others.
class Exhaustive {
 public:
  Exhaustive(SequenceUnit unit, std::vector<World::Move> moves)
      : unit_(unit), moves_(std::move(moves)) {}

  // How many there are.
  std::uint64_t run() {
    go_on(World(random_, unit_, kAuthors, false), 0, 0);
    return schedules_;
  }

 private:
  static constexpr std::size_t kAuthors = 3;
  static constexpr std::size_t kWrites = 4;

  void go_on(const World& world, std::size_t written, std::size_t authors) {
    bool waits = false;
    for (std::size_t who = 0; who < authors; ++who) {
      if (!world.waits(who)) continue;
      waits = true;
      World next = world;
      // The forms of the whole are looked at once, of the last state.
      written == kWrites ? next.commit_and_check(who) : next.commit(who);
      go_on(next, written, authors);
    }
    if (written == kWrites) {
      schedules_ += waits ? 0 : 1;
      return;
    }
    for (std::size_t who = 0; who < std::min(authors + 1, kAuthors); ++who)
      for (const World::Move move : moves_)
        for (const bool catches_up : {false, true}) {
          World next = world;
          next.write(who, move, catches_up);
          go_on(next, written + 1, std::max(authors, who + 1));
        }
  }

  SequenceUnit unit_;
  std::vector<World::Move> moves_;
  Prng random_{1};  // asked only how often to look at the forms
  std::uint64_t schedules_ = 0;
};

BOOST_AUTO_TEST_SUITE(sequence_exhaustive_test)

BOOST_AUTO_TEST_CASE(every_schedule_of_three_authors_and_four_writes_of_a_text) {
  using enum World::Move;
  Exhaustive all(SequenceUnit::kScalar, {kInsertFirst, kInsertLast, kRemoveFirst});
  BOOST_TEST(all.run() > 100'000U);
}

// A list differs in its units alone.
BOOST_AUTO_TEST_CASE(every_schedule_of_three_authors_and_four_writes_of_a_list) {
  using enum World::Move;
  BOOST_TEST(Exhaustive(SequenceUnit::kElement, {kInsertFirst, kRemoveFirst}).run() > 20'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
