#include "tests/sim/frame_codec.h"

#ifdef WAGGLE_SIM_CODEC
#include "base/check.h"
#include "capnp/codec.h"
#endif

namespace waggle::sim {

SimNetwork::Codec frame_codec() {
#ifdef WAGGLE_SIM_CODEC
  return [](const MessagePtr& message) {
    const std::string frame = encode(*message);
    Result<Message> decoded = decode(frame);
    WAGGLE_CHECK(decoded.has_value(), std::string(name_of(*message)) + ": " + decoded.error().text);
    WAGGLE_CHECK(encode(*decoded) == frame, "a frame does not survive the way");
    return make_message(*std::move(decoded));
  };
#else
  return {};
#endif
}

}  // namespace waggle::sim
