#pragma once

// One ZeroMQ context with the settings that all our sockets rely on:
//
//   aligned receive   received frames are 8-aligned, as the codec wants them, and a small frame
//   held
//                     for long does not pin a whole network buffer
//   MAX_SOCKETS       raised, since each agent of this process has two sockets
//   one I/O thread    a second one did not help where we measured
//
// The first context of a process also seeds srand() from the system's random device and raises the
// limit of open files to the hard limit. Safety: libzmq draws the routing ids of a ROUTER's peers
// from rand() and never seeds it; a stranger who can tell the next id can abort the process.
//
// Thread-safe. Outlives its sockets: the destructor waits for them.

#include <cstddef>

#include "io/endpoint.h"

namespace waggle {

class ZmqContext {
 public:
  struct Options {
    int io_threads = 1;
    int max_sockets = 16'384;
  };
  ZmqContext() : ZmqContext(Options{}) {}
  explicit ZmqContext(const Options& options);
  ~ZmqContext();

  ZmqContext(const ZmqContext&) = delete;
  ZmqContext& operator=(const ZmqContext&) = delete;

  [[nodiscard]] void* handle() const { return handle_; }

 private:
  void* handle_ = nullptr;
};

}  // namespace waggle
