// Deltas between any versions of a value, applied to any versions. The first byte names the type;
// the others are what three authors with stale contexts write, and which deltas travel where, whole
// or damaged.
//
// To the version that it is against, a delta gives exactly the later one, also where the reader's
// copy shares nothing with the writer's. To every other one it is refused, or gives some value that
// keeps invariants and limits: who applies it compares the content hash (base/record.h). A list and
// a text tell by themselves.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "base/shape.h"
#include "base/value_bytes.h"
#include "base/value_delta.h"
#include "resolver/merge_type.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/sound_value.h"
#include "tests/fuzz/value_writes.h"

namespace waggle {
namespace {

using testing::check_refused;
using testing::check_sound;
using testing::Input;

class World {
 public:
  World(ValueType type, Input& input) : type_(type), input_(input) {}

  void play() {
    for (int steps = 0; steps < 64 && !input_.at_end(); ++steps) {
      const std::size_t who = input_.below(kAuthors);
      switch (input_.below(8)) {
        case 0:
          authors_[who].seen = head_;
          break;
        case 1:
          raise_floor();
          break;
        case 2:
        case 3:
          if (!versions_.empty()) send();
          break;
        default:
          write(who);
          break;
      }
    }
    // A reader that holds the first version gets each following one by a delta.
    for (std::size_t i = 1; i < versions_.size(); ++i) follow(versions_[i - 1], versions_[i]);
  }

 private:
  static constexpr std::size_t kAuthors = 3;
  static constexpr std::size_t kVersions = 24;
  struct Known {
    Revision seen;
    Seq seq;
  };

  void write(std::size_t who) {
    if (versions_.size() >= kVersions) return;
    Known& known = authors_[who];
    Op op = testing::some_op(type_, input_);
    if (!check_entry({Key("k"), {}, op, {}})) return;
    Author author{AgentId(std::string(1, static_cast<char>('a' + who))),
                  Incarnation(7),
                  known.seq.next(),
                  Hlc::of(input_.below(8), who),
                  known.seen,
                  {}};
    // All that it wrote itself is in its view.
    if (known.seq) author.own_through = {{Incarnation(7), known.seq}};
    known.seq = known.seq.next();
    const Value* const current = versions_.empty() ? nullptr : &versions_.back();
    Verdict verdict =
        merge_op(op, current, {author, Dot{head_.next(), 0, author.writer()}, floor_});
    if (verdict.kind != Verdict::Kind::kApply || !verdict.value) return;
    WAGGLE_CHECK(type_of(*verdict.value) == type_);
    head_ = head_.next();
    versions_.push_back(*std::move(verdict.value));
    check_sound(versions_.back());
  }

  void raise_floor() {
    Revision floor = head_;
    for (const Known& author : authors_) floor = std::min(floor, author.seen);
    floor_ = std::max(floor_, floor);
    fold();
  }

  // As the coordinator folds a long history, which a small input can't write.
  void fold() {
    if (versions_.empty() || versions_.size() >= kVersions) return;
    Value folded = versions_.back();
    if (auto* list = std::get_if<List>(&folded)) list->sequence.fold(floor_);
    if (auto* text = std::get_if<Text>(&folded)) text->sequence.fold(floor_);
    if (folded == versions_.back()) return;
    versions_.push_back(std::move(folded));
    check_sound(versions_.back());
  }

  void send() {
    const Value& from = some_version();
    const Value& to = some_version();
    const Value& held = some_version();
    const std::optional<std::string> delta = follow(from, to);
    if (!delta) return;
    const bool whole = !input_.flag();
    const std::string came = whole ? *delta : testing::damaged(*delta, input_);
    const Result<Value> made = apply_delta(held, came);
    if (!made) return check_refused(made.error());
    WAGGLE_CHECK(type_of(*made) == type_);
    check_sound(*made);
    const bool tells = type_ == ValueType::kList || type_ == ValueType::kText;
    if (tells && whole) WAGGLE_CHECK(*made == to, "a delta was taken by a version it is not for");
  }

  std::optional<std::string> follow(const Value& from, const Value& to) {
    const std::optional<std::string> delta = encode_delta(from, to);
    if (!delta) return delta;
    const Value apart = *decode_value(type_, encode_value(from));
    if (type_ != ValueType::kRegister)
      WAGGLE_CHECK(delta->size() < size_of(to) && encode_delta(apart, to) == delta,
                   "a delta that depends on what is shared");
    for (const Value* held : {&from, &apart}) {
      const Result<Value> made = apply_delta(*held, *delta);
      WAGGLE_CHECK(made.has_value(), made.error().text);
      WAGGLE_CHECK(*made == to && encode_value(*made) == encode_value(to));
      WAGGLE_CHECK(content_hash(*made) == content_hash(to) && size_of(*made) == size_of(to));
      check_invariants(*made);
    }
    return delta;
  }

  const Value& some_version() { return versions_[input_.below(versions_.size())]; }

  ValueType type_;
  Input& input_;
  std::array<Known, kAuthors> authors_;
  Revision head_;
  Revision floor_;
  std::vector<Value> versions_;
};

}  // namespace

testing::Seeds testing::seeds() {
  Seeds seeds;
  for (std::size_t type = 0; type < kValueTypes.size(); ++type) {
    std::string played(1, static_cast<char>(type));
    for (unsigned i = 0; i < 120; ++i) played += static_cast<char>(i * i * 5 + 11 * i + type);
    seeds[std::string(to_text(kValueTypes[type]))] = played;
  }
  return seeds;
}

}  // namespace waggle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  waggle::testing::Input input(data, size);
  const std::size_t type = input.below(waggle::kValueTypes.size());
  waggle::World(waggle::kValueTypes[type], input).play();
  return 0;
}
