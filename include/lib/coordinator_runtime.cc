#include "include/lib/coordinator_runtime.h"

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "io/host.h"
#include "io/journal.h"
#include "io/keys.h"
#include "io/loop.h"
#include "io/random.h"
#include "io/snapshot_socket.h"
#include "io/system_clock.h"
#include "io/zap.h"
#include "io/zmq_context.h"
#include "io/zmq_coordinator.h"
#include "memory/memory_store.h"
#include "memory/rocksdb_store.h"
#include "memory/store_directory.h"

namespace waggle {
namespace {

// Of a store that could be opened for reading only. What a coordinator wants to keep while it
// refuses writes (addresses, confirmations) can be lost without harm, so its batches go nowhere.
// Safety: no commit and no round is in them, since the core was told that the disk is full.
class ReadOnlyJournal final : public Journal {
 public:
  explicit ReadOnlyJournal(CommitStore& store) : store_(store) {}
  [[nodiscard]] Progress start(Batch batch) override {
    for (const Row& row : batch.rows) {
      const auto* outcomes = std::get_if<OutcomeRow>(&row);
      if (std::holds_alternative<RecordRow>(row) || std::holds_alternative<ReceiptRow>(row) ||
          std::holds_alternative<ConflictRow>(row) ||
          (outcomes != nullptr && !outcomes->outcomes.empty()))
        return Progress::kUnknown;
    }
    return Progress::kDone;
  }
  [[nodiscard]] Progress poll() override { return Progress::kIdle; }
  [[nodiscard]] std::string failure() const override {
    return "the store was opened for reading only, the disk was full";
  }
  [[nodiscard]] Result<std::vector<ReceiptRow>> receipts(const ReceiptScan& scan) override {
    return store_.receipts(scan);
  }

 private:
  CommitStore& store_;
};

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

// The core on one opened store. Replaced as a whole when a full disk has space again.
struct Service {
  std::unique_ptr<CommitStore> store;
  RocksdbStore* on_disk = nullptr;  // `store`, when it is one
  std::unique_ptr<Coordinator> core;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Host> host;
};

}  // namespace

struct CoordinatorRuntime::Parts {
  CoordinatorRuntimeOptions options;
  Endpoint listen;  // with the port that was taken
  Level level = Level::kMemory;
  Epoch epoch;
  std::vector<SwarmHead> recovered;
  std::string notice;

  ZmqContext context;
  SystemClock clock;
  SecretKeyPtr key;  // null: without keys, and so is what follows
  Admission admission;
  std::unique_ptr<ZapHandler> handler;
  LocalPeers local;
  std::unique_ptr<ZmqCoordinatorTransport> transport;
  Service service;
  Loop loop;
  bool writable = true;          // as the core was told
  std::optional<Error> failure;  // set on the loop's thread, read after run()
  std::atomic<bool> running = false;
  // Reads the store on a thread of its own, so it ends before the store does.
  std::unique_ptr<SnapshotSocket> snapshots;

