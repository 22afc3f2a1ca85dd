#include "include/lib/agent_runtime.h"

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/shape.h"
#include "io/host.h"
#include "io/journal.h"
#include "io/loop.h"
#include "io/random.h"
#include "io/system_clock.h"
#include "io/zmq_agent.h"
#include "io/zmq_context.h"
#include "memory/memory_store.h"
#include "memory/rocksdb_store.h"

namespace waggle {

// ---- the loop ----------------------------------------------------------------------------------

struct AgentLoop::Parts {
  ZmqContext context;
  SystemClock clock;
  BroadcastCache broadcasts;
  Loop loop;
  std::atomic<std::uint64_t> next_request;
  std::map<const Host*, std::function<void(const Error&)>> on_stopped;  // on the loop's thread
  std::thread thread;
};

AgentLoop::AgentLoop() : parts_(std::make_shared<Parts>()) {
  // Begins at random, so that a question of an earlier process is not taken for one of this.
  parts_->next_request = random_seed() >> 3;
  parts_->loop.set_on_stopped([parts = parts_.get()](Host& host) {
    const auto found = parts->on_stopped.find(&host);
    if (found != parts->on_stopped.end()) found->second(*host.stopped());
  });
  parts_->thread = std::thread([parts = parts_] { parts->loop.run(); });
}

AgentLoop::~AgentLoop() {
  parts_->loop.stop();
  if (on_loop_thread()) {
    // A callback dropped the last agent: the thread ends after it and frees what it holds.
    parts_->thread.detach();
  } else {
    parts_->thread.join();
  }
}

bool AgentLoop::on_loop_thread() const {
  return std::this_thread::get_id() == parts_->thread.get_id();
}

// ---- one agent ---------------------------------------------------------------------------------

struct AgentRuntime::Parts {
  std::shared_ptr<AgentLoop> loop;
  DeliverFn deliver;
  std::unique_ptr<CommitStore> store;
  std::unique_ptr<Agent> core;
  std::unique_ptr<ZmqAgentTransport> transport;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Host> host;
  std::vector<PollSource*> sources;

