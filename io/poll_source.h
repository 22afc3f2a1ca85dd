#pragma once

// How a transport or a journal lets a waiting thread (io/loop.h) know that its host has something
// to do. A source says which descriptors to watch; a watched descriptor that becomes readable once
// more (edge-triggered) makes the loop turn the host.
//
// Safety: a ZeroMQ descriptor tells of a message once, and any call on the socket may use that up.
// So before it sleeps the loop asks has_work(), and a wake-up is never lost. The loop names the
// descriptor that spoke, so that a source looks only at the socket that has something: each look
// costs system calls (Socket::may_receive). A source says forget()
// before it closes a descriptor, since the number may be given to another socket at once.
//
// All calls come from the thread that owns the host.

#include "base/time.h"

namespace waggle {

class FdWatch {
 public:
  virtual ~FdWatch() = default;
  virtual void watch(int fd) = 0;
  virtual void forget(int fd) = 0;
};

class PollSource {
 public:
  virtual ~PollSource() = default;
  // Says watch() for every descriptor that there is, and from then on for new ones. Null: no more;
  // nothing is told then.
  virtual void attach(FdWatch* watch) = 0;
  // A descriptor became readable once more, of this source or of another one. Whoever attached a
  // watch owes this call, else what arrived is not looked at.
  virtual void spoke(int fd) = 0;
  // True when a turn would find something, without waiting for a descriptor.
  [[nodiscard]] virtual bool has_work() = 0;
  // When a turn is needed though nothing arrives (queued frames are tried again).
  [[nodiscard]] virtual Instant next_retry() const { return Instant::never(); }
};

}  // namespace waggle
