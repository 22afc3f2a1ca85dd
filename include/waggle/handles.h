#pragma once

// Handles: one key of an agent's state, or one field of a map, in the words of its type.
//
//   AgentCounter seen = agent->counter("seen");
//   seen.add(3);
//   agent->map("ada").set("mood", "happy");
//   agent->map("ada").counter("visits").add();
//
// A handle borrows its agent, which must outlive it, and holds nothing of the state: writes return
// at once and are on their way, reads come from the agent's copy with its own writes counted in, as
// SwarmAgent says. Where there is nothing yet, a read gives the empty value of the type.
//
// Failures of reads: kConflict when the key holds another type, or a number that the answer can't
// hold; the text says what is there. Failures of writes: kRejected for a number out of range. That
// the key holds another type is told by the outcome of the write: kRejected, "type_mismatch".
// What each type does with concurrent writes: docs/types.md. Thread-safe as the agent is.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <waggle/group.h>
#include <waggle/types.h>

namespace waggle {

class SwarmAgent;

// What all handles are made of.
class AgentHandle {
 public:
  // `field`: names from the outermost map on; none: the key itself.
  AgentHandle(SwarmAgent& agent, std::string key, std::vector<std::string> field = {})
      : agent_(agent), key_(std::move(key)), field_(std::move(field)) {}

 protected:
  // Of the group's last entry, which is for key(), it makes one for the field.
  Expected<WriteTicket> write(WriteGroup group) const;
  // Behind the end of what the view holds when it is written.
  Expected<WriteTicket> append(std::vector<std::string> inserted, ItemType type) const;
  // `content` empty: erase.
  Expected<WriteTicket> write_ephemeral(std::optional<ContentKind> content,
                                        std::string_view bytes) const;
  // Empty when there is none.
  [[nodiscard]] Expected<std::optional<StateItem>> find(ItemType type) const;
  [[nodiscard]] Expected<std::int64_t> number(ItemType type) const;
  [[nodiscard]] Expected<std::vector<std::string>> elements(ItemType type) const;
  [[nodiscard]] Failure too_large(std::string_view what) const;

  [[nodiscard]] SwarmAgent& agent() const { return agent_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] std::vector<std::string> inner(std::string name) const;

 private:
  [[nodiscard]] std::string name() const;

  SwarmAgent& agent_;
  std::string key_;
  std::vector<std::string> field_;
};

// ---- counters ----------------------------------------------------------------------------------

class AgentCounter : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> add(std::int64_t amount = 1);
  [[nodiscard]] Expected<std::int64_t> value() const;
};
// Only rises.
class AgentGrowCounter : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> add(std::uint64_t amount = 1);
  [[nodiscard]] Expected<std::uint64_t> value() const;  // kConflict at 2^63 - 1 and above
};
// A reset takes away what is in this agent's view; what others add meanwhile stays.
class AgentResettableCounter : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> add(std::int64_t amount = 1);
  Expected<WriteTicket> reset();
  [[nodiscard]] Expected<std::int64_t> value() const;
};
// Never below zero. What this agent reserved it can take although it is away from the others.
class AgentBoundedCounter : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> add(std::uint64_t amount = 1);
  // Of its own reserve first, then of what is free; the outcome is kRejected, "not_enough", where
  // both together are too little.
  Expected<WriteTicket> take(std::uint64_t amount = 1);
  Expected<WriteTicket> reserve(std::uint64_t amount);
  Expected<WriteTicket> release(std::uint64_t amount);
  Expected<WriteTicket> hand_over(std::uint64_t amount, std::string_view to_agent);
  [[nodiscard]] Expected<std::uint64_t> value() const;  // free and reserved together
  [[nodiscard]] Expected<std::uint64_t> free() const;
  [[nodiscard]] Expected<std::map<std::string, std::uint64_t>> reserved() const;  // by agent
};

// ---- sets --------------------------------------------------------------------------------------

// An add wins over a remove at the same time. Elements come sorted.
class AgentSet : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> add(std::string_view element);
  Expected<WriteTicket> remove(std::string_view element);
  [[nodiscard]] Expected<std::vector<std::string>> elements() const;
};
class AgentGrowSet : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> add(std::string_view element);
  [[nodiscard]] Expected<std::vector<std::string>> elements() const;
};
// A remove wins.
class AgentRemoveWinsSet : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> add(std::string_view element);
  Expected<WriteTicket> remove(std::string_view element);
  [[nodiscard]] Expected<std::vector<std::string>> elements() const;
};