  mutable std::mutex mutex;
  Error stopped{Code::kCommitted, {}};  // guarded by mutex
};

namespace {

// Runs `task` on the loop's thread. REQUIRES of both: the loop runs and is not stopped.
void call(Loop& loop, const std::function<void()>& task) {
  while (!loop.call(task)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
void call_and_wait(Loop& loop, const std::function<void()>& task) {
  const auto done = std::make_shared<std::promise<void>>();
  call(loop, [&task, done] {
    task();
    done->set_value();
  });
  done->get_future().wait();
}

Result<std::unique_ptr<CommitStore>> open_store(const AgentRuntimeOptions& options) {
  if (options.data.empty()) return std::make_unique<MemoryStore>();
  RocksdbOptions disk;
  disk.path = options.data;
  disk.kind = StoreKind::kAgent;
  // Small beside a coordinator's: many agents may share a process.
  disk.write_buffer_bytes = std::size_t{4} << 20;
  disk.open_files_max = 64;
  Result<std::unique_ptr<RocksdbStore>> opened = open_rocksdb(disk);
  if (!opened) return std::unexpected(std::move(opened.error()));
  if ((*opened)->read_only())
    return failed(
        Code::kUnavailable,
        fmt::format("the disk of '{}' is full, so nothing that this agent writes could be "
                    "kept; free space and start again",
                    options.data));
  return std::unique_ptr<CommitStore>(std::move(*opened));
}

Status check_options(const AgentRuntimeOptions& options) {
  if (Status shape = check_swarm_id(options.swarm.value()); !shape) return shape;
  if (Status shape = check_agent_id(options.agent.value()); !shape) return shape;
  if (options.role == Role::kClient)
    return failed(Code::kRejected, "a client is no agent: it asks and writes without attaching");
  if (options.role == Role::kMember && is_reserved_agent(options.agent))
    return failed(Code::kRejected,
                  fmt::format("'{}' can't be the id of a member: ids that begin with '~' are "
                              "Waggle's own",
                              options.agent.value()));
  return {};
}

}  // namespace

Result<std::unique_ptr<AgentRuntime>> AgentRuntime::open(const AgentRuntimeOptions& options,
                                                         std::shared_ptr<AgentLoop> loop,
                                                         DeliverFn deliver) {
  if (loop->on_loop_thread())
    return failed(Code::kRejected,
                  "an agent can't be opened within a callback of another: opening "
                  "waits for the thread that runs the callback");
  if (Status fine = check_options(options); !fine) return std::unexpected(std::move(fine.error()));
  ZmqAgentTransport::Options sockets;
  Result<Endpoint> dial = parse_dial(options.coordinator);
  if (!dial) return std::unexpected(std::move(dial.error()));
  sockets.coordinator = *dial;
  Result<LinkKeysPtr> keys = read_link_keys(options.key, options.coordinator_key);
  if (!keys) return std::unexpected(std::move(keys.error()));
  sockets.keys = std::move(*keys);
  sockets.explain = options.explain || sockets.keys != nullptr;

  auto parts = std::make_unique<Parts>();
  parts->loop = std::move(loop);
  parts->deliver = std::move(deliver);
  Result<std::unique_ptr<CommitStore>> store = open_store(options);
  if (!store) return std::unexpected(std::move(store.error()));
  parts->store = std::move(*store);
  Result<AgentState> state = parts->store->load_agent();
  if (!state) return std::unexpected(std::move(state.error()));
  const IdentityRow& owner = state->identity;
  if (owner.token != Token{} && (owner.swarm != options.swarm || owner.agent != options.agent))
    return failed(Code::kRejected,
                  fmt::format("'{}' belongs to agent '{}' of swarm '{}', not to '{}' of '{}'; give "
                              "each agent a directory of its own",
                              options.data, owner.agent.value(), owner.swarm.value(),
                              options.agent.value(), options.swarm.value()));

  AgentOptions core;
  core.seed = random_seed();
  core.swarm = options.swarm;
  core.agent = options.agent;
  core.role = options.role;
  core.start_from_head = options.start_from_head;
  core.stored = !options.data.empty();
  if (sockets.keys != nullptr && options.sign)
    core.sign = [own = sockets.keys->own](std::string_view bytes) { return own->sign(bytes); };
  parts->core = std::make_unique<Agent>(std::move(core), std::move(*state));
  AgentLoop::Parts& shared = parts->loop->parts();
  sockets.broadcasts = &shared.broadcasts;
  Result<std::unique_ptr<ZmqAgentTransport>> transport =
      ZmqAgentTransport::open(shared.context, sockets);
  if (!transport) return std::unexpected(std::move(transport.error()));
  parts->transport = std::move(*transport);
  parts->sources = {parts->transport.get()};
  if (options.data.empty()) {
    parts->journal = std::make_unique<InlineJournal>(*parts->store);
  } else {
    auto journal = std::make_unique<ThreadJournal>(*parts->store);
    parts->sources.push_back(journal.get());
    parts->journal = std::move(journal);
  }
  Parts* const borrowed = parts.get();
  parts->host =
      std::make_unique<Host>(*parts->core, *parts->transport, *parts->journal, shared.clock,
                             [borrowed](const Delivery& delivery) { borrowed->deliver(delivery); });

  call_and_wait(shared.loop, [&shared, borrowed] {
    shared.on_stopped[borrowed->host.get()] = [borrowed](const Error& error) {
      {
        const std::lock_guard lock(borrowed->mutex);
        borrowed->stopped = error;
      }
      borrowed->deliver(LinkChanged{
          Link::kEnded, error.code, error.text, borrowed->core->replica().cursor(), {}});
    };
    shared.loop.add(*borrowed->host, borrowed->sources);
  });
  return std::unique_ptr<AgentRuntime>(new AgentRuntime(std::move(parts)));
}

AgentRuntime::AgentRuntime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

AgentRuntime::~AgentRuntime() {
  AgentLoop::Parts& shared = parts_->loop->parts();
  const auto leave = [&shared](Parts& parts) {
    shared.on_stopped.erase(parts.host.get());
    shared.loop.remove(*parts.host);
  };
  if (parts_->loop->on_loop_thread()) {
    // In the middle of a turn, perhaps of this very agent: after it. What was decided in it is
    // still delivered.
    call(shared.loop,
         [leave, parts = std::shared_ptr<Parts>(std::move(parts_))] { leave(*parts); });
  } else {
    call_and_wait(shared.loop, [&] { leave(*parts_); });
  }
}

bool AgentRuntime::post(Command command) {
  return parts_->loop->parts().loop.post(*parts_->host, Event(std::move(command)));
}

RequestId AgentRuntime::next_request() {
  return RequestId(++parts_->loop->parts().next_request);
}

void AgentRuntime::inspect(const std::function<void(const Agent&)>& look) {
  WAGGLE_CHECK(!parts_->loop->on_loop_thread(), "inspect() would wait for its own thread");
  call_and_wait(parts_->loop->parts().loop, [&] { look(*parts_->core); });
}

Error AgentRuntime::stopped() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->stopped;
}

}  // namespace waggle
