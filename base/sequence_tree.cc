#include "base/sequence_tree.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/tree_edit.h"

namespace waggle {
namespace {

SequenceSum sum_of(const SequenceSpan& span) {
  SequenceSum sum;
  sum.add(span);
  return sum;
}

SequenceSum sum_of(const SequenceChunk& chunk) {
  SequenceSum sum;
  for (const SequenceSpan& span : chunk.spans) sum.add(span);
  return sum;
}

SequenceSum sum_of(const SequenceGroup& group) {
  SequenceSum sum;
  for (const auto& slot : group) sum.add(slot.sum);
  return sum;
}

std::size_t content_before(const SequenceChunk& chunk, std::size_t span) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < span; ++i) bytes += chunk.spans[i].bytes;
  return bytes;
}

template <typename Items>
auto iterator_at(Items& items, std::size_t index) {
  return items.begin() + static_cast<std::ptrdiff_t>(index);
}

template <typename Node>
Node& own(std::shared_ptr<Node>& node) {
  if (!sole_owner(node)) node = std::make_shared<Node>(*node);
  return *node;
}

// Copies with room for what comes next, so that a write to a shared chunk allocates once.
SequenceChunk& own(std::shared_ptr<SequenceChunk>& node) {
  if (!sole_owner(node)) {
    auto copy = std::make_shared<SequenceChunk>();
    copy->spans.reserve(SequenceTree::kChunkSpans + 2);
    copy->spans.assign(node->spans.begin(), node->spans.end());
    copy->content.reserve(node->content.size() + kSpanBytes / 16);
    copy->content = node->content;
    node = std::move(copy);
  }
  return *node;
}

// Gives the upper half of a node, from `half` on.
SequenceChunk upper_half(SequenceChunk& chunk, std::size_t half) {
  SequenceChunk upper;
  const std::size_t bytes = content_before(chunk, half);
  upper.content = chunk.content.substr(bytes);
  chunk.content.resize(bytes);
  upper.spans.reserve(SequenceTree::kChunkSpans + 2);
  upper.spans.assign(std::make_move_iterator(iterator_at(chunk.spans, half)),
                     std::make_move_iterator(chunk.spans.end()));
  chunk.spans.resize(half);
  return upper;
}

SequenceGroup upper_half(SequenceGroup& group, std::size_t half) {
  SequenceGroup upper(std::make_move_iterator(iterator_at(group, half)),
                      std::make_move_iterator(group.end()));
  group.resize(half);
  return upper;
}

// Makes two of the node in slot `at`.
template <typename Node>
void halve(std::vector<SequenceSlot<Node>>& slots, std::size_t at, std::size_t half) {
  auto upper = std::make_shared<Node>(upper_half(own(slots[at].node), half));
  slots[at].sum = sum_of(*slots[at].node);
  const SequenceSum sum = sum_of(*upper);
  slots.insert(iterator_at(slots, at + 1), {std::move(upper), sum});
}

}  // namespace

void SequenceSum::add(const SequenceSpan& span) {
  visible += span.deleted ? 0 : span.count;
  base += span.base() ? span.count : 0;
  total += span.count;
  newest = std::max(newest, span.newest());
}

void SequenceSum::add(const SequenceSum& sum) {
  visible += sum.visible;
  base += sum.base;
  total += sum.total;
  newest = std::max(newest, sum.newest);
}

// ---- reading -----------------------------------------------------------------------------------

const SequenceRoot& SequenceTree::root() const {
  static const SequenceRoot kEmpty;
  return root_ ? *root_ : kEmpty;
}

SequenceTree::Place SequenceTree::exact(Place place) const {
  const SequenceRoot& groups = root();
  while (place.group < groups.size()) {
    const SequenceGroup& group = *groups[place.group].node;
    if (place.chunk >= group.size()) {
      place = {place.group + 1, 0, 0};
    } else if (place.span >= group[place.chunk].node->spans.size()) {
      place = {place.group, place.chunk + 1, 0};
    } else {
      return place;
    }
  }
  return {groups.size(), 0, 0};
}

