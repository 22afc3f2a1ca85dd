#include "resolver/text_diff.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/check.h"

namespace waggle {
namespace {

using Numbers = std::vector<std::size_t>;

constexpr std::ptrdiff_t kUnreached = std::numeric_limits<std::ptrdiff_t>::min() / 4;

// Units [from_begin, from_end) against [to_begin, to_end).
struct Box {
  std::ptrdiff_t from_begin, from_end, to_begin, to_end;
  bool anchored;  // its unique units were already looked for

  [[nodiscard]] std::ptrdiff_t width() const { return from_end - from_begin; }
  [[nodiscard]] std::ptrdiff_t height() const { return to_end - to_begin; }
};

struct Point {
  std::ptrdiff_t from, to;
};

// The furthest points that `depth` deletions and insertions reach, one for each diagonal k = x - y.
// x and y count from the corner of the box where the search began.
class Frontier {
 public:
  explicit Frontier(std::ptrdiff_t depth_max)
      : middle_(depth_max + 1), x_(static_cast<std::size_t>(2 * depth_max + 3)) {}

  void restart() { depth_ = -1; }
  void deepen() {
    ++depth_;
    at(-depth_ - 1) = kUnreached;
    at(depth_ + 1) = depth_ == 0 ? 0 : kUnreached;  // the 0 is where depth 0 comes from
  }
  [[nodiscard]] std::ptrdiff_t depth() const { return depth_; }
  [[nodiscard]] std::ptrdiff_t& at(std::ptrdiff_t diagonal) {
    return x_[static_cast<std::size_t>(middle_ + diagonal)];
  }
  // kUnreached also where this depth has no point.
  [[nodiscard]] std::ptrdiff_t reached(std::ptrdiff_t diagonal) const {
    const bool there = std::abs(diagonal) <= depth_ && ((diagonal ^ depth_) & 1) == 0;
    return there ? x_[static_cast<std::size_t>(middle_ + diagonal)] : kUnreached;
  }

 private:
  std::ptrdiff_t middle_;
  std::ptrdiff_t depth_ = -1;
  std::vector<std::ptrdiff_t> x_;
};

enum class Direction : std::uint8_t { kForward, kBackward };

class Aligner {
 public:
  Aligner(const Numbers& from, const Numbers& to, const DiffBounds& bounds)
      : from_(from),
        to_(to),
        bounds_(bounds),
        forward_(bounds.exact_depth),
        backward_(bounds.exact_depth),
        partner_(from.size(), kUnmatched) {}

  Numbers run() {
    boxes_.push_back({0, std::ssize(from_), 0, std::ssize(to_), false});
    while (!boxes_.empty()) {
      Box box = boxes_.back();
      boxes_.pop_back();
      match_ends(box);
      if (box.width() > 0 && box.height() > 0) split(box);
    }
    return std::move(partner_);
  }

