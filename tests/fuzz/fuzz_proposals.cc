// The document of a proposal, as a writer gives it and as it stands: what is taken reads back as it
// was, open and closed, and its rule can be decided by.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "coordinator/proposal.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/seeds.h"

namespace waggle {
namespace {

using testing::Input;

// What is written of it, read and written again, is the same.
void try_again(const Proposal& proposal) {
  const std::string once = to_json(proposal);
  const Result<Proposal> back = recover_proposal(proposal.id, once);
  WAGGLE_CHECK(back.has_value(), back ? "" : back.error().text);
  WAGGLE_CHECK(back->title == proposal.title && back->rule == proposal.rule &&
               back->electorate == proposal.electorate && back->writes == proposal.writes &&
               back->timeout_millis == proposal.timeout_millis && back->by == proposal.by &&
               back->state == proposal.state && back->supersedes == proposal.supersedes &&
               back->opened_wall_millis == proposal.opened_wall_millis);
  if (proposal.state != BallotState::kOpen) return;  // the votes of a closed one are only told
  WAGGLE_CHECK(to_json(*back) == once);
}

void try_given(Input& input) {
  const std::size_t votes = input.below(8);
  const bool closes = input.flag();
  const std::size_t first = input.below(3);
  Result<Proposal> proposal = read_proposal("p", input.rest());
  if (!proposal) {
    WAGGLE_CHECK(proposal.error().code == Code::kRejected && !proposal.error().text.empty());
    return;
  }
  WAGGLE_CHECK(check_rule(proposal->rule).has_value());
  proposal->by = AgentId("a");
  proposal->opened_wall_millis = 1'000;
  try_again(*proposal);
  for (const auto& [agent, voter] : proposal->electorate)
    if (proposal->votes.size() < votes)
      proposal->votes[agent] = static_cast<Stance>((first + proposal->votes.size()) % 3);
  const BallotSums sums(proposal->electorate, proposal->votes);
  const BallotState state =
      decide(proposal->rule, proposal->electorate, proposal->votes, closes, sums);
  WAGGLE_CHECK(state == decide(proposal->rule, proposal->electorate, proposal->votes, closes));
  WAGGLE_CHECK(!closes || state != BallotState::kOpen);
  if (state == BallotState::kOpen) return;
  proposal->state = state;
  proposal->closed_wall_millis = 2'000;
  try_again(*proposal);
}

}  // namespace

testing::Seeds testing::seeds() {
  const std::string head("\2\1\0", 3);
  return {
      {"plain", head + R"({"title":"t"})"},
      {"rule", head + R"({"title":"t","threshold":0.667,"of":"cast","participation":0.5,"groups":2,)"
                      R"("cap":0.25,"changes":false,"timeout_ms":100})"},
      {"voters", head + R"({"title":"t","body":{"x":[1]},"electorate":["a","b","c"],)"
                        R"("weights":{"a":1.5,"b":0},"labels":{"a":"m","c":"m"}})"},
      {"writes", head + R"({"title":"t","threshold":"strong","supersedes":"q","writes":[)"
                        R"({"key":"k","value":"v","if_version":3},{"key":"l","value":{"n":1}}]})"},
      {"stored", head + R"({"title":"t","state":"open","by":"a","electorate":{"a":{"weight":2}}})"}};
}

}  // namespace waggle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waggle;
  testing::Input input(data, size);
  try_given(input);
  // As it would be found.
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const Result<Proposal> found = recover_proposal("p", text); found && found->votes.empty())
    (void)to_json(*found);
  return 0;
}