const SequenceSpan* SequenceTree::at(Place place) const {
  place = exact(place);
  if (place.group == root().size()) return nullptr;
  return &(*root()[place.group].node)[place.chunk].node->spans[place.span];
}

const SequenceSpan* SequenceTree::before(Place place) const {
  if (place.span > 0 && place.group < root().size())
    return &(*root()[place.group].node)[place.chunk].node->spans[place.span - 1];
  if (place.chunk > 0 && place.group < root().size())
    return &(*root()[place.group].node)[place.chunk - 1].node->spans.back();
  if (place.group > 0) return &root()[place.group - 1].node->back().node->spans.back();
  return nullptr;
}

SequenceTree::Place SequenceTree::behind(Place place) const {
  place = exact(place);
  ++place.span;
  return place;
}

std::string_view SequenceTree::content_of(Place place) const {
  place = exact(place);
  const SequenceChunk& chunk = *(*root()[place.group].node)[place.chunk].node;
  return std::string_view(chunk.content)
      .substr(content_before(chunk, place.span), chunk.spans[place.span].bytes);
}

std::uint64_t SequenceTree::base_before(Place place) const {
  if (sum_.base == 0) return 0;
  std::uint64_t base = 0;
  for (std::size_t g = 0; g < place.group; ++g) base += root()[g].sum.base;
  if (place.group == root().size()) return base;
  const SequenceGroup& group = *root()[place.group].node;
  for (std::size_t c = 0; c < place.chunk; ++c) base += group[c].sum.base;
  if (place.chunk == group.size()) return base;
  const std::vector<SequenceSpan>& spans = group[place.chunk].node->spans;
  for (std::size_t s = 0; s < place.span; ++s) base += spans[s].base() ? spans[s].count : 0;
  return base;
}

// ---- changing ----------------------------------------------------------------------------------

SequenceRoot& SequenceTree::own_root() {
  if (!root_) root_ = std::make_shared<SequenceRoot>();
  return own(root_);
}

SequenceGroup& SequenceTree::own_group(std::size_t group) {
  return own(own_root()[group].node);
}

SequenceChunk& SequenceTree::own_chunk(Place place) {
  return own(own_group(place.group)[place.chunk].node);
}

void SequenceTree::tally(Place place, const SequenceSum& less, const SequenceSum& more) {
  SequenceRoot& root = own_root();
  for (SequenceSum* sum :
       {&sum_, &root[place.group].sum, &(*root[place.group].node)[place.chunk].sum}) {
    sum->visible += more.visible - less.visible;
    sum->base += more.base - less.base;
    sum->total += more.total - less.total;
    sum->newest = std::max(sum->newest, more.newest);
  }
}

// Keeps the chunk and its group within their bounds. Gives where the place has gone.
SequenceTree::Place SequenceTree::divide(Place place) {
  SequenceGroup& group = own_group(place.group);
  const SequenceChunk& chunk = *group[place.chunk].node;
  const std::size_t spans = chunk.spans.size();
  if (spans <= kChunkSpans && (chunk.content.size() <= kChunkBytes || spans == 1)) return place;
  halve(group, place.chunk, spans / 2);
  // The end of the lower half goes on what is there, the beginning of the upper one does not.
  if (place.span > spans / 2) place = {place.group, place.chunk + 1, place.span - spans / 2};
  const std::size_t chunks = group.size();
  if (chunks <= kGroupChunks) return place;
  halve(own_root(), place.group, chunks / 2);
  if (place.chunk >= chunks / 2) place = {place.group + 1, place.chunk - chunks / 2, place.span};
  return place;
}

