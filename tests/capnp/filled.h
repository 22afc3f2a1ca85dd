#pragma once

// Messages with every field set to something else than its default, and their comparison, field by
// field. A struct is taken apart by the number of its fields: one that is added to base/ doesn't
// compile until it is counted here, and then one that the codec forgets fails the round trip.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/message.h"
#include "base/row.h"

namespace waggle::testing {

template <typename T>
inline constexpr int kFields = 0;  // 0: not taken apart
template <>
inline constexpr int kFields<Hello> = 8;
template <>
inline constexpr int kFields<Welcome> = 13;
template <>
inline constexpr int kFields<Refused> = 3;
template <>
inline constexpr int kFields<Attached> = 4;
template <>
inline constexpr int kFields<NoSession> = 1;
template <>
inline constexpr int kFields<Fenced> = 2;
template <>
inline constexpr int kFields<Bye> = 1;
template <>
inline constexpr int kFields<AgentHeartbeat> = 6;
template <>
inline constexpr int kFields<HeartbeatAck> = 4;
template <>
inline constexpr int kFields<Heartbeat> = 7;
template <>
inline constexpr int kFields<Submit> = 4;
template <>
inline constexpr int kFields<MutationResult> = 3;
template <>
inline constexpr int kFields<SubmitResult> = 3;
template <>
inline constexpr int kFields<Applied> = 3;
template <>
inline constexpr int kFields<StateUpdate> = 11;
template <>
inline constexpr int kFields<DeltaRequest> = 7;
template <>
inline constexpr int kFields<DeltaChunk> = 12;
template <>
inline constexpr int kFields<AskedKey> = 3;
template <>
inline constexpr int kFields<StateRequest> = 10;
template <>
inline constexpr int kFields<Offer> = 3;
template <>
inline constexpr int kFields<Answer> = 3;
template <>
inline constexpr int kFields<StateResponse> = 4;
template <>
inline constexpr int kFields<OfferOutcome> = 4;
template <>
inline constexpr int kFields<OfferResult> = 3;
template <>
inline constexpr int kFields<SyncRequest> = 7;
template <>
inline constexpr int kFields<KeyReport> = 10;
template <>
inline constexpr int kFields<SyncReport> = 13;
template <>
inline constexpr int kFields<GetQuery> = 2;
template <>
inline constexpr int kFields<ListQuery> = 4;
template <>
inline constexpr int kFields<Query> = 3;
template <>
inline constexpr int kFields<AgentInfo> = 8;
template <>
inline constexpr int kFields<SwarmInfo> = 10;
template <>
inline constexpr int kFields<NamedCount> = 2;
template <>
inline constexpr int kFields<QueryResult> = 16;
template <>
inline constexpr int kFields<CompactRequest> = 3;
template <>
inline constexpr int kFields<CompactResult> = 6;
template <>
inline constexpr int kFields<ErrorReply> = 5;
template <>
inline constexpr int kFields<EphemeralEntry> = 4;
template <>
inline constexpr int kFields<EphemeralWrite> = 3;
template <>
inline constexpr int kFields<EphemeralRefusal> = 4;
template <>
inline constexpr int kFields<EphemeralResult> = 4;
template <>
inline constexpr int kFields<EphemeralUpdate> = 6;
template <>
inline constexpr int kFields<EphemeralRequest> = 2;
template <>
inline constexpr int kFields<EphemeralState> = 6;
template <>
inline constexpr int kFields<ClaimRequest> = 11;
template <>
inline constexpr int kFields<ClaimResult> = 12;
template <>
inline constexpr int kFields<EpochEnd> = 2;
template <>
inline constexpr int kFields<Cursor> = 2;
template <>
inline constexpr int kFields<Hash128> = 2;
template <>
inline constexpr int kFields<Hlc> = 1;
template <>
inline constexpr int kFields<Register> = 2;
template <>
inline constexpr int kFields<Counter> = 1;
template <>
inline constexpr int kFields<Writer> = 3;
template <>
inline constexpr int kFields<Dot> = 3;
template <>
inline constexpr int kFields<Record> = 12;
template <>
inline constexpr int kFields<Change> = 0;
template <>
inline constexpr int kFields<PutOp> = 3;
template <>
inline constexpr int kFields<IncrOp> = 2;
template <>
inline constexpr int kFields<SetAddOp> = 2;
template <>
inline constexpr int kFields<SetRemoveOp> = 2;
template <>
inline constexpr int kFields<ExpectVersion> = 1;
template <>
inline constexpr int kFields<ExpectMine> = 1;
template <>
inline constexpr int kFields<Entry> = 5;
template <>
inline constexpr int kFields<OwnThrough> = 2;
template <>
inline constexpr int kFields<Context> = 3;
template <>
inline constexpr int kFields<Mutation> = 6;
template <>
inline constexpr int kFields<Outcome> = 13;
template <>
inline constexpr int kFields<StoreRow> = 2;
template <>
inline constexpr int kFields<SwarmRow> = 10;
template <>
inline constexpr int kFields<WriterRow> = 7;
template <>
inline constexpr int kFields<ReceiptInput> = 8;
template <>
inline constexpr int kFields<Receipt> = 9;
template <>
inline constexpr int kFields<ConflictsQuery> = 3;
template <>
inline constexpr int kFields<ReceiptsQuery> = 3;
template <>
inline constexpr int kFields<ReceiptPlace> = 3;
template <>
inline constexpr int kFields<ParkedConflict> = 7;
template <>
inline constexpr int kFields<ConflictSide> = 5;
template <>
inline constexpr int kFields<IdentityRow> = 3;
template <>
inline constexpr int kFields<HeldState> = 2;

template <typename T>
auto fields_of(T& value) {
  constexpr int kCount = kFields<std::remove_const_t<T>>;
  if constexpr (kCount == 1) {
    auto& [a] = value;
    return std::tie(a);
  } else if constexpr (kCount == 2) {
    auto& [a, b] = value;
    return std::tie(a, b);
  } else if constexpr (kCount == 3) {
    auto& [a, b, c] = value;
    return std::tie(a, b, c);
  } else if constexpr (kCount == 4) {
    auto& [a, b, c, d] = value;
    return std::tie(a, b, c, d);
  } else if constexpr (kCount == 5) {
    auto& [a, b, c, d, e] = value;
    return std::tie(a, b, c, d, e);
  } else if constexpr (kCount == 6) {
    auto& [a, b, c, d, e, f] = value;
    return std::tie(a, b, c, d, e, f);
  } else if constexpr (kCount == 7) {
    auto& [a, b, c, d, e, f, g] = value;
    return std::tie(a, b, c, d, e, f, g);
  } else if constexpr (kCount == 8) {
    auto& [a, b, c, d, e, f, g, h] = value;
    return std::tie(a, b, c, d, e, f, g, h);
  } else if constexpr (kCount == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = value;
    return std::tie(a, b, c, d, e, f, g, h, i);
  } else if constexpr (kCount == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = value;
    return std::tie(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (kCount == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = value;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (kCount == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = value;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
  } else if constexpr (kCount == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = value;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else {
    static_assert(kCount == 16, "name the type in kFields");
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  }
}

template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsVariant = false;
template <typename... Ts>
inline constexpr bool kIsVariant<std::variant<Ts...>> = true;

// Field by field, through pointers.
template <typename T>
[[nodiscard]] bool same(const T& a, const T& b) {
  if constexpr (kFields<T> > 0) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      const auto fields_a = fields_of(a);
      const auto fields_b = fields_of(b);
      return (same(std::get<I>(fields_a), std::get<I>(fields_b)) && ...);
    }(std::make_index_sequence<kFields<T>>());
  } else if constexpr (kIsVector<T>) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!same(a[i], b[i])) return false;
    }
    return true;
  } else if constexpr (kIsVariant<T>) {
    return a.index() == b.index() && std::visit(
                                         [&](const auto& held) {
                                           using Held = std::remove_cvref_t<decltype(held)>;
                                           return same(held, std::get<Held>(b));
                                         },
                                         a);
  } else if constexpr (std::is_same_v<T, ReceiptRow>) {
    return a.at == b.at && a.index == b.index && a.receipt == b.receipt;
  } else if constexpr (std::is_same_v<T, RecordPtr>) {
    return (a == nullptr) == (b == nullptr) && (a == nullptr || same(*a, *b));
  } else if constexpr (std::is_same_v<T, std::shared_ptr<const Choice>> ||
                       std::is_same_v<T, std::shared_ptr<const Signature>>) {
    return (a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b);
  } else if constexpr (std::is_empty_v<T>) {
    return true;
  } else {
    return a == b;
  }
}

