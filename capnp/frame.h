#pragma once

// One frame: a segment table of eight bytes and one segment. Inner header of the codec.
//
//   u32 0 (number of segments - 1)   u32 words of the segment   the segment
//
// The library accepts much more than that (many segments, trailing bytes, any size), so the bytes
// are checked here before it sees them. Inside the codec a refusal is thrown as a Refusal; it ends,
// as do the library's exceptions, in unframe().

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <capnp/message.h>
#include <kj/exception.h>

#include "base/status.h"

namespace waggle::codec {

struct Refusal {
  Code code = Code::kRejected;
  std::string text;
};
[[noreturn]] void refuse(std::string text);
[[noreturn]] void refuse_unsupported(std::string text);
inline void require(Status status) {
  if (!status) [[unlikely]]
    throw Refusal{status.error().code, std::move(status.error().text)};
}

// Zeroed words that the next message of this thread is built in.
[[nodiscard]] kj::ArrayPtr<capnp::word> build_scratch();
// Makes the scratch at least so large, up to limits::kFrameBytes.
void grow_build_scratch(std::size_t words);
// The frame, or nothing and in `words` what one segment needs, where the builder used more than
// one.
[[nodiscard]] bool to_frame(capnp::MessageBuilder& builder, std::string& frame, std::size_t& words);

// fill(MessageBuilder&) builds the message; it is called again when the scratch was too small.
template <typename Fill>
[[nodiscard]] std::string frame_of(const Fill& fill) {
  std::string frame;
  std::size_t words = 0;
  {
    capnp::MallocMessageBuilder builder(build_scratch());
    fill(builder);
    if (to_frame(builder, frame, words)) [[likely]]
      return frame;
  }
  grow_build_scratch(words);
  capnp::MallocMessageBuilder builder(static_cast<unsigned>(words));
  fill(builder);
  if (!to_frame(builder, frame, words)) refuse("a message needs more than one segment");
  return frame;
}

// Reads a checked frame; copies it first where it isn't aligned to words.
class FrameReader {
 public:
  explicit FrameReader(std::string_view frame);
  template <typename Root>
  [[nodiscard]] typename Root::Reader root() {
    return reader_.getRoot<Root>();
  }

 private:
  kj::ArrayPtr<const capnp::word> segment_;
  capnp::SegmentArrayMessageReader reader_;
};

// read(FrameReader&) -> T; whatever it throws becomes an Error.
template <typename Read>
[[nodiscard]] auto unframe(std::string_view frame, const Read& read)
    -> Result<std::invoke_result_t<const Read&, FrameReader&>> {
  try {
    FrameReader reader(frame);
    return read(reader);
  } catch (Refusal& refusal) {
    return failed(refusal.code, std::move(refusal.text));
  } catch (const kj::Exception& exception) {
    return failed(Code::kRejected, "expected a well-formed frame; Cap'n Proto says: " +
                                       std::string(exception.getDescription().cStr()));
  } catch (const std::exception& exception) {
    return failed(Code::kRejected,
                  std::string("expected a well-formed frame, got: ") + exception.what());
  }
}

}  // namespace waggle::codec