SequenceTree::Place SequenceTree::split(Place place, std::uint32_t units) {
  place = exact(place);
  const std::uint32_t bytes = [&] {
    const SequenceSpan& span = *at(place);
    if (span.deleted) return std::uint32_t{0};
    if (unit_ == SequenceUnit::kScalar && span.bytes == span.count) return units;
    return static_cast<std::uint32_t>(prefix_bytes(content_of(place), units, unit_));
  }();
  SequenceChunk& chunk = own_chunk(place);
  SequenceSpan rest = split_span(chunk.spans[place.span], units, bytes);
  ++place.span;
  chunk.spans.insert(iterator_at(chunk.spans, place.span), std::move(rest));
  return divide(place);
}

SequenceTree::Place SequenceTree::insert(Place place, SequenceSpan span, std::string_view content) {
  SequenceRoot& root = own_root();
  if (root.empty()) {
    auto group = std::make_shared<SequenceGroup>();
    group->push_back({std::make_shared<SequenceChunk>(), {}});
    root.push_back({std::move(group), {}});
    place = {};
  } else if (place.group == root.size() || place.chunk == root[place.group].node->size()) {
    // At the end of everything or of a group: behind what is there.
    place.group = std::min(place.group, root.size() - 1);
    const SequenceGroup& group = *root[place.group].node;
    place = {place.group, group.size() - 1, group.back().node->spans.size()};
  }
  account_insertion(place, span, content);
  SequenceChunk& chunk = own_chunk(place);
  tally(place, {}, sum_of(span));
  chunk.content.insert(content_before(chunk, place.span), content);
  if (place.span > 0 && join_span(chunk.spans[place.span - 1], span)) return divide(place);
  chunk.spans.insert(iterator_at(chunk.spans, place.span), std::move(span));
  ++place.span;
  return divide(place);
}

void SequenceTree::remove(Place place, const SpanDot& dot) {
  place = exact(place);
  SequenceSpan as = *at(place);
  if (as.deleted) {
    auto later = as.later ? std::make_shared<std::vector<SpanDot>>(*as.later)
                          : std::make_shared<std::vector<SpanDot>>();
    later->push_back(dot);
    as.later = std::move(later);
  } else {
    as.deletion = dot;
    as.step = 0;
    as.deleted = true;
  }
  set_deletions(place, as);
}

void SequenceTree::set_deletions(Place place, const SequenceSpan& as) {
  place = exact(place);
  account_deletion_change(place, as);
  SequenceChunk& chunk = own_chunk(place);
  SequenceSpan& span = chunk.spans[place.span];
  const SequenceSum less = sum_of(span);
  chunk.content.erase(content_before(chunk, place.span), span.bytes);
  span.bytes = 0;
  span.deleted = true;
  span.deletion = as.deletion;
  span.step = as.step;
  span.later = as.later;
  const SequenceSum more = sum_of(span);
  stale_ = stale_ || more.newest < less.newest;
  tally(place, less, more);
}

void SequenceTree::erase(Place place) {
  place = exact(place);
  stale_ = true;
  SequenceChunk& chunk = own_chunk(place);
  const SequenceSpan& span = chunk.spans[place.span];
  tally(place, sum_of(span), {});
  chunk.content.erase(content_before(chunk, place.span), span.bytes);
  chunk.spans.erase(iterator_at(chunk.spans, place.span));
  if (!chunk.spans.empty()) return;
  SequenceGroup& group = own_group(place.group);
  group.erase(iterator_at(group, place.chunk));
  if (group.empty()) root_->erase(iterator_at(*root_, place.group));
}

SequenceTree::Place SequenceTree::join(Place place) {
  const Place found = exact(place);
  if (found.group == root().size()) return found;
  const Place behind{found.group, found.chunk, found.span + 1};
  if (found.span == 0) return behind;
  const std::vector<SequenceSpan>& spans = (*root()[found.group].node)[found.chunk].node->spans;
  SequenceSpan joined = spans[found.span - 1];
  if (!join_span(joined, spans[found.span])) return behind;
  SequenceChunk& chunk = own_chunk(found);
  chunk.spans[found.span - 1] = std::move(joined);
  chunk.spans.erase(iterator_at(chunk.spans, found.span));
  return found;
}

