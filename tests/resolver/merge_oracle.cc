#include "tests/resolver/merge_oracle.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle::laws {
namespace {

using Wide = __int128;

// ---- names -------------------------------------------------------------------------------------

std::string name_of(const Dot& dot) {
  return dot.writer.agent.value() + std::to_string(dot.writer.seq.value());
}

std::string named(const Dots& dots) {
  std::string text = "[";
  for (const Dot& dot : dots) text += name_of(dot) + ' ';
  return text + ']';
}

std::string named(const Works& works) {
  std::string text = "[";
  for (const Work& work : works) text += work.by->name() + ' ';
  return text + ']';
}

std::string told_scalar(const Scalar& scalar) {
  return std::visit([](const auto& value) { return fmt::format("{}", value); }, scalar);
}

std::string told_of(const Register& value) {
  return '\'' + value.bytes + '\'';
}

std::string told_number(Wide number) {
  return fmt::format("{}", number);
}

// ---- who is still there ------------------------------------------------------------------------

using Picks = std::function<bool(const Op&)>;

// The picked operations of which no author of a covering one knew.
Works living(const Works& works, const Picks& picked, const Picks& covers) {
  Works left;
  for (const Work& work : works) {
    if (!picked(*work.op)) continue;
    const bool gone = std::ranges::any_of(
        works, [&](const Work& other) { return covers(*other.op) && other.by->knew(*work.by); });
    if (!gone) left.push_back(work);
  }
  return left;
}

bool any(const Op&) {
  return true;
}

template <typename Wanted>
bool names(const Op& op, const std::string& element) {
  const auto* wanted = std::get_if<Wanted>(&op);
  return wanted != nullptr && std::ranges::count(wanted->elements, element) > 0;
}

bool touches(const Op& op, const std::string& element) {
  return names<SetAddOp>(op, element) || names<SetRemoveOp>(op, element);
}

std::set<std::string> elements_of(const Works& works) {
  std::set<std::string> all;
  for (const Work& work : works)
    if (const auto* add = std::get_if<SetAddOp>(work.op))
      all.insert(add->elements.begin(), add->elements.end());
  return all;
}

std::string told_set(const Works& works, bool removals_win) {
  std::string text;
  for (const std::string& element : elements_of(works)) {
    const auto about = [&](const Op& op) { return touches(op, element); };
    const Works adds =
        living(works, [&](const Op& op) { return names<SetAddOp>(op, element); }, about);
    const Works removals =
        living(works, [&](const Op& op) { return names<SetRemoveOp>(op, element); }, about);
    if (adds.empty() || (removals_win && !removals.empty())) continue;
    text += element + named(adds);
  }
  return text;
}

std::string told_flag(const Works& works, bool winner) {
  return named(
      living(works, [winner](const Op& op) { return std::get<FlagOp>(op).on == winner; }, any));
}

std::string told_multi(const Works& works) {
  std::string text;
  for (const Work& put : living(works, any, any))
    text += put.by->name() + told_of({ContentType::kText, std::get<PutOp>(*put.op).bytes});
  return text;
}

// ---- numbers -----------------------------------------------------------------------------------

Wide amount_of(const Work& work) {
  const auto* incr = std::get_if<IncrOp>(work.op);
  return incr != nullptr ? incr->amount : 0;
}

// The increments of which no resetting author knew.
Works counted(const Works& works) {
  return living(
      works, [](const Op& op) { return std::holds_alternative<IncrOp>(op); },
      [](const Op& op) { return std::holds_alternative<ResetOp>(op); });
}

Wide sum(const Works& works) {
  Wide total = 0;
  for (const Work& work : works) total += amount_of(work);
  return total;
}

bool within_64_bits(Wide number) {
  return number >= std::numeric_limits<std::int64_t>::min() &&
         number <= std::numeric_limits<std::int64_t>::max();
}

const Scalar& extreme(const Works& works, bool greatest) {
  const Scalar* best = nullptr;
  for (const Work& work : works) {
    const Scalar& value = std::get<RaiseOp>(*work.op).value;
    if (best == nullptr || (greatest ? value > *best : value < *best)) best = &value;
  }
  return *best;
}

// What a bounded counter's holders have, as in a book of accounts.
struct Accounts {
  Wide free = 0;
  std::map<std::string, Wide> reserved;