 private:
  void match(std::ptrdiff_t from, std::ptrdiff_t to) {
    partner_[static_cast<std::size_t>(from)] = static_cast<std::size_t>(to);
  }
  [[nodiscard]] std::size_t from_at(std::ptrdiff_t i) const {
    return from_[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] std::size_t to_at(std::ptrdiff_t i) const {
    return to_[static_cast<std::size_t>(i)];
  }

  void match_ends(Box& box) {
    while (box.width() > 0 && box.height() > 0 && from_at(box.from_begin) == to_at(box.to_begin))
      match(box.from_begin++, box.to_begin++);
    while (box.width() > 0 && box.height() > 0 &&
           from_at(box.from_end - 1) == to_at(box.to_end - 1))
      match(--box.from_end, --box.to_end);
  }

  // REQUIRES: both sides have units, and neither their first nor their last are equal; so the
  // distance is at least 2, and each part is smaller than the box.
  void split(Box box) {
    if (const std::optional<Point> middle = find_middle(box)) return split_at(box, *middle);
    if (!box.anchored) {
      // Once for each part of the texts: again after every split would be quadratic.
      box.anchored = true;
      const std::vector<Point> anchors = find_anchors(box);
      if (!anchors.empty()) return split_at_anchors(box, anchors);
    }
    split_at(box, furthest(box));
  }

  void split_at(const Box& box, Point point) {
    boxes_.push_back({box.from_begin, point.from, box.to_begin, point.to, box.anchored});
    boxes_.push_back({point.from, box.from_end, point.to, box.to_end, box.anchored});
  }

  void split_at_anchors(const Box& box, const std::vector<Point>& anchors) {
    Box rest = box;
    for (const Point& anchor : anchors) {
      match(anchor.from, anchor.to);
      boxes_.push_back({rest.from_begin, anchor.from, rest.to_begin, anchor.to, rest.anchored});
      rest.from_begin = anchor.from + 1;
      rest.to_begin = anchor.to + 1;
    }
    boxes_.push_back(rest);
  }

  // A point on a shortest path through the box, about halfway; nothing beyond the bounds.
  std::optional<Point> find_middle(const Box& box) {
    forward_.restart();
    backward_.restart();
    do {
      if (const auto met = advance<Direction::kForward>(box, forward_, backward_)) return met;
      if (exhausted()) return std::nullopt;
      if (const auto met = advance<Direction::kBackward>(box, backward_, forward_)) return met;
    } while (!exhausted());
    return std::nullopt;
  }

  [[nodiscard]] bool spent() const { return steps_ >= bounds_.steps; }
  [[nodiscard]] bool exhausted() const {
    return forward_.depth() >= (spent() ? bounds_.coarse_depth : bounds_.exact_depth);
  }

  // One deletion or insertion more on each diagonal, then along equal units as far as it goes. The
  // point where it meets the other frontier, if it does.
  template <Direction direction>
  std::optional<Point> advance(const Box& box, Frontier& own, const Frontier& other) {
    constexpr bool kForward = direction == Direction::kForward;
    const std::ptrdiff_t width = box.width();
    const std::ptrdiff_t height = box.height();
    own.deepen();
    const std::ptrdiff_t depth = own.depth();
    const std::ptrdiff_t low = std::max(-depth, -height + ((depth + height) & 1));
    const std::ptrdiff_t high = std::min(depth, width - ((depth + width) & 1));
    for (std::ptrdiff_t k = low; k <= high; k += 2) {
      // Steps out of the box are none: the frontier holds only points of real paths.
      std::ptrdiff_t x = own.at(k - 1) + 1;
      if (x > width) x = kUnreached;
      if (own.at(k + 1) - k <= height) x = std::max(x, own.at(k + 1));
      if (x < 0) {
        own.at(k) = kUnreached;
        continue;
      }
      const std::ptrdiff_t start = x;
      while (x < width && x - k < height &&
             (kForward ? from_at(box.from_begin + x) == to_at(box.to_begin + x - k)
                       : from_at(box.from_end - 1 - x) == to_at(box.to_end - 1 - x + k)))
        ++x;
      own.at(k) = x;
      steps_ += static_cast<std::uint64_t>(x - start) + 1;
      // The same diagonal, as the other search counts it.
      if (x + other.reached(width - height - k) >= width)
        return kForward ? Point{box.from_begin + x, box.to_begin + x - k}
                        : Point{box.from_end - x, box.to_end - x + k};
      // Within a depth too: a thousand diagonals may each run along a million equal units. Those
      // not yet seen keep their points of two depths before.
      if (spent() && depth > bounds_.coarse_depth) return std::nullopt;
    }
    return std::nullopt;
  }

  // The furthest point of either side of the last search, which found no middle. Taking the better
  // side keeps the work of all searches within the depth times the size. It is neither corner of
  // the box: at depth 1 it is past the one, and had it come to the other, the two would have met.
  [[nodiscard]] Point furthest(const Box& box) const {
    const Point front = furthest(forward_);
    const Point back = furthest(backward_);
    return front.from + front.to >= back.from + back.to
               ? Point{box.from_begin + front.from, box.to_begin + front.to}
               : Point{box.from_end - back.from, box.to_end - back.to};
  }
  static Point furthest(const Frontier& frontier) {
    Point best{0, 0};
    for (std::ptrdiff_t k = -frontier.depth(); k <= frontier.depth(); k += 2) {
      const std::ptrdiff_t x = frontier.reached(k);
      if (x >= 0 && 2 * x - k > best.from + best.to) best = {x, x - k};
    }
    return best;
  }

  // The longest rising run of the units that occur once on both sides of the box.
  [[nodiscard]] std::vector<Point> find_anchors(const Box& box) const;

  const Numbers& from_;
  const Numbers& to_;
  const DiffBounds bounds_;
  std::uint64_t steps_ = 0;
  Frontier forward_;
  Frontier backward_;
  std::vector<Box> boxes_;
  Numbers partner_;
};

std::vector<Point> longest_rising(const std::vector<Point>& points) {
  // tails[n]: of the rising runs of n + 1 points found so far, the last point of the one that ends
  // lowest.
  std::vector<std::size_t> tails;
  std::vector<std::size_t> before(points.size(), kUnmatched);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto tail = std::ranges::lower_bound(tails, points[i].to, {},
                                               [&](std::size_t place) { return points[place].to; });
    if (tail != tails.begin()) before[i] = *(tail - 1);
    if (tail == tails.end())
      tails.push_back(i);
    else
      *tail = i;
  }
  std::vector<Point> run;
  for (std::size_t i = tails.empty() ? kUnmatched : tails.back(); i != kUnmatched; i = before[i])
    run.push_back(points[i]);
  std::ranges::reverse(run);
  return run;
}

std::vector<Point> Aligner::find_anchors(const Box& box) const {
  struct Unit {
    std::size_t number;
    std::ptrdiff_t place;
    bool in_to;
  };
  std::vector<Unit> units;
  for (std::ptrdiff_t i = box.from_begin; i < box.from_end; ++i)
    units.push_back({from_at(i), i, false});
  for (std::ptrdiff_t i = box.to_begin; i < box.to_end; ++i) units.push_back({to_at(i), i, true});
  std::ranges::stable_sort(units, {}, &Unit::number);  // so `from` comes before `to`
  std::vector<Point> points;
  for (std::size_t i = 0; i < units.size();) {
    std::size_t end = i + 1;
    while (end < units.size() && units[end].number == units[i].number) ++end;
    if (end - i == 2 && !units[i].in_to && units[i + 1].in_to)
      points.push_back({units[i].place, units[i + 1].place});
    i = end;
  }
  std::ranges::sort(points, {}, &Point::from);
  return longest_rising(points);
}

// The places of the units that occur in the other text too: no other can have a partner.
std::vector<std::size_t> shared_places(const Numbers& units, const std::vector<bool>& in_other) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < units.size(); ++i)
    if (units[i] < in_other.size() && in_other[units[i]]) places.push_back(i);
  return places;
}