// ---- flags, extremes, registers ----------------------------------------------------------------

// On wins over an off at the same time. Off where there is none.
class AgentFlag : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> on();
  Expected<WriteTicket> off();
  [[nodiscard]] Expected<bool> value() const;
};
// Off wins. On where there is none.
class AgentDisableFlag : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> on();
  Expected<WriteTicket> off();
  [[nodiscard]] Expected<bool> value() const;
};
// Raised once and for ever.
class AgentOnce : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> raise();
  [[nodiscard]] Expected<bool> raised() const;
};
// The greatest of all values that were written. All are of one alternative of Comparable, that of
// the first: raise(7) and raise(7.0) can't be compared.
class AgentMax : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> raise(const Comparable& value);
  [[nodiscard]] Expected<std::optional<Comparable>> value() const;
};
// The least.
class AgentMin : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> raise(const Comparable& value);
  [[nodiscard]] Expected<std::optional<Comparable>> value() const;
};
// Keeps every value that was written at the same time, until somebody who saw them writes.
class AgentMulti : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> put(std::string_view text);
  [[nodiscard]] Expected<std::vector<SiblingValue>> values() const;
};

// ---- ephemeral keys ----------------------------------------------------------------------------

// A value that is there as long as its writer: in the coordinator's memory only, gone when this
// agent leaves, dies, or has not written it for the rule's time to live. Of many writes in short
// order the newest travels; the last writer has the key. Reads are those of SwarmAgent; changes
// come by on_ephemeral. An agent that lost its coordinator states its own keys again when it is
// back, but those that another one wrote meanwhile. Failures: kRejected above 64 KiB, kOverloaded.
// The outcome of a write is kRejected, "wrong_class", where the key's rule says durable.
class AgentEphemeral : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> set(std::string_view text);
  Expected<WriteTicket> set_json(std::string_view json);
  Expected<WriteTicket> set_bytes(std::string_view bytes);
  Expected<WriteTicket> erase();
  // Empty when there is none.
  [[nodiscard]] Expected<std::optional<std::string>> value() const;
};

// ---- lists and texts ---------------------------------------------------------------------------

// Positions are those of this agent's view at the time of the call's writing, its own writes
// included, from 0. Changes of others may come between a read and a call that uses it: where that
// matters, compute positions in SwarmAgent::update(). An append is never between.
class AgentList : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> insert(std::uint64_t at, std::vector<std::string> elements);
  Expected<WriteTicket> erase(std::uint64_t at, std::uint64_t count = 1);
  Expected<WriteTicket> append(std::vector<std::string> elements);
  [[nodiscard]] Expected<std::vector<std::string>> elements() const;
};
// Positions and counts are of unicode scalar values. Text: UTF-8.
class AgentText : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> insert(std::uint64_t at, std::string_view text);
  Expected<WriteTicket> erase(std::uint64_t at, std::uint64_t count = 1);
  Expected<WriteTicket> append(std::string_view text);
  [[nodiscard]] Expected<std::string> text() const;
};

// ---- maps --------------------------------------------------------------------------------------

// A field is its name and its type. A handle of any type can be made for one:
// AgentMax(agent, "ada", {"best"}).
class AgentMap : public AgentHandle {
 public:
  using AgentHandle::AgentHandle;
  Expected<WriteTicket> set(std::string_view field, std::string_view text);
  Expected<WriteTicket> set_json(std::string_view field, std::string_view json);
  Expected<WriteTicket> set_bytes(std::string_view field, std::string_view bytes);
  // The register of that name; empty when there is none.
  [[nodiscard]] Expected<std::optional<StateItem>> get(std::string_view field) const;
  // The fields of every type that have the name.
  Expected<WriteTicket> erase(std::string_view field);
  // By name and type.
  [[nodiscard]] Expected<std::vector<StateItem>> fields() const;

  [[nodiscard]] AgentCounter counter(std::string field) const;
  [[nodiscard]] AgentSet set(std::string field) const;
  [[nodiscard]] AgentFlag flag(std::string field) const;
  [[nodiscard]] AgentList list(std::string field) const;
  [[nodiscard]] AgentText text(std::string field) const;
  [[nodiscard]] AgentMap map(std::string field) const;
};

}  // namespace waggle
