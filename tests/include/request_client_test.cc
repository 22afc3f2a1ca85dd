// RequestClient over a port that loses messages: what a write means when answers do not come.

#include "include/lib/request_client.h"

#include <functional>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "include/lib/coordinator_runtime.h"
#include "include/lib/message_port.h"
#include "tests/include/scratch.h"

using namespace waggle;
using waggle::test::TempDirectory;

namespace {

constexpr std::int64_t kPatienceMillis = 60'000;

struct Serving {
  explicit Serving(CoordinatorRuntimeOptions options = {}) {
    options.listen = "tcp://127.0.0.1:*";
    auto opened = CoordinatorRuntime::open(options);
    BOOST_REQUIRE(opened.has_value());
    runtime = std::move(*opened);
    thread = std::thread([this] { ended = runtime->run(); });
  }
  ~Serving() {
    runtime->stop();
    thread.join();
    BOOST_CHECK(ended.has_value());
  }
  std::unique_ptr<CoordinatorRuntime> runtime;
  Status ended;
  std::thread thread;
};

// Passes on what the two functions let through.
class LossyPort final : public MessagePort {
 public:
  using Passes = std::function<bool(const Message&)>;
  LossyPort(std::unique_ptr<LocalPort> port, Passes up, Passes down)
      : port_(port_over(std::move(port))), up_(std::move(up)), down_(std::move(down)) {}

  [[nodiscard]] Status send(const Message& message) override {
    if (!up_(message)) return {};
    return port_->send(message);
  }
  [[nodiscard]] Result<MessagePtr> receive(std::chrono::milliseconds timeout) override {
    Result<MessagePtr> message = port_->receive(timeout);
    if (message && *message != nullptr && !down_(**message)) return nullptr;
    return message;
  }
  [[nodiscard]] bool closed() const override { return port_->closed(); }
  [[nodiscard]] std::string name() const override { return "a lossy port"; }

