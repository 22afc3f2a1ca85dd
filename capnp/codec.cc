#include "capnp/codec.h"

#include <variant>

#include <fmt/format.h>
#include <waggle_schema/wire.capnp.h>

#include "capnp/frame.h"
#include "capnp/messages.h"

namespace waggle {
namespace {

using codec::FrameReader;
using codec::read;
using codec::write;

// Makes the member of the union that a message goes into.
struct WriteMember {
  wire::Envelope::Builder to;
  void operator()(const Hello& m) { write(to.initHello(), m); }
  void operator()(const Welcome& m) { write(to.initWelcome(), m); }
  void operator()(const Refused& m) { write(to.initRefused(), m); }
  void operator()(const Attached& m) { write(to.initAttached(), m); }
  void operator()(const NoSession& m) { write(to.initNoSession(), m); }
  void operator()(const Fenced& m) { write(to.initFenced(), m); }
  void operator()(const Bye& m) { write(to.initBye(), m); }
  void operator()(const AgentHeartbeat& m) { write(to.initAgentHeartbeat(), m); }
  void operator()(const HeartbeatAck& m) { write(to.initHeartbeatAck(), m); }
  void operator()(const Heartbeat& m) { write(to.initHeartbeat(), m); }
  void operator()(const Submit& m) { write(to.initSubmit(), m); }
  void operator()(const SubmitResult& m) { write(to.initSubmitResult(), m); }
  void operator()(const StateUpdate& m) { write(to.initStateUpdate(), m); }
  void operator()(const DeltaRequest& m) { write(to.initDeltaRequest(), m); }
  void operator()(const DeltaChunk& m) { write(to.initDeltaChunk(), m); }
  void operator()(const StateRequest& m) { write(to.initStateRequest(), m); }
  void operator()(const StateResponse& m) { write(to.initStateResponse(), m); }
  void operator()(const OfferResult& m) { write(to.initOfferResult(), m); }
  void operator()(const SyncRequest& m) { write(to.initSyncRequest(), m); }
  void operator()(const SyncReport& m) { write(to.initSyncReport(), m); }
  void operator()(const Query& m) { write(to.initQuery(), m); }
  void operator()(const QueryResult& m) { write(to.initQueryResult(), m); }
  void operator()(const CompactRequest& m) { write(to.initCompactRequest(), m); }
  void operator()(const CompactResult& m) { write(to.initCompactResult(), m); }
  void operator()(const ErrorReply& m) { write(to.initError(), m); }
  void operator()(const EphemeralWrite& m) { write(to.initEphemeralWrite(), m); }
  void operator()(const EphemeralResult& m) { write(to.initEphemeralResult(), m); }
  void operator()(const EphemeralUpdate& m) { write(to.initEphemeralUpdate(), m); }
  void operator()(const EphemeralRequest& m) { write(to.initEphemeralRequest(), m); }
  void operator()(const EphemeralState& m) { write(to.initEphemeralState(), m); }
  void operator()(const ClaimRequest& m) { write(to.initClaimRequest(), m); }
  void operator()(const ClaimResult& m) { write(to.initClaimResult(), m); }
};

void check_magic(wire::Envelope::Reader envelope) {
  if (envelope.getMagic() != wire::MAGIC)
    codec::refuse(fmt::format("frame: expected one of Waggle's, magic {:08x}, got {:08x}",
                              wire::MAGIC, envelope.getMagic()));
}

Message read_message(FrameReader& frame) {
  const auto envelope = frame.root<wire::Envelope>();
  check_magic(envelope);
  // Before anything else is interpreted: another version may mean other things by it.
  if (envelope.getProtocol() != kProtocolVersion)
    codec::refuse_unsupported(fmt::format(
        "this side speaks protocol {}, the peer's frame is of protocol {}; run the same version of "
        "Waggle on both",
        kProtocolVersion, envelope.getProtocol()));
  switch (envelope.which()) {
    case wire::Envelope::HELLO:
      return read(envelope.getHello());
    case wire::Envelope::WELCOME:
      return read(envelope.getWelcome());
    case wire::Envelope::REFUSED:
      return read(envelope.getRefused());
    case wire::Envelope::ATTACHED:
      return read(envelope.getAttached());
    case wire::Envelope::NO_SESSION:
      return read(envelope.getNoSession());
    case wire::Envelope::FENCED:
      return read(envelope.getFenced());
    case wire::Envelope::BYE:
      return read(envelope.getBye());
    case wire::Envelope::AGENT_HEARTBEAT:
      return read(envelope.getAgentHeartbeat());
    case wire::Envelope::HEARTBEAT_ACK:
      return read(envelope.getHeartbeatAck());
    case wire::Envelope::HEARTBEAT:
      return read(envelope.getHeartbeat());
    case wire::Envelope::SUBMIT:
      return read(envelope.getSubmit());
    case wire::Envelope::SUBMIT_RESULT:
      return read(envelope.getSubmitResult());
    case wire::Envelope::STATE_UPDATE:
      return read(envelope.getStateUpdate());
    case wire::Envelope::DELTA_REQUEST:
      return read(envelope.getDeltaRequest());
    case wire::Envelope::DELTA_CHUNK:
      return read(envelope.getDeltaChunk());
    case wire::Envelope::STATE_REQUEST:
      return read(envelope.getStateRequest());
    case wire::Envelope::STATE_RESPONSE:
      return read(envelope.getStateResponse());
    case wire::Envelope::OFFER_RESULT:
      return read(envelope.getOfferResult());
    case wire::Envelope::SYNC_REQUEST:
      return read(envelope.getSyncRequest());
    case wire::Envelope::SYNC_REPORT:
      return read(envelope.getSyncReport());
    case wire::Envelope::QUERY:
      return read(envelope.getQuery());
    case wire::Envelope::QUERY_RESULT:
      return read(envelope.getQueryResult());
    case wire::Envelope::COMPACT_REQUEST:
      return read(envelope.getCompactRequest());
    case wire::Envelope::COMPACT_RESULT:
      return read(envelope.getCompactResult());
    case wire::Envelope::ERROR:
      return read(envelope.getError());
    case wire::Envelope::EPHEMERAL_WRITE:
      return read(envelope.getEphemeralWrite());
    case wire::Envelope::EPHEMERAL_RESULT:
      return read(envelope.getEphemeralResult());
    case wire::Envelope::EPHEMERAL_UPDATE:
      return read(envelope.getEphemeralUpdate());
    case wire::Envelope::EPHEMERAL_REQUEST:
      return read(envelope.getEphemeralRequest());
    case wire::Envelope::EPHEMERAL_STATE:
      return read(envelope.getEphemeralState());
    case wire::Envelope::CLAIM_REQUEST:
      return read(envelope.getClaimRequest());
    case wire::Envelope::CLAIM_RESULT:
      return read(envelope.getClaimResult());
  }
  codec::refuse_unsupported(fmt::format("message {}: this Waggle knows 0..{}",
                                        static_cast<unsigned>(envelope.which()),
                                        std::variant_size_v<Message> - 1));
}

}  // namespace

std::string encode(const Message& message) {
  return codec::frame_of([&](capnp::MessageBuilder& builder) {
    auto envelope = builder.initRoot<wire::Envelope>();
    envelope.setMagic(wire::MAGIC);
    envelope.setProtocol(kProtocolVersion);
    std::visit(WriteMember{envelope}, message);
  });
}

Result<Message> decode(std::string_view frame) {
  return codec::unframe(frame, read_message);
}

std::optional<std::uint16_t> protocol_of(std::string_view frame) {
  const Result<std::uint16_t> version = codec::unframe(frame, [](FrameReader& reader) {
    const auto envelope = reader.root<wire::Envelope>();
    check_magic(envelope);
    return envelope.getProtocol();
  });
  if (!version) return std::nullopt;
  return *version;
}

}  // namespace waggle