// Gives values that are all different. `turn` chooses among the alternatives of unions, so that the
// turns 0..5 reach all of them.
class Filler {
 public:
  explicit Filler(std::uint64_t turn) : turn_(turn), next_(100 + 1000 * turn) {}

  template <typename T>
  [[nodiscard]] T make() {
    T value{};
    fill(value);
    return value;
  }

  template <typename T>
  void fill(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = !value;
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(next_++);
    } else if constexpr (std::is_enum_v<T>) {
      fill_enum(value);
    } else if constexpr (kIsVector<T>) {
      value.resize(3);
      for (auto& element : value) fill(element);
    } else {
      static_assert(kFields<T> > 0, "name the type in kFields or give it a fill()");
      std::apply([this](auto&... fields) { (fill(fields), ...); }, fields_of(value));
      repair(value);
    }
  }

 private:
  template <typename Tag>
  void fill(StrongInt<Tag>& value) {
    value = StrongInt<Tag>(next_++);
  }
  template <typename Tag>
  void fill(StrongText<Tag>& value) {
    value = StrongText<Tag>("näme-" + std::to_string(next_++));
  }
  void fill(std::string& value) { value = "text \xe2\x82\xac " + std::to_string(next_++); }
  template <std::size_t Size>
  void fill(std::array<std::uint8_t, Size>& value) {
    for (std::uint8_t& byte : value) byte = static_cast<std::uint8_t>(next_++ | 1);
  }
  void fill(Metadata& value) {
    for (int i = 0; i < 2; ++i) {
      std::string name;
      std::string text;
      fill(name);
      fill(text);
      value.emplace(name, text);
    }
    value.emplace("with an empty text", "");
  }
  void fill(OrSet& value) {
    for (int i = 0; i < 3; ++i) {
      std::string element;
      fill(element);
      value.elements.set(element + '\xff', make<std::vector<Dot>>());
    }
  }
  void fill(Value& value) {
    switch (turn_++ % 3) {
      case 0:
        value = make<Register>();
        break;
      case 1:
        value = make<Counter>();
        break;
      default:
        fill(value.emplace<OrSet>());
        break;
    }
  }
  void fill(std::optional<Value>& value) { fill(value.emplace()); }
  void fill(std::optional<ReceiptPlace>& value) { fill(value.emplace()); }
  void fill(std::optional<Register>& value) { fill(value.emplace()); }
  void fill(std::optional<Hash128>& value) { fill(value.emplace()); }
  void fill(std::optional<Signature>& value) { fill(value.emplace()); }
  void fill(Op& value) {
    switch (turn_++ % 5) {
      case 0:
        value = make<PutOp>();
        break;
      case 1:
        value = DeleteOp{};
        break;
      case 2:
        value = IncrOp{-static_cast<std::int64_t>(next_++)};
        break;
      case 3:
        value = make<SetAddOp>();
        break;
      default:
        value = make<SetRemoveOp>();
        break;
    }
  }
  void fill(Expect& value) {
    switch (turn_++ % 4) {
      case 2:
        value = ExpectUnchanged{};
        break;
      case 0:
        value = make<ExpectVersion>();
        break;
      case 1:
        value = make<ExpectMine>();
        break;
      default:
        value = std::monostate{};
        break;
    }
  }
  void fill(Change& value) {
    fill(value.key);
    fill(value.record);
  }
  // Its swarm is the session's, and not in the message.
  void fill(ReceiptRow& value) {
    fill(value.at);
    fill(value.index);
    fill(value.receipt);
  }
  void fill(std::shared_ptr<const Choice>& value) {
    value =
        std::make_shared<const Choice>(Choice{make<std::string>(), Revision(1), make<Writer>()});
  }
  void fill(std::shared_ptr<const Signature>& value) {
    Signature signature{};
    fill(signature);
    value = std::make_shared<const Signature>(signature);
  }
  void fill(RecordPtr& value) { value = std::make_shared<const Record>(make<Record>()); }
  void fill(Ask& value) {
    switch (turn_ % 6) {
      case 0:
        value = make<GetQuery>();
        break;
      case 1:
        value = make<ListQuery>();
        break;
      case 2:
        value = StatusQuery{};
        break;
      case 3:
        value = make<ConflictsQuery>();
        break;
      case 4:
        value = make<ReceiptsQuery>();
        break;
      default:
        value = AgentsQuery{};
        break;
    }
  }

  template <typename Enum>
  static void choose(Enum& value, Enum one, Enum other) {
    value = value == one ? other : one;
  }
  static void fill_enum(Code& v) { choose(v, Code::kInternal, Code::kConflict); }
  static void fill_enum(ClaimVerb& v) { choose(v, ClaimVerb::kHandover, ClaimVerb::kRelease); }
  static void fill_enum(Level& v) { v = Level::kDurable; }
  static void fill_enum(Reason& v) { v = Reason::kBaseLost; }
  static void fill_enum(ConflictKind& v) { v = ConflictKind::kDataInconsistency; }
  static void fill_enum(ContentType& v) { choose(v, ContentType::kBytes, ContentType::kJson); }
  static void fill_enum(ValueType&) {}  // the type that has a member of its own in the schema
  static void fill_enum(Role& v) { v = Role::kClient; }
  static void fill_enum(Priority& v) { v = Priority::kCritical; }
  static void fill_enum(Health& v) { v = Health::kFailed; }
  static void fill_enum(AnswerKind& v) { v = AnswerKind::kOffer; }
  static void fill_enum(RoundOutcome& v) { v = RoundOutcome::kPartial; }

  // What must hold between fields.
  template <typename T>
  static void repair(T&) {}
  static void repair(Submit& submit) {
    for (Mutation& mutation : submit.mutations) mutation.incarnation = Incarnation(77);
  }
  static void repair(StateRequest& request) { request.all = false; }
  static void repair(SyncRequest& request) { request.all = false; }
  static void repair(WriterRow& row) { row.gone = false; }
  static void repair(Record& record) { record.ephemeral = false; }
  void repair(EphemeralUpdate& update) { make_ephemeral(update.changes); }
  void repair(EphemeralState& state) { make_ephemeral(state.changes); }
  void make_ephemeral(std::vector<Change>& changes) {
    for (Change& change : changes) {
      auto record = std::make_shared<Record>(*change.record);
      record->value = make<Register>();
      record->ephemeral = true;
      change.record = std::move(record);
    }
  }

  std::uint64_t turn_;
  std::uint64_t next_;
};

// One message of each type, in the order of Message.
[[nodiscard]] inline std::vector<Message> filled_messages(std::uint64_t turn) {
  std::vector<Message> messages;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (messages.push_back(Filler(turn).make<std::variant_alternative_t<I, Message>>()), ...);
  }(std::make_index_sequence<std::variant_size_v<Message>>());
  return messages;
}

// The same with nothing but the names that a message can't be without.
[[nodiscard]] inline std::vector<Message> bare_messages() {
  std::vector<Message> messages;
  const auto bare = []<typename T>(T message) {
    if constexpr (requires { message.swarm = SwarmId("s"); }) message.swarm = SwarmId("s");
    if constexpr (requires { message.agent = AgentId("a"); }) message.agent = AgentId("a");
    return message;
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (messages.emplace_back(bare(std::variant_alternative_t<I, Message>{})), ...);
  }(std::make_index_sequence<std::variant_size_v<Message>>());
  return messages;
}

}  // namespace waggle::testing