 private:
  std::unique_ptr<MessagePort> port_;
  Passes up_;
  Passes down_;
};

bool all(const Message&) {
  return true;
}

std::unique_ptr<RequestClient> client_over(const Serving& serving, LossyPort::Passes up,
                                           LossyPort::Passes down) {
  auto client = RequestClient::over(
      std::make_unique<LossyPort>(serving.runtime->local_port(), std::move(up), std::move(down)),
      SwarmId("bees"), kPatienceMillis);
  BOOST_REQUIRE(client.has_value());
  return std::move(*client);
}

std::vector<Entry> incr(std::int64_t amount) {
  return {Entry{Key("n"), {}, IncrOp{amount}, {}}};
}

std::int64_t count_at(const Serving& serving) {
  auto client = client_over(serving, all, all);
  auto result = client->query(GetQuery{{Key("n")}, {}}, kPatienceMillis);
  BOOST_REQUIRE(result.has_value());
  const RecordPtr record = result->changes.at(0).record;
  return record ? std::get<Counter>(*record->value).total : 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_write_whose_answers_are_lost_takes_effect_once) {
  const Serving serving;
  int answers = 0;
  int submits = 0;
  auto client = client_over(
      serving,
      [&](const Message& message) {
        if (std::holds_alternative<Submit>(message)) ++submits;
        return true;
      },
      // Two of three answers are lost.
      [&](const Message& message) {
        return !std::holds_alternative<SubmitResult>(message) || ++answers % 3 == 0;
      });
  for (int i = 0; i < 3; ++i) {
    const auto outcome = client->write(incr(1), kPatienceMillis);
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST((outcome->code == Code::kCommitted));
    BOOST_TEST(outcome->revision.value() == static_cast<std::uint64_t>(i) + 1);
  }
  BOOST_TEST(submits >= 9);
  BOOST_TEST(count_at(serving) == 3);
}

BOOST_AUTO_TEST_CASE(
    a_write_is_repeated_under_its_id_and_with_what_it_had_seen_over_a_new_session) {
  const Serving serving;
  std::vector<Submit> sent;
  bool lost_session = false;
  // The first answer becomes a no_session, as from a coordinator that was restarted.
  class Forgetful final : public MessagePort {
   public:
    Forgetful(std::unique_ptr<LocalPort> port, std::vector<Submit>& sent, bool& done)
        : port_(port_over(std::move(port))), sent_(sent), done_(done) {}
    [[nodiscard]] Status send(const Message& message) override {
      if (const auto* submit = std::get_if<Submit>(&message)) sent_.push_back(*submit);
      return port_->send(message);
    }
    [[nodiscard]] Result<MessagePtr> receive(std::chrono::milliseconds timeout) override {
      Result<MessagePtr> message = port_->receive(timeout);
      const auto* result =
          message && *message ? std::get_if<SubmitResult>(message->get()) : nullptr;
      if (result == nullptr || std::exchange(done_, true)) return message;
      return make_message(NoSession{result->session});
    }
    [[nodiscard]] bool closed() const override { return port_->closed(); }
    [[nodiscard]] std::string name() const override { return "a forgetful port"; }

   private:
    std::unique_ptr<MessagePort> port_;
    std::vector<Submit>& sent_;
    bool& done_;
  };
  auto client = RequestClient::over(
      std::make_unique<Forgetful>(serving.runtime->local_port(), sent, lost_session),
      SwarmId("bees"), kPatienceMillis);
  BOOST_REQUIRE(client.has_value());
  const auto outcome = (*client)->write(incr(5), kPatienceMillis);
  BOOST_REQUIRE(outcome.has_value());
  BOOST_TEST((outcome->code == Code::kCommitted));
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST((sent[0].session != sent[1].session));
  BOOST_TEST((sent[0].mutations == sent[1].mutations));
  BOOST_TEST(count_at(serving) == 5);
}

BOOST_AUTO_TEST_CASE(a_write_that_is_never_answered_is_unknown_and_the_next_one_is_another) {
  const Serving serving;
  bool silent = true;
  auto client = client_over(serving, all, [&](const Message& message) {
    return !silent || !std::holds_alternative<SubmitResult>(message);
  });
  const auto lost = client->write(incr(1), 400);
  BOOST_REQUIRE(!lost.has_value());
  BOOST_TEST((lost.error().code == Code::kTimeout));
  BOOST_TEST(lost.error().text.starts_with("unknown"));
  silent = false;
  const auto next = client->write(incr(10), kPatienceMillis);
  BOOST_REQUIRE(next.has_value());
  BOOST_TEST((next->code == Code::kCommitted));
  BOOST_TEST(count_at(serving) == 11);
}

BOOST_AUTO_TEST_CASE(questions_are_asked_again_until_they_are_answered) {
  const Serving serving;
  int dropped = 0;
  auto client = client_over(
      serving,
      [&](const Message& message) {
        return std::holds_alternative<Hello>(message) || ++dropped % 2 == 0;
      },
      all);
  BOOST_REQUIRE(client->write(incr(1), kPatienceMillis).has_value());
  BOOST_TEST(client->query(GetQuery{{Key("n")}, {}}, kPatienceMillis).has_value());
  BOOST_TEST(client->delta({}, {}, true, kPatienceMillis).has_value());
  BOOST_TEST(client->compact({}, kPatienceMillis).has_value());
  BOOST_TEST(client->query(AgentsQuery{}, kPatienceMillis).has_value());
}

BOOST_AUTO_TEST_CASE(below_the_disk_reserve_writes_are_refused_and_reads_go_on) {
  TempDirectory scratch;
  CoordinatorRuntimeOptions options;
  options.data = scratch.file("hive");
  {
    const Serving with_space(options);
    BOOST_TEST(with_space.runtime->notice().empty());
  }
  options.disk_reserve_bytes = std::uint64_t{1} << 62;
  const Serving serving(options);
  BOOST_TEST(serving.runtime->notice().contains("reserve"));
  auto client = client_over(serving, all, all);
  const auto refused = client->write(incr(1), 600);
  BOOST_REQUIRE(refused.has_value());
  BOOST_TEST((refused->code == Code::kUnavailable));
  BOOST_TEST((refused->reason == Reason::kDiskFull));
  BOOST_TEST(!refused->text.empty());
  BOOST_TEST(client->query(StatusQuery{}, kPatienceMillis).has_value());
  BOOST_TEST(serving.runtime->compact_files().has_value());
}

BOOST_AUTO_TEST_CASE(nobody_at_the_endpoint_is_said_within_the_time) {
  const auto nobody = RequestClient::dial("tcp://127.0.0.1:1", SwarmId("bees"), 300);
  BOOST_REQUIRE(!nobody.has_value());
  BOOST_TEST((nobody.error().code == Code::kUnavailable));
  BOOST_TEST(nobody.error().text.contains("tcp://127.0.0.1:1"));
  const auto nonsense = RequestClient::dial("what", SwarmId("bees"), 300);
  BOOST_REQUIRE(!nonsense.has_value());
  BOOST_TEST((nonsense.error().code == Code::kRejected));
}

BOOST_AUTO_TEST_CASE(a_client_over_a_socket_reads_writes_and_pulls) {
  const Serving serving;
  auto dialled = RequestClient::dial(serving.runtime->endpoint(), SwarmId("bees"), kPatienceMillis);
  BOOST_REQUIRE(dialled.has_value());
  RequestClient& client = **dialled;
  BOOST_REQUIRE(client.write(incr(7), kPatienceMillis).has_value());
  const auto delta = client.delta({}, "n", false, kPatienceMillis);
  BOOST_REQUIRE(delta.has_value());
  BOOST_TEST(delta->snapshot);
  BOOST_TEST(delta->changes.size() == 1u);
  const auto none = client.delta(delta->to, {}, false, kPatienceMillis);
  BOOST_REQUIRE(none.has_value());
  BOOST_TEST(none->changes.empty());
  const auto foreign = client.delta(Cursor{Epoch(77), Revision(1)}, {}, false, kPatienceMillis);
  BOOST_REQUIRE(foreign.has_value());
  BOOST_TEST(foreign->reset);
  BOOST_TEST(!foreign->text.empty());
}

BOOST_AUTO_TEST_CASE(a_client_over_its_limit_comes_back_in_time_and_passes) {
  CoordinatorRuntimeOptions options;
  options.core.limits.writes = 20;
  options.core.limits.burst_millis = 100;
  const Serving serving(std::move(options));
  auto dialled = RequestClient::dial(serving.runtime->endpoint(), SwarmId("bees"), kPatienceMillis);
  BOOST_REQUIRE(dialled.has_value());
  for (int i = 0; i < 6; ++i) {
    const auto outcome = (*dialled)->write(incr(1), kPatienceMillis);
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST((outcome->code == Code::kCommitted));
  }
  BOOST_TEST(count_at(serving) == 6);
}

BOOST_AUTO_TEST_CASE(a_client_that_may_come_back_only_after_its_time_is_told_at_once) {
  CoordinatorRuntimeOptions options;
  options.core.limits.bytes = 1;  // the hello alone is worth minutes
  const Serving serving(std::move(options));
  auto dialled = RequestClient::dial(serving.runtime->endpoint(), SwarmId("bees"), kPatienceMillis);
  BOOST_REQUIRE(dialled.has_value());
  const auto outcome = (*dialled)->write(incr(1), kPatienceMillis);
  BOOST_REQUIRE(outcome.has_value());
  BOOST_TEST((outcome->code == Code::kOverloaded));
  BOOST_TEST((outcome->reason == Reason::kRateLimit));
  BOOST_TEST(outcome->text.contains("come back in"));
  const auto read = (*dialled)->query(StatusQuery{}, kPatienceMillis);
  BOOST_REQUIRE(!read.has_value());
  BOOST_TEST((read.error().code == Code::kOverloaded));
  BOOST_TEST(read.error().text.contains("limits.bytes_per_second"));
  // Whoever asks from within the process is not counted.
  const auto within = client_over(serving, all, all);
  BOOST_REQUIRE(within->write(incr(2), kPatienceMillis).has_value());
  BOOST_TEST(count_at(serving) == 2);
}

BOOST_AUTO_TEST_CASE(cursors_are_read_as_people_type_them) {
  const Serving serving;
  auto client = client_over(serving, all, all);
  const Epoch epoch = client->welcome().epoch;
  const Cursor seven{epoch, Revision(7)};
  for (const std::string& text : {std::string("7"), std::string("@7"), to_text(seven),
                                  to_hex(epoch.value()).substr(0, 6) + "@7"}) {
    const auto cursor = client->parse_cursor(text);
    BOOST_REQUIRE_MESSAGE(cursor.has_value(), text);
    BOOST_TEST((*cursor == seven));
  }
  const auto foreign = client->parse_cursor("00000000000000aa@3");
  BOOST_REQUIRE(foreign.has_value());
  BOOST_TEST((foreign->epoch == Epoch(0xaa)));
  for (const char* text : {"", "@", "x", "7x", "zz@7", "-1", "18446744073709551615",
                           "99999999999999999999", "00000000000000000@1"})
    BOOST_TEST(!client->parse_cursor(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_write_speaks_of_the_state_that_it_names_and_never_of_a_later_one) {
  const Serving serving;
  std::vector<Context> contexts;
  auto client = client_over(
      serving,
      [&](const Message& message) {
        if (const auto* submit = std::get_if<Submit>(&message))
          contexts.push_back(submit->mutations.at(0).context);
        return true;
      },
      all);
  const auto write = [&](const std::optional<Cursor>& seen) {
    const std::size_t before = contexts.size();
    BOOST_REQUIRE(client->write(incr(1), kPatienceMillis, seen).has_value());
    return contexts.at(before);
  };
  for (int i = 0; i < 3; ++i) write(std::nullopt);  // revisions 1 to 3
  const Epoch epoch = client->welcome().epoch;

  const Context earlier = write(Cursor{epoch, Revision(2)});
  BOOST_TEST(earlier.seen.value() == 2u);
  BOOST_TEST(earlier.own_through.empty());  // that state need not hold all that it wrote
  const Context newest = write(std::nullopt);
  BOOST_TEST(newest.seen.value() == 4u);
  BOOST_TEST(newest.own_through.size() == 1u);
  // What was never told can't have been seen.
  BOOST_TEST(write(Cursor{epoch, Revision(99)}).seen.value() == 5u);
  // Of another history the coordinator decides what it is worth.
  const Epoch foreign(epoch.value() + 1);
  const Context other = write(Cursor{foreign, Revision(2)});
  BOOST_TEST((other.epoch == foreign));
  BOOST_TEST(other.seen.value() == 2u);
}
