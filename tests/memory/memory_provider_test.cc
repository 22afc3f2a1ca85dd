#include "memory/memory_provider.h"

#include <memory>
#include <string>
#include <vector>

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include "base/glob.h"
#include "base/limits.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

using Names = std::vector<std::string>;

MemoryProvider::SynchronizedState window() {
  return {[](const std::string& key) -> std::optional<std::string> {
            if (key == "nectar") return "shared";
            return std::nullopt;
          },
          [](const std::string& glob) {
            return glob_match(glob, "nectar") ? Names{"nectar"} : Names{};
          }};
}

struct InMemory {
  MemoryProvider provider{window()};
};
struct OnDisk {
  OnDisk() : provider(window(), open()) {}
  std::unique_ptr<KeyValues> open() const {
    auto opened = open_rocksdb_key_values(scratch.store());
    BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().text);
    return std::move(*opened);
  }
  Scratch scratch;
  MemoryProvider provider;
};
using Providers = boost::mpl::list<InMemory, OnDisk>;

void fill(MemoryProvider& provider) {
  for (const char* key : {"a/1", "a/2", "b/1", "a"})
    BOOST_REQUIRE(provider.store("cache", key, std::string("value of ") + key).has_value());
  BOOST_REQUIRE(provider.store("cached", "a/1", "another").has_value());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory_provider)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_stored_is_retrieved_until_it_is_removed, Owner, Providers) {
  Owner owner;
  MemoryProvider& provider = owner.provider;
  const std::string any("\0\xff", 2);
  BOOST_TEST(!provider.retrieve("cache", "a")->has_value());
  BOOST_REQUIRE(provider.store("cache", "a", "first").has_value());
  BOOST_REQUIRE(provider.store("cache", "a", any).has_value());
  BOOST_TEST((**provider.retrieve("cache", "a") == any));
  BOOST_TEST(!provider.retrieve("cached", "a")->has_value());
  BOOST_TEST(*provider.remove("cache", "a"));
  BOOST_TEST(!*provider.remove("cache", "a"));
  BOOST_TEST(!provider.retrieve("cache", "a")->has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_are_listed_by_glob_and_rising, Owner, Providers) {
  Owner owner;
  fill(owner.provider);
  BOOST_TEST((*owner.provider.list_keys("cache") == Names{"a", "a/1", "a/2", "b/1"}));
  BOOST_TEST((*owner.provider.list_keys("cache", "a/*") == Names{"a/1", "a/2"}));
  BOOST_TEST((*owner.provider.list_keys("cache", "?/1") == Names{"a/1", "b/1"}));
  BOOST_TEST((*owner.provider.list_keys("cache", "c*") == Names{}));
  BOOST_TEST((*owner.provider.list_keys("empty") == Names{}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_namespace_is_cleared_without_its_neighbours, Owner, Providers) {
  Owner owner;
  fill(owner.provider);
  using Usage = MemoryProvider::Usage;
  const auto before = owner.provider.stats();
  BOOST_REQUIRE(before.has_value());
  BOOST_TEST(before->size() == 2U);
  BOOST_TEST((before->at("cached") == Usage{1, 10}));
  BOOST_TEST(*owner.provider.clear_namespace("cache") == 4U);
  BOOST_TEST(*owner.provider.clear_namespace("cache") == 0U);
  BOOST_TEST((*owner.provider.list_keys("cache") == Names{}));
  BOOST_TEST((*owner.provider.list_keys("cached") == Names{"a/1"}));
  BOOST_TEST(owner.provider.stats()->size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_shared_state_can_be_read_and_not_changed, Owner, Providers) {
  Owner owner;
  MemoryProvider& provider = owner.provider;
  const std::string state(MemoryProvider::kSynchronizedState);
  BOOST_TEST(**provider.retrieve(state, "nectar") == "shared");
  BOOST_TEST(!provider.retrieve(state, "absent")->has_value());
  BOOST_TEST((*provider.list_keys(state, "n*") == Names{"nectar"}));
  BOOST_TEST(provider.store(state, "nectar", "mine").error().code == Code::kDenied);
  BOOST_TEST(provider.remove(state, "nectar").error().code == Code::kDenied);
  BOOST_TEST(provider.clear_namespace(state).error().code == Code::kDenied);
  BOOST_TEST(provider.stats()->empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(names_and_sizes_beyond_the_limits_are_rejected, Owner, Providers) {
  Owner owner;
  MemoryProvider& provider = owner.provider;
  for (const std::string& space :
       {std::string(), std::string("a b"), std::string(65, 'x'), std::string("a/b")})
    BOOST_TEST(provider.store(space, "a", "v").error().code == Code::kRejected);
  BOOST_TEST(provider.store("cache", "", "v").error().code == Code::kRejected);
  BOOST_TEST(provider.store("cache", std::string(1025, 'k'), "v").error().code == Code::kRejected);
  BOOST_TEST(provider.store("cache", "a", std::string(limits::kValueBytes + 1, 'v')).error().code ==
             Code::kRejected);
  BOOST_TEST(provider.stats()->empty());
}

BOOST_AUTO_TEST_CASE(a_state_that_nobody_offers_is_empty) {
  MemoryProvider provider;
  const std::string state(MemoryProvider::kSynchronizedState);
  BOOST_TEST(!provider.retrieve(state, "nectar")->has_value());
  BOOST_TEST(provider.list_keys(state)->empty());
}

BOOST_AUTO_TEST_CASE(what_is_on_disk_outlives_the_provider) {
  const Scratch scratch;
  {
    MemoryProvider provider({}, std::move(*open_rocksdb_key_values(scratch.store())));
    fill(provider);
    BOOST_TEST(open_rocksdb_key_values(scratch.store()).error().code == Code::kUnavailable);
  }
  MemoryProvider provider({}, std::move(*open_rocksdb_key_values(scratch.store())));
  BOOST_TEST(provider.list_keys("cache")->size() == 4U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
