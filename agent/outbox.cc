#include "agent/outbox.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace waggle {
namespace {

// Of earlier processes; beside them the present one and the process's first are named.
constexpr std::size_t kIncarnationsListed = limits::kOwnThrough - 2;

bool is_conditional(const Mutation& mutation) {
  return std::any_of(mutation.entries.begin(), mutation.entries.end(), [](const Entry& entry) {
    return std::holds_alternative<ExpectVersion>(entry.expect) ||
           std::holds_alternative<ExpectMine>(entry.expect);
  });
}

}  // namespace

void Outbox::restore(const OutboxRow& row) {
  if (!row.mutation) return;
  Line& line = lines_[row.incarnation];
  line.order = row.order;
  if (!line.confirmed && !line.last) line.confirmed = Seq(row.seq.value() - 1);
  // What is missing in between was answered before.
  if (line.last)
    for (Seq seq = line.last.next(); seq < row.seq; seq = seq.next()) line.ahead.insert(seq);
  line.last = std::max(line.last, row.seq);
  next_order_ = std::max(next_order_, row.order + 1);
  Pending pending;
  pending.mutation = *row.mutation;
  pending.has_context = row.mutation->context.epoch || row.mutation->context.seen;
  // Whether it was sent is not stored: it may have been.
  pending.sent = true;
  pending.conditional = is_conditional(pending.mutation);
  const Place place{row.order, row.seq};
  pending.bytes = wire_size(pending.mutation);
  bytes_ += pending.bytes;
  ++unanswered_;
  ++line.unanswered;
  index(place, pending);
  pending_.emplace(place, std::move(pending));
}

void Outbox::begin() {
  lines_[incarnation_].order = next_order_++;
}

void Outbox::index(const Place& place, const Pending& pending) {
  for (const Entry& entry : pending.mutation.entries) by_key_[entry.key].insert(place);
}

void Outbox::unindex(const Place& place, const Pending& pending) {
  for (const Entry& entry : pending.mutation.entries) {
    const auto places = by_key_.find(entry.key);
    if (places == by_key_.end()) continue;
    places->second.erase(place);
    if (places->second.empty()) by_key_.erase(places);
  }
}

Pending& Outbox::add(Mutation mutation, RequestId request, bool has_context,
                     std::vector<Row>& rows) {
  Line& line = lines_[incarnation_];
  line.last = line.last.next();
  mutation.incarnation = incarnation_;
  mutation.seq = line.last;
  const Place place{line.order, line.last};
  Pending pending;
  pending.conditional = is_conditional(mutation);
  pending.mutation = std::move(mutation);
  pending.request = request;
  pending.has_context = has_context;
  pending.bytes = wire_size(pending.mutation);
  bytes_ += pending.bytes;
  ++unanswered_;
  ++line.unanswered;
  index(place, pending);
  Pending& added = pending_.emplace(place, std::move(pending)).first->second;
  store_again(added, rows);
  return added;
}

Pending* Outbox::find(Incarnation incarnation, Seq seq) {
  const auto line = lines_.find(incarnation);
  if (line == lines_.end()) return nullptr;
  const auto found = pending_.find({line->second.order, seq});
  return found == pending_.end() ? nullptr : &found->second;
}

void Outbox::mark_answered(Line& line, Seq seq) {
  line.ahead.insert(seq);
  while (!line.ahead.empty() && *line.ahead.begin() <= line.confirmed.next()) {
    line.confirmed = std::max(line.confirmed, *line.ahead.begin());
    line.ahead.erase(line.ahead.begin());
  }
}

bool Outbox::answer(Incarnation incarnation, Seq seq, Revision decided_at, bool committed,
                    std::vector<Row>& rows) {
  Pending* pending = find(incarnation, seq);
  if (pending == nullptr || pending->answered) return false;
  Line& line = lines_[incarnation];
  pending->answered = true;
  pending->committed = committed;
  decide({line.order, seq}, *pending, pending->decided_at.value_or(decided_at));
  --unanswered_;
  --line.unanswered;
  bytes_ -= pending->bytes;
  mark_answered(line, seq);
  rows.emplace_back(OutboxRow{incarnation, seq, line.order, std::nullopt});
  return true;
}