std::vector<bool> occurring(const Numbers& units) {
  std::vector<bool> occurs(units.empty() ? 0 : std::ranges::max(units) + 1);
  for (const std::size_t number : units) occurs[number] = true;
  return occurs;
}

Numbers numbers_at(const Numbers& units, const std::vector<std::size_t>& places) {
  Numbers picked;
  picked.reserve(places.size());
  for (const std::size_t place : places) picked.push_back(units[place]);
  return picked;
}

}  // namespace

std::vector<std::size_t> align(const std::vector<std::size_t>& from,
                               const std::vector<std::size_t>& to, const DiffBounds& bounds) {
  WAGGLE_CHECK(bounds.coarse_depth >= 2 && bounds.exact_depth >= bounds.coarse_depth);
  const std::vector<std::size_t> from_places = shared_places(from, occurring(to));
  const std::vector<std::size_t> to_places = shared_places(to, occurring(from));
  const Numbers shared_from = numbers_at(from, from_places);
  const Numbers shared_to = numbers_at(to, to_places);
  const Numbers partner = Aligner(shared_from, shared_to, bounds).run();
  std::vector<std::size_t> result(from.size(), kUnmatched);
  for (std::size_t i = 0; i < partner.size(); ++i)
    if (partner[i] != kUnmatched) result[from_places[i]] = to_places[partner[i]];
  return result;
}

}  // namespace waggle
