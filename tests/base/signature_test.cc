#include "base/signature.h"

#include <boost/test/unit_test.hpp>
#include <sodium.h>

namespace waggle {
namespace {

struct Pair {
  SigningKey key{};
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
  explicit Pair(std::uint8_t number) {
    std::array<std::uint8_t, crypto_sign_SEEDBYTES> seed{};
    seed.fill(number);
    crypto_sign_seed_keypair(key.data(), secret.data(), seed.data());
  }
  [[nodiscard]] Signature sign(std::string_view bytes) const {
    Signature signature{};
    crypto_sign_detached(signature.data(), nullptr,
                         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                         secret.data());
    return signature;
  }
};

Record record_of(const Pair& pair) {
  Record record;
  record.value = Register{ContentType::kText, "north"};
  record.version = Revision(3);
  record.writer = {AgentId("a"), Incarnation(7), Seq(9)};
  record.metadata = {{"why", "it is warm"}};
  record.signature = std::make_shared<const Signature>(pair.sign(bytes_to_sign(
      SwarmId("s"), Key("k"), record.writer, std::get<Register>(*record.value), record.metadata)));
  return record;
}
bool fine(const Record& record, const Pair& pair, const char* swarm = "s", const char* key = "k") {
  return verifies(pair.key, SwarmId(swarm), Key(key), record);
}

BOOST_AUTO_TEST_CASE(a_signature_fits_one_write_and_no_other) {
  const Pair pair(1);
  const Record good = record_of(pair);
  BOOST_TEST(fine(good, pair));
  BOOST_TEST(!fine(good, Pair(2)));
  BOOST_TEST(!fine(good, pair, "other"));
  BOOST_TEST(!fine(good, pair, "s", "other"));
  const auto changed = [&](const auto& change) {
    Record record = good;
    change(record);
    return fine(record, pair);
  };
  BOOST_TEST(!changed([](Record& r) { std::get<Register>(*r.value).bytes = "south"; }));
  BOOST_TEST(
      !changed([](Record& r) { std::get<Register>(*r.value).content = ContentType::kJson; }));
  BOOST_TEST(!changed([](Record& r) { r.writer.agent = AgentId("b"); }));
  BOOST_TEST(!changed([](Record& r) { r.writer.incarnation = Incarnation(8); }));
  BOOST_TEST(!changed([](Record& r) { r.writer.seq = Seq(10); }));
  BOOST_TEST(!changed([](Record& r) { r.metadata["why"] = "it is cold"; }));
  BOOST_TEST(!changed([](Record& r) { r.metadata.clear(); }));
  BOOST_TEST(!changed([](Record& r) { r.signature = nullptr; }));
  BOOST_TEST(!changed([](Record& r) { r.value = Counter{}; }));
  BOOST_TEST(!changed([](Record& r) { r.value.reset(); }));
  // What the coordinator gives is not the writer's to sign.
  BOOST_TEST(changed([](Record& r) { r.version = Revision(4); }));
  for (std::size_t bit = 0; bit < 512; ++bit)
    BOOST_TEST(!changed([&](Record& r) {
      Signature flipped = *r.signature;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
      r.signature = std::make_shared<const Signature>(flipped);
    }));
}

// Lengths are signed too: what ends here can't begin there.
BOOST_AUTO_TEST_CASE(parts_do_not_run_into_each_other) {
  const Writer writer{AgentId("a"), Incarnation(1), Seq(1)};
  const Register value{ContentType::kText, "v"};
  const std::string one = bytes_to_sign(SwarmId("s"), Key("kx"), writer, value, {});
  BOOST_TEST(one != bytes_to_sign(SwarmId("sk"), Key("x"), writer, value, {}));
  BOOST_TEST(one != bytes_to_sign(SwarmId("s"), Key("k"), {AgentId("xa"), {}, {}}, value, {}));
  BOOST_TEST(bytes_to_sign(SwarmId("s"), Key("k"), writer, value, {{"a", "b"}}) !=
             bytes_to_sign(SwarmId("s"), Key("k"), writer, value, {{"ab", ""}}));
}

}  // namespace
}  // namespace waggle