void Outbox::decide(const Place& place, Pending& pending, Revision at) {
  if (pending.decided_at) decided_.erase({*pending.decided_at, place});
  pending.decided_at = at;
  decided_.insert({at, place});
}

void Outbox::reflected(Incarnation incarnation, Seq through, Revision at) {
  const auto line = lines_.find(incarnation);
  if (line == lines_.end()) return;
  for (auto p = pending_.lower_bound({line->second.order, Seq(0)});
       p != pending_.end() && p->first.order == line->second.order && p->first.seq <= through; ++p)
    if (!p->second.decided_at || at < *p->second.decided_at) decide(p->first, p->second, at);
}

void Outbox::drop_reflected(Revision cursor) {
  while (!decided_.empty() && decided_.begin()->first <= cursor) {
    const auto p = pending_.find(decided_.begin()->second);
    decided_.erase(decided_.begin());
    unindex(p->first, p->second);
    // One that is not answered is reflected: only its result is awaited, which decides it again.
    if (p->second.answered) pending_.erase(p);
  }
}

void Outbox::forget_decisions() {
  decided_.clear();
  for (auto p = pending_.begin(); p != pending_.end();) {
    if (!p->second.answered) {
      if (p->second.decided_at) {
        p->second.decided_at.reset();
        index(p->first, p->second);
      }
      ++p;
      continue;
    }
    unindex(p->first, p->second);
    p = pending_.erase(p);
  }
}

std::vector<OwnThrough> Outbox::confirmed() const {
  std::vector<OwnThrough> confirmed;
  for (const Incarnation incarnation : incarnations())
    if (const Seq through = lines_.at(incarnation).confirmed)
      confirmed.push_back({incarnation, through});
  return confirmed;
}

std::vector<OwnThrough> Outbox::own_through() const {
  std::vector<OwnThrough> through;
  for (const auto& [incarnation, line] : lines_) {
    auto newest = pending_.lower_bound({line.order + 1, Seq(0)});
    if (newest == pending_.begin() || (--newest)->first.order != line.order) continue;
    through.push_back({incarnation, newest->first.seq});
  }
  if (through.size() > limits::kOwnThrough) through.resize(limits::kOwnThrough);
  return through;
}

std::vector<Incarnation> Outbox::incarnations() const {
  std::map<std::uint64_t, Incarnation> waiting;
  for (const auto& [incarnation, line] : lines_)
    if (incarnation != incarnation_ && line.unanswered > 0)
      waiting.emplace(line.order, incarnation);
  std::vector<Incarnation> listed;
  for (const auto& [order, incarnation] : waiting) {
    // Safety: they drain in order, so the coordinator has never seen the later ones.
    if (listed.size() == kIncarnationsListed) break;
    listed.push_back(incarnation);
  }
  listed.push_back(incarnation_);
  return listed;
}

const Pending* Outbox::first_unanswered() const {
  for (const auto& [place, pending] : pending_)
    if (!pending.answered) return &pending;
  return nullptr;
}

std::vector<Pending*> Outbox::to_send(const Place& after, std::size_t most, std::size_t bytes_max) {
  std::vector<Pending*> chosen;
  const Pending* first = first_unanswered();
  if (first == nullptr) return chosen;
  const std::uint64_t order = lines_.at(first->mutation.incarnation).order;
  Place from = after;
  if (from.order != order) from = {order, Seq(0)};
  std::size_t bytes = 0;
  for (auto p = pending_.upper_bound(from); p != pending_.end() && p->first.order == order; ++p) {
    Pending& pending = p->second;
    if (!pending.has_context) break;
    if (pending.answered) continue;
    const std::size_t size = wire_size(pending.mutation);
    if (chosen.size() >= most || (!chosen.empty() && bytes + size > bytes_max)) break;
    bytes += size;
    chosen.push_back(&pending);
  }
  return chosen;
}

Outbox::Place Outbox::place_of(const Pending& pending) const {
  return {lines_.at(pending.mutation.incarnation).order, pending.mutation.seq};
}