  [[nodiscard]] Status start();
  [[nodiscard]] Status open_keys();
  [[nodiscard]] Result<std::vector<AuthorizedKey>> read_authorized() const;
  void deliver(const Delivery& delivery) const;
  void offer_snapshots();
  void measure();
  void watch_disk();
  void tell_space(bool now_writable, std::string text);
  void start_again();
};

// An absent file lets nobody in, until it is there and read again.
Result<std::vector<AuthorizedKey>> CoordinatorRuntime::Parts::read_authorized() const {
  Result<std::vector<AuthorizedKey>> keys = read_authorized_keys(options.authorized_keys);
  if (!keys && keys.error().code == Code::kNotFound) return std::vector<AuthorizedKey>{};
  return keys;
}

Status CoordinatorRuntime::Parts::open_keys() {
  if (options.key.empty()) return {};
  Result<SecretKeyPtr> secret = read_secret_key(options.key);
  if (!secret) return std::unexpected(std::move(secret.error()));
  const Result<std::vector<AuthorizedKey>> keys = read_authorized();
  if (!keys) return std::unexpected(keys.error());
  key = std::move(*secret);
  static_cast<void>(admission.replace(*keys));
  handler =
      std::make_unique<ZapHandler>(context, admission, [this](const ZapHandler::Refusal& refusal) {
        if (!options.on_access) return;
        AccessNote note;
        note.wall_millis = SystemClock().now().wall_millis;
        note.from = refusal.address;
        note.key = refusal.fingerprint;
        note.what = "connect";
        note.on = refusal.domain;
        note.why = refusal.why;
        options.on_access(note);
      });
  return {};
}

void CoordinatorRuntime::Parts::deliver(const Delivery& delivery) const {
  if (const auto* alarm = std::get_if<Alarm>(&delivery); alarm != nullptr && options.on_alarm)
    options.on_alarm(alarm->text);
  if (const auto* note = std::get_if<AccessNote>(&delivery); note != nullptr && options.on_access)
    options.on_access(*note);
}

// Opens the store and everything on top of it. Start and restart are this one path.
Status CoordinatorRuntime::Parts::start() {
  CoordinatorOptions core = options.core;
  core.seed = random_seed();
  core.version = WAGGLE_VERSION;
  std::string full;
  if (options.data.empty()) {
    service.store = std::make_unique<MemoryStore>();
  } else {
    RocksdbOptions disk;
    disk.path = options.data;
    disk.kind = StoreKind::kCoordinator;
    disk.sync = options.sync;
    disk.accept_rollback = options.accept_rollback;
    Result<std::unique_ptr<RocksdbStore>> opened = open_rocksdb(disk);
    if (!opened) return std::unexpected(std::move(opened.error()));
    service.on_disk = opened->get();
    service.store = std::move(*opened);
    if (const std::string lost = service.on_disk->rolled_back(); !lost.empty()) {
      core.new_epoch = true;
      notice = "a new epoch begins, as was accepted: " + lost;
    }
    if (service.on_disk->read_only()) {
      if (core.new_epoch)
        return failed(
            Code::kUnavailable,
            fmt::format("the disk of '{}' is full, and accepting the loss needs to write; "
                        "free space and start again",
                        options.data));
      full = "the disk was full when the store was opened: reads only, until space is freed";
    } else if (const Result<std::uint64_t> space = free_bytes(options.data);
               space && *space < options.disk_reserve_bytes) {
      full = fmt::format(
          "{} are free at '{}', less than the reserve of {}: writes are refused until "
          "there is more",
          mebibytes(*space), options.data, mebibytes(options.disk_reserve_bytes));
    }
  }
  core.level = level = service.store->level();
  Result<CoordinatorState> state = service.store->load_coordinator();
  if (!state) return std::unexpected(std::move(state.error()));
  service.core = std::make_unique<Coordinator>(std::move(core), std::move(*state));
  epoch = service.core->epoch();
  recovered.clear();
  for (const SwarmId& id : service.core->swarms()) {
    const SwarmState* swarm = service.core->swarm(id);
    recovered.push_back({id, swarm->head(), swarm->live_keys()});
  }

  // Kept over a new start of the core: the addresses stay, and peers learn that their sessions
  // ended.
  if (!transport) {
    ZmqCoordinatorTransport::Options sockets;
    sockets.listen = listen;
    sockets.channel_port_low = options.channel_port_low;
    sockets.channel_port_high = options.channel_port_high;
    sockets.local = &local;
    sockets.key = key;
    sockets.admission = &admission;
    sockets.peer_queue_bytes = options.peer_queue_bytes;
    Result<std::unique_ptr<ZmqCoordinatorTransport>> opened =
        ZmqCoordinatorTransport::open(context, sockets);
    if (!opened) return std::unexpected(std::move(opened.error()));
    transport = std::move(*opened);
    listen = transport->endpoint();
  }

  std::vector<PollSource*> sources = {transport.get()};
  if (service.on_disk == nullptr) {
    service.journal = std::make_unique<InlineJournal>(*service.store);
  } else if (service.on_disk->read_only()) {
    service.journal = std::make_unique<ReadOnlyJournal>(*service.store);
  } else {
    auto journal = std::make_unique<ThreadJournal>(*service.store);
    sources.push_back(journal.get());
    service.journal = std::move(journal);
  }
  service.host = std::make_unique<Host>(*service.core, *transport, *service.journal, clock,
                                        [this](const Delivery& delivery) { deliver(delivery); });
  // Before anything that arrives: no write is stepped on a full disk.
  writable = full.empty();
  if (!writable) {
    service.host->post(SpaceChanged{false, full});
    notice += (notice.empty() ? "" : "; ") + full;
  }
  loop.add(*service.host, std::move(sources));
  offer_snapshots();
  return {};
}

// Without them a coordinator is still one.
void CoordinatorRuntime::Parts::offer_snapshots() {
  if (service.on_disk == nullptr) return;
  const auto make = [store = service.on_disk, clock = &clock](const ByteSink& sink) -> Status {
    const auto made = store->snapshot({WAGGLE_VERSION, clock->now().wall_millis}, sink);
    if (!made) return std::unexpected(made.error());
    return {};
  };
  auto opened = SnapshotSocket::open(options.data, StoreDirectory::kSocket, make);
  if (opened) {
    snapshots = std::move(*opened);
  } else {
    notice += (notice.empty() ? "" : "; ") +
              ("snapshots can't be saved while this runs: " + opened.error().text);
  }
}

void CoordinatorRuntime::Parts::tell_space(bool now_writable, std::string text) {
  // A full queue: told at the next look.
  if (loop.post(*service.host, SpaceChanged{now_writable, std::move(text)}))
    writable = now_writable;
}

void CoordinatorRuntime::Parts::measure() {
  const ZmqCoordinatorTransport::Counters& seen = transport->counters();
  std::vector<NamedCount> counters = {
      {"transport_frames_in", seen.frames_in},
      {"transport_bytes_in", seen.bytes_in},
      {"transport_frames_out", seen.frames_out},
      {"transport_bytes_out", seen.bytes_out},
      {"transport_broadcasts", seen.broadcasts},
      {"transport_broadcast_bytes", seen.broadcast_bytes},
      {"transport_nobody", seen.nobody},
      {"transport_malformed", seen.malformed},
      {"transport_multipart", seen.multipart},
      {"transport_upstream", seen.upstream},
      {"transport_ignored", seen.ignored},
      {"transport_queued", seen.queued},
      {"transport_dropped", seen.dropped},
      {"transport_peers_lost", seen.peers_lost},
      {"transport_peers_queued", seen.peers_queued},
      {"transport_bytes_queued", seen.bytes_queued},
  };
  if (service.on_disk != nullptr) {
    const std::vector<NamedCount> stored = service.on_disk->statistics();
    counters.insert(counters.end(), stored.begin(), stored.end());
  }
  // A full queue: measured again at the next look.
  static_cast<void>(loop.post(*service.host, Measured{std::move(counters)}));
}

void CoordinatorRuntime::Parts::watch_disk() {
  if (service.on_disk == nullptr) return;
  const Result<std::uint64_t> space = free_bytes(options.data);
  if (!space) return;
  const bool enough = *space >= options.disk_reserve_bytes;
  if (enough == writable) return;
  if (service.on_disk->read_only()) {
    static_cast<void>(loop.call([this] { start_again(); }));
  } else if (enough) {
    tell_space(true, {});
  } else {
    tell_space(false,
               fmt::format("the disk of the coordinator is nearly full: {} are free at '{}', the "
                           "reserve is {}; writes resume when space is freed",
                           mebibytes(*space), options.data, mebibytes(options.disk_reserve_bytes)));
  }
}

// There is space again, so the store can be opened for writing. To the agents it is a restart.
void CoordinatorRuntime::Parts::start_again() {
  if (service.on_disk == nullptr || !service.on_disk->read_only()) return;
  loop.remove(*service.host);
  snapshots.reset();
  service = Service{};
  if (Status started = start(); !started) {
    failure = std::move(started.error());
    loop.stop();
  }
}

Result<std::unique_ptr<CoordinatorRuntime>> CoordinatorRuntime::open(
    const CoordinatorRuntimeOptions& options) {
  const bool keys = !options.key.empty();
  Result<Endpoint> listen = parse_listen(options.listen, options.allow_remote || keys);
  if (!listen) return std::unexpected(std::move(listen.error()));
  if (listen->kind == Endpoint::Kind::kInproc)
    return failed(Code::kRejected,
                  fmt::format("'{}' can't be reached from another context; listen on tcp:// or "
                              "ipc://, callers within this process need no endpoint",
                              options.listen));
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  parts->listen = *listen;
  if (Status opened = parts->open_keys(); !opened)
    return std::unexpected(std::move(opened.error()));
  if (Status started = parts->start(); !started) return std::unexpected(std::move(started.error()));
  Parts* const borrowed = parts.get();
  parts->loop.set_watcher([borrowed] {
    borrowed->measure();
    borrowed->watch_disk();
  });
  parts->loop.set_on_stopped([borrowed](Host& host) { borrowed->failure = host.stopped(); });
  return std::unique_ptr<CoordinatorRuntime>(new CoordinatorRuntime(std::move(parts)));
}

CoordinatorRuntime::CoordinatorRuntime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

CoordinatorRuntime::~CoordinatorRuntime() {
  if (parts_->service.host) parts_->loop.remove(*parts_->service.host);
}

std::string CoordinatorRuntime::endpoint() const {
  return parts_->listen.text();
}
std::string CoordinatorRuntime::fingerprint() const {
  return parts_->key == nullptr ? std::string() : parts_->key->pub().fingerprint();
}
std::size_t CoordinatorRuntime::authorized() const {
  return parts_->admission.size();
}
Level CoordinatorRuntime::level() const {
  return parts_->level;
}
Epoch CoordinatorRuntime::epoch() const {
  return parts_->epoch;
}
std::vector<CoordinatorRuntime::SwarmHead> CoordinatorRuntime::recovered() const {
  return parts_->recovered;
}
std::string CoordinatorRuntime::notice() const {
  return parts_->notice;
}

Status CoordinatorRuntime::run() {
  parts_->running = true;
  parts_->loop.run();
  parts_->running = false;
  if (parts_->failure) return std::unexpected(*parts_->failure);
  return {};
}

void CoordinatorRuntime::stop() {
  parts_->loop.stop();
}

Status CoordinatorRuntime::reload() {
  if (parts_->key == nullptr) return failed(Code::kRejected, "there are no keys to read again");
  const Result<std::vector<AuthorizedKey>> keys = parts_->read_authorized();
  if (!keys) return std::unexpected(keys.error());
  // Safety: first the table, so that nobody who is ended comes in again; then the sessions, then
  // the connections to the broadcasts.
  const std::vector<IdentityPtr> ended = parts_->admission.replace(*keys);
  if (ended.empty()) return {};
  const bool taken = parts_->loop.call([parts = parts_.get(), ended] {
    for (const IdentityPtr& who : ended) {
      parts->service.host->post(IdentityEnded{who});
      parts->transport->shut_out(who->swarm);
    }
  });
  if (!taken) return failed(Code::kUnavailable, "the coordinator does not run");
  return {};
}

Status CoordinatorRuntime::set_access(AccessRulesPtr rules) {
  const bool taken = parts_->loop.call([parts = parts_.get(), rules = std::move(rules)] {
    parts->options.core.access = rules;  // for a new start of the core
    parts->service.host->post(AccessChanged{rules});
  });
  if (!taken) return failed(Code::kUnavailable, "the coordinator does not run");
  return {};
}

std::unique_ptr<LocalPort> CoordinatorRuntime::local_port() {
  return parts_->local.open();
}

Status CoordinatorRuntime::compact_files() {
  while (true) {
    // Empty: a batch is with the commit thread, and the store belongs to one thread at a time.
    auto answer = std::make_shared<std::promise<std::optional<Status>>>();
    std::future<std::optional<Status>> done = answer->get_future();
    const bool taken = parts_->running && parts_->loop.call([parts = parts_.get(), answer] {
      const Service& service = parts->service;
      if (service.on_disk == nullptr) {
        answer->set_value(Status{});
      } else if (service.host->waiting_for_journal()) {
        answer->set_value(std::nullopt);
      } else {
        answer->set_value(service.on_disk->compact());
      }
    });
    if (!taken) return failed(Code::kUnavailable, "the coordinator does not run");
    if (std::optional<Status> status = done.get()) return std::move(*status);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace waggle