void SequenceTree::append(SequenceSpan span, std::string_view content) {
  stale_ = true;
  SequenceRoot& root = own_root();
  // Half full, so that the first edits don't split what has just been made.
  const bool full = root.empty() || [&] {
    const SequenceChunk& last = *root.back().node->back().node;
    return last.spans.size() >= kChunkSpans / 2 || last.content.size() > kChunkBytes / 2;
  }();
  if (full) {
    if (root.empty() || root.back().node->size() >= kGroupChunks / 2)
      root.push_back({std::make_shared<SequenceGroup>(), {}});
    root.back().node->push_back({std::make_shared<SequenceChunk>(), {}});
    root.back().node->back().node->spans.reserve(kChunkSpans + 2);
  }
  SequenceGroup& group = *root.back().node;
  SequenceChunk& chunk = *group.back().node;
  tally({root.size() - 1, group.size() - 1, 0}, {}, sum_of(span));
  chunk.content += content;
  if (!chunk.spans.empty() && join_span(chunk.spans.back(), span)) return;
  chunk.spans.push_back(std::move(span));
}

void SequenceTree::check_invariants() const {
  SequenceTree again(unit_);
  again.writers_ = writers_;
  for (const auto& group : root()) {
    WAGGLE_CHECK(!group.node->empty() && group.node->size() <= kGroupChunks);
    SequenceSum group_sum;
    for (const auto& chunk : *group.node) {
      const std::vector<SequenceSpan>& spans = chunk.node->spans;
      WAGGLE_CHECK(!spans.empty() && spans.size() <= kChunkSpans);
      WAGGLE_CHECK(content_before(*chunk.node, spans.size()) == chunk.node->content.size());
      SequenceSum sum = sum_of(*chunk.node);
      WAGGLE_CHECK(sum.newest <= chunk.sum.newest);
      sum.newest = chunk.sum.newest;
      WAGGLE_CHECK(sum == chunk.sum);
      group_sum.add(sum);
    }
    group_sum.newest = std::max(group_sum.newest, group.sum.newest);
    WAGGLE_CHECK(group_sum == group.sum);
  }
  for_each([&](const SequenceSpan& span, std::string_view content) {
    WAGGLE_CHECK(span.count > 0 && (span.count > 1 || (!span.rising && span.step == 0)));
    WAGGLE_CHECK(!span.deleted || (span.bytes == 0 && (span.gone() || span.deletion.revision > 0)));
    WAGGLE_CHECK(span.deleted || units_in(content, unit_) == span.count);
    again.append(span, content);
  });
  again.recount();
  WAGGLE_CHECK(!stale_ && again.hash_ == hash_ && again.sum_ == sum_);
  WAGGLE_CHECK(again.content_bytes_ == content_bytes_ && again.history_bytes_ == history_bytes_);
}

// ---- writers -----------------------------------------------------------------------------------

const std::vector<SequenceWriter>& SequenceTree::writers() const {
  static const std::vector<SequenceWriter> kNone;
  return writers_ ? *writers_ : kNone;
}

std::uint32_t SequenceTree::writer_place(const AgentId& agent, Incarnation incarnation) {
  const std::vector<SequenceWriter>& known = writers();
  // The last ones to come are those who write.
  for (std::size_t i = known.size(); i-- > 0;)
    if (known[i].incarnation == incarnation && known[i].agent == agent)
      return static_cast<std::uint32_t>(i);
  auto more = std::make_shared<std::vector<SequenceWriter>>(known);
  CanonicalBytes name;
  name.text(agent.value());
  name.u64(incarnation.value());
  more->push_back({agent, incarnation, hash128(name.bytes()).low});
  writers_ = std::move(more);
  return static_cast<std::uint32_t>(writers_->size() - 1);
}

bool SequenceTree::writer_less(std::uint32_t a, std::uint32_t b) const {
  const SequenceWriter& first = writers()[a];
  const SequenceWriter& second = writers()[b];
  return std::tie(first.agent, first.incarnation) < std::tie(second.agent, second.incarnation);
}

}  // namespace waggle
