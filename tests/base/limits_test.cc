#include "base/limits.h"

#include <cstdint>
#include <string>

#include <boost/test/unit_test.hpp>

#include "base/mutation.h"
#include "base/record.h"

namespace waggle {
namespace {

BOOST_AUTO_TEST_SUITE(limits_test)

BOOST_AUTO_TEST_CASE(the_bounds_that_the_design_names_have_its_values) {
  BOOST_TEST(limits::kKeyBytes == 1024U);
  BOOST_TEST(limits::kGroupEntries == 256U);
  BOOST_TEST(limits::kGroupBytes == 512U * 1024U);
  BOOST_TEST(limits::kCommitBytes == 2U * 1024U * 1024U);
}

BOOST_AUTO_TEST_CASE(the_greatest_single_put_fits_a_submit_frame) {
  Mutation mutation;
  Entry entry;
  entry.key = Key(std::string(limits::kKeyBytes, 'k'));
  entry.op = PutOp{ContentType::kBytes, std::string(limits::kValueBytes, 'x')};
  entry.metadata["n"] = std::string(limits::kMetadataBytes - 1, 'm');
  mutation.context.own_through.resize(limits::kOwnThrough);
  mutation.entries.push_back(entry);
  // It may join a submit that is just below its soft bound.
  BOOST_TEST(limits::kSubmitBytes + wire_size(mutation) < limits::kFrameBytes);
}

BOOST_AUTO_TEST_CASE(a_commit_and_a_chunk_fit_a_frame_with_what_each_record_adds) {
  // 256 keys of the greatest length, each with full metadata, beside the greatest commit.
  Record record;
  record.writer.agent = AgentId(std::string(limits::kIdBytes, 'a'));
  const std::size_t fixed = wire_size(Key(std::string(limits::kKeyBytes, 'k')), record);
  BOOST_TEST(limits::kCommitBytes + limits::kChunkBytes + limits::kGroupEntries * fixed <
             limits::kFrameBytes);
}

BOOST_AUTO_TEST_CASE(queues_hold_at_least_the_greatest_thing_that_goes_into_them) {
  BOOST_TEST(limits::kPeerQueueBytes > limits::kFrameBytes);
  BOOST_TEST(limits::kHeldUpdateBytes > limits::kCommitBytes + limits::kUpdateBytes);
  BOOST_TEST(limits::kOutboxBytes > limits::kWindow * sizeof(Mutation));
  BOOST_TEST(limits::kOutboxEntries > limits::kWindow);
}

BOOST_AUTO_TEST_CASE(numbers_stay_far_from_wrapping) {
  static_assert(limits::kNumberMax < UINT64_MAX / 2);
  static_assert(limits::kNumberMax <= static_cast<std::uint64_t>(INT64_MAX));
  BOOST_TEST(limits::kElementBytes <= limits::kValueBytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