  // False: there is too little, and nothing is moved.
  bool enter(const Work& work) {
    Wide& own = reserved[work.by->author];
    if (const auto* incr = std::get_if<IncrOp>(work.op)) {
      if (free + own + incr->amount < 0) return false;
      const Wide from_own = std::min(own, std::max<Wide>(-Wide{incr->amount}, 0));
      own -= from_own;
      free += incr->amount + from_own;
      return true;
    }
    const auto& escrow = std::get<EscrowOp>(*work.op);
    Wide& from = escrow.verb == EscrowVerb::kReserve ? free : own;
    Wide& to = escrow.verb == EscrowVerb::kReserve   ? own
               : escrow.verb == EscrowVerb::kRelease ? free
                                                     : reserved[escrow.to.value()];
    if (from < Wide{escrow.amount}) return false;
    from -= escrow.amount;
    to += escrow.amount;
    return true;
  }
};

Accounts accounts(const Works& works) {
  Accounts book;
  for (const Work& work : works) (void)book.enter(work);
  return book;
}

std::string told_accounts(Wide free, const std::map<std::string, Wide>& reserved) {
  std::string text = told_number(free);
  for (const auto& [agent, amount] : reserved)
    if (amount != 0) text += fmt::format(" {}:{}", agent, amount);
  return text;
}

// ---- fields ------------------------------------------------------------------------------------

// Of these nothing can be taken away in part.
bool stays_whole(ValueType type) {
  switch (type) {
    case ValueType::kRegister:
    case ValueType::kCounter:
    case ValueType::kGrowCounter:
    case ValueType::kBoundedCounter:
    case ValueType::kMax:
    case ValueType::kMin:
    case ValueType::kOnceFlag:
    case ValueType::kGrowSet:
      return true;
    default:
      return false;
  }
}

bool begins_with(const std::vector<std::string>& path, const std::vector<std::string>& head) {
  return path.size() >= head.size() && std::equal(head.begin(), head.end(), path.begin());
}

bool is_removal(const FieldOp& op) {
  return std::holds_alternative<DeleteOp>(op.op->op);
}

std::string line_of(const std::vector<std::string>& path, ValueType type,
                    const std::string& updates, const std::string& value) {
  std::string line;
  for (const std::string& name : path) line += '/' + name;
  return fmt::format("{} {} {}{{{}}}\n", line, to_text(type), updates, value);
}

std::string joined(const std::set<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

void tell_fields(const Map& map, std::vector<std::string>& path, std::set<std::string>& lines) {
  for (const auto& [id, field] : map.fields) {
    path.push_back(id.name);
    const auto* inner = std::get_if<Map>(&field.value->value);
    lines.insert(line_of(path, id.type, named(field.updates),
                         inner != nullptr ? std::string() : told(field.value->value)));
    if (inner != nullptr) tell_fields(*inner, path, lines);
    path.pop_back();
  }
}

}  // namespace

// ---- by definition -----------------------------------------------------------------------------

std::string told(ValueType type, const Works& works) {
  switch (type) {
    case ValueType::kRegister:
      return works.empty() ? ""
                           : told_of({ContentType::kText, std::get<PutOp>(*works.back().op).bytes});
    case ValueType::kCounter:
    case ValueType::kGrowCounter:
      return told_number(sum(works));
    case ValueType::kResettableCounter:
      return told_number(sum(counted(works)));
    case ValueType::kBoundedCounter: {
      const Accounts book = accounts(works);
      return told_accounts(book.free, book.reserved);
    }
    case ValueType::kMax:
    case ValueType::kMin:
      return works.empty() ? "" : told_scalar(extreme(works, type == ValueType::kMax));
    case ValueType::kOnceFlag:
      return works.empty() ? "" : "on";
    case ValueType::kEnableFlag:
    case ValueType::kDisableFlag:
      return told_flag(works, type == ValueType::kEnableFlag);
    case ValueType::kOrSet:
    case ValueType::kRemoveWinsSet:
      return told_set(works, type == ValueType::kRemoveWinsSet);
    case ValueType::kGrowSet: {
      std::string text;
      for (const std::string& element : elements_of(works)) text += element + ' ';
      return text;
    }
    case ValueType::kMultiRegister:
      return told_multi(works);
    default:
      return "not by operations alone";
  }
}

std::optional<Reason> refusal(ValueType type, const Works& works, const Work& next) {
  Works after = works;
  after.push_back(next);
  switch (type) {
    case ValueType::kCounter:
      if (!within_64_bits(sum(after))) return Reason::kOverflow;
      return std::nullopt;
    case ValueType::kGrowCounter:
      if (sum(after) > std::numeric_limits<std::uint64_t>::max()) return Reason::kOverflow;
      return std::nullopt;
    case ValueType::kResettableCounter: {
      // Whatever is folded of it one day, oldest first, must be within the range too.
      Wide total = 0;
      for (const Work& one : counted(after))
        if (!within_64_bits(total += amount_of(one))) return Reason::kOverflow;
      return std::nullopt;
    }
    case ValueType::kBoundedCounter: {
      Accounts book = accounts(works);
      if (!book.enter(next)) return Reason::kNotEnough;
      Wide total = book.free;
      for (const auto& [agent, amount] : book.reserved) total += amount;
      if (total > Wide{limits::kNumberMax}) return Reason::kOverflow;
      return std::nullopt;
    }
    case ValueType::kMax:
    case ValueType::kMin:
      if (!works.empty() && std::get<RaiseOp>(*works.front().op).value.index() !=
                                std::get<RaiseOp>(*next.op).value.index())
        return Reason::kTypeMismatch;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// ---- of what was computed ----------------------------------------------------------------------

namespace {

struct Tell {
  std::string operator()(const Register& value) const { return told_of(value); }
  std::string operator()(const Counter& value) const { return told_number(value.total); }
  std::string operator()(const GrowCounter& value) const { return told_number(value.total); }
  std::string operator()(const ResettableCounter& value) const {
    return told_number(value.total());
  }
  std::string operator()(const BoundedCounter& value) const {
    std::map<std::string, Wide> reserved;
    for (const auto& [agent, amount] : value.reserved) reserved[agent.value()] = amount;
    return told_accounts(value.free, reserved);
  }
  std::string operator()(const MaxValue& value) const { return told_scalar(value.value); }
  std::string operator()(const MinValue& value) const { return told_scalar(value.value); }
  std::string operator()(const OnceFlag&) const { return "on"; }
  std::string operator()(const EnableFlag& value) const { return named(value.enabled); }
  std::string operator()(const DisableFlag& value) const { return named(value.disabled); }
  std::string operator()(const OrSet& value) const {
    std::string text;
    for (const auto& [element, dots] : value.elements) text += element + named(dots);
    return text;
  }
  std::string operator()(const RemoveWinsSet& value) const {
    std::string text;
    for (const auto& [element, dots] : value.elements)
      if (dots.present()) text += element + named(dots.adds);
    return text;
  }
  std::string operator()(const GrowSet& value) const {
    std::string text;
    for (const auto& [element, none] : value.elements) text += element + ' ';
    return text;
  }
  std::string operator()(const MultiRegister& value) const {
    std::string text;
    for (const Sibling& one : value.siblings) text += name_of(one.dot) + told_of(one.value);
    return text;
  }
  std::string operator()(const Map& value) const {
    std::vector<std::string> path;
    std::set<std::string> lines;
    tell_fields(value, path, lines);
    return joined(lines);
  }
  std::string operator()(const List&) const { return "has laws of its own"; }
  std::string operator()(const Text&) const { return "has laws of its own"; }
};

}  // namespace

std::string told(const Value& value) {
  return std::visit(Tell{}, value);
}

// ---- Oracle ------------------------------------------------------------------------------------

Verdict Oracle::expected(const Written& next) const {
  const auto* field = std::get_if<FieldOp>(&next.op);
  const Works* works = &works_;
  Work work{&next, &next.op};
  ValueType type = type_;
  const Works none;
  if (field != nullptr) {
    if (is_removal(*field)) return Verdict::nothing();
    work.op = &field->op->op;
    type = *type_needed(*work.op);
    const auto book = books_.find({field->path, type});
    works = book != books_.end() ? &book->second.effects : &none;
    // The later of two concurrent writes of a register stands.
    if (type == ValueType::kRegister && book != books_.end() &&
        std::ranges::any_of(book->second.updates,
                            [&](const Work& one) { return !next.knew(*one.by); }) &&
        std::ranges::any_of(*works, [&](const Work& one) { return one.by->hlc > next.hlc; }))
      return Verdict::conflicts(ConflictKind::kFieldConflict, "");
  }
  if (const auto reason = refusal(type, *works, work)) return Verdict::rejects(*reason, "");
  return Verdict::nothing();
}

bool Oracle::idle(const Written& next) const {
  const auto* field = std::get_if<FieldOp>(&next.op);
  if (field != nullptr && is_removal(*field)) {
    Oracle after = *this;
    after.remove(*field, next);
    return after.value() == value();
  }
  const Work work{&next, field != nullptr ? &field->op->op : &next.op};
  const ValueType type = *type_needed(*work.op);
  Works before = works_;
  if (field != nullptr) {
    const auto book = books_.find({field->path, type});
    before = book != books_.end() ? book->second.effects : Works{};
  }
  Works after = before;
  after.push_back(work);
  return told(type, before) == told(type, after);
}

void Oracle::commit(const Written& next) {
  const auto* field = std::get_if<FieldOp>(&next.op);
  if (field == nullptr) {
    works_.push_back({&next, &next.op});
  } else {
    if (is_removal(*field)) remove(*field, next);
    update(*field, next);
  }
}

void Oracle::remove(const FieldOp& op, const Written& by) {
  const auto known = [&](const Work& work) { return by.knew(*work.by); };
  for (auto it = books_.begin(); it != books_.end();) {
    const auto& [path, type] = it->first;
    const ValueType at_the_path = path.size() == op.path.size() ? type : ValueType::kMap;
    if (!begins_with(path, op.path) || (op.removed_type && *op.removed_type != at_the_path)) {
      ++it;
      continue;
    }
    std::erase_if(it->second.updates, known);
    if (it->second.updates.empty()) {
      it = books_.erase(it);
      continue;
    }
    if (!stays_whole(type)) std::erase_if(it->second.effects, known);
    ++it;
  }
}

void Oracle::update(const FieldOp& op, const Written& by) {
  const Work work{&by, &op.op->op};
  for (std::size_t names = 1; names < op.path.size(); ++names)
    books_[{{op.path.begin(), op.path.begin() + static_cast<std::ptrdiff_t>(names)},
            ValueType::kMap}]
        .updates.push_back(work);
  if (is_removal(op)) return;
  Book& book = books_[{op.path, *type_needed(*work.op)}];
  book.updates.push_back(work);
  book.effects.push_back(work);
}

std::string Oracle::value() const {
  if (type_ != ValueType::kMap) return told(type_, works_);
  std::set<std::string> lines;
  for (const auto& [place, book] : books_)
    lines.insert(line_of(
        place.first, place.second, named(living(book.updates, any, any)),
        place.second == ValueType::kMap ? std::string() : told(place.second, book.effects)));
  return joined(lines);
}

}  // namespace waggle::laws
