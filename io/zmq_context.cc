#include "io/zmq_context.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include <sys/resource.h>
#include <zmq.h>

#include "base/check.h"
#include "io/random.h"

namespace waggle {

namespace {

// ZMQ_ZERO_COPY_RECV: in zmq.h only of a build with draft functions, but in every 4.3 library.
constexpr int kZeroCopyReceive = 10;

void prepare_process() {
  static std::once_flag once;
  std::call_once(once, [] {
    std::srand(static_cast<unsigned>(random_seed()));
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
      files.rlim_cur = files.rlim_max;
      // A refusal leaves the old limit; a socket too many fails with a text of its own.
      static_cast<void>(setrlimit(RLIMIT_NOFILE, &files));
    }
  });
}

}  // namespace

ZmqContext::ZmqContext(const Options& options) {
  prepare_process();
  handle_ = zmq_ctx_new();
  WAGGLE_CHECK(handle_ != nullptr, zmq_strerror(zmq_errno()));
  const int sockets = std::min(options.max_sockets, zmq_ctx_get(handle_, ZMQ_SOCKET_LIMIT));
  const auto set = [this](int option, int value) {
    WAGGLE_CHECK(zmq_ctx_set(handle_, option, value) == 0, zmq_strerror(zmq_errno()));
  };
  set(ZMQ_IO_THREADS, options.io_threads);
  set(ZMQ_MAX_SOCKETS, sockets);
  set(kZeroCopyReceive, 0);
}

ZmqContext::~ZmqContext() {
  while (zmq_ctx_term(handle_) != 0 && zmq_errno() == EINTR) {
  }
}

}  // namespace waggle