Outbox::Place Outbox::before(Incarnation incarnation, Seq seq) const {
  const auto line = lines_.find(incarnation);
  if (line == lines_.end() || !seq) return {};
  return {line->second.order, Seq(seq.value() - 1)};
}

std::vector<const Pending*> Outbox::overlay(const Key& key) const {
  return touching(key, [](const Pending& pending) { return pending.in_view(); });
}

std::vector<const Pending*> Outbox::hoped_for(const Key& key) const {
  return touching(key,
                  [](const Pending& pending) { return pending.in_view() || !pending.answered; });
}

std::vector<const Pending*> Outbox::touching(const Key& key, bool (*wanted)(const Pending&)) const {
  std::vector<const Pending*> writes;
  const auto places = by_key_.find(key);
  if (places == by_key_.end()) return writes;
  for (const Place& place : places->second) {
    const Pending& pending = pending_.at(place);
    if (wanted(pending)) writes.push_back(&pending);
  }
  return writes;
}

Seq Outbox::last() const {
  const auto line = lines_.find(incarnation_);
  return line == lines_.end() ? Seq() : line->second.last;
}

std::set<Key> Outbox::overlaid_keys() const {
  std::set<Key> keys;
  for (const auto& [key, places] : by_key_) keys.insert(key);
  return keys;
}

void Outbox::for_each(const std::function<void(Pending&)>& visit) {
  for (auto& [place, pending] : pending_) visit(pending);
}

void Outbox::store_again(const Pending& pending, std::vector<Row>& rows) const {
  const Line& line = lines_.at(pending.mutation.incarnation);
  rows.emplace_back(
      OutboxRow{pending.mutation.incarnation, pending.mutation.seq, line.order, pending.mutation});
}

void Outbox::renumber(Incarnation fresh, const std::function<bool(const Pending&)>& chosen,
                      std::vector<Row>& rows) {
  std::vector<std::pair<Place, Pending>> moved;
  for (auto p = pending_.begin(); p != pending_.end();) {
    if (p->second.answered || !chosen(p->second)) {
      ++p;
      continue;
    }
    const Mutation& mutation = p->second.mutation;
    unindex(p->first, p->second);
    rows.emplace_back(OutboxRow{mutation.incarnation, mutation.seq, p->first.order, std::nullopt});
    // For the old incarnation it counts as answered: nothing of it is awaited there any more.
    Line& old = lines_[mutation.incarnation];
    mark_answered(old, mutation.seq);
    --old.unanswered;
    if (p->second.decided_at) decided_.erase({*p->second.decided_at, p->first});
    moved.emplace_back(p->first, std::move(p->second));
    p = pending_.erase(p);
  }
  incarnation_ = fresh;
  Line& line = lines_[fresh];
  line.order = next_order_++;
  line.unanswered = moved.size();
  std::map<std::pair<Incarnation, Seq>, Seq> renamed;
  for (auto& [place, pending] : moved) {
    Mutation& mutation = pending.mutation;
    const Incarnation old = mutation.incarnation;
    line.last = line.last.next();
    renamed[{old, mutation.seq}] = line.last;
    for (Entry& entry : mutation.entries) {
      auto* mine = std::get_if<ExpectMine>(&entry.expect);
      if (mine == nullptr) continue;
      const auto now = renamed.find({old, mine->seq});
      if (now != renamed.end()) {
        mine->seq = now->second;
      } else {
        // What it builds on belongs to a history that is gone: it can't hold any more.
        entry.expect = ExpectVersion{Revision(limits::kNumberMax)};
      }
    }
    if (line.last > Seq(1) && mutation.context.own_through.size() < limits::kOwnThrough)
      mutation.context.own_through.push_back({fresh, Seq(line.last.value() - 1)});
    mutation.incarnation = fresh;
    mutation.seq = line.last;
    pending.sent = false;
    pending.decided_at.reset();
    const Place now{line.order, line.last};
    index(now, pending);
    const Pending& placed = pending_.emplace(now, std::move(pending)).first->second;
    store_again(placed, rows);
  }
}

}  // namespace waggle
