#pragma once

// Each message as a pair: write(builder, message) and read(reader). Inner header of the codec;
// rules as in capnp/parts.h.

#include <waggle_schema/wire.capnp.h>

#include "base/message.h"

namespace waggle::codec {

// codec_join.cc
void write(wire::Hello::Builder to, const Hello& from);
[[nodiscard]] Hello read(wire::Hello::Reader from);
void write(wire::Welcome::Builder to, const Welcome& from);
[[nodiscard]] Welcome read(wire::Welcome::Reader from);
void write(wire::Refused::Builder to, const Refused& from);
[[nodiscard]] Refused read(wire::Refused::Reader from);
void write(wire::Attached::Builder to, const Attached& from);
[[nodiscard]] Attached read(wire::Attached::Reader from);
void write(wire::NoSession::Builder to, const NoSession& from);
[[nodiscard]] NoSession read(wire::NoSession::Reader from);
void write(wire::Fenced::Builder to, const Fenced& from);
[[nodiscard]] Fenced read(wire::Fenced::Reader from);
void write(wire::Bye::Builder to, const Bye& from);
[[nodiscard]] Bye read(wire::Bye::Reader from);
void write(wire::AgentHeartbeat::Builder to, const AgentHeartbeat& from);
[[nodiscard]] AgentHeartbeat read(wire::AgentHeartbeat::Reader from);
void write(wire::HeartbeatAck::Builder to, const HeartbeatAck& from);
[[nodiscard]] HeartbeatAck read(wire::HeartbeatAck::Reader from);
void write(wire::Heartbeat::Builder to, const Heartbeat& from);
[[nodiscard]] Heartbeat read(wire::Heartbeat::Reader from);

// codec_write.cc
void write(wire::Submit::Builder to, const Submit& from);
[[nodiscard]] Submit read(wire::Submit::Reader from);
void write(wire::SubmitResult::Builder to, const SubmitResult& from);
[[nodiscard]] SubmitResult read(wire::SubmitResult::Reader from);
void write(wire::StateUpdate::Builder to, const StateUpdate& from);
[[nodiscard]] StateUpdate read(wire::StateUpdate::Reader from);
void write(wire::DeltaRequest::Builder to, const DeltaRequest& from);
[[nodiscard]] DeltaRequest read(wire::DeltaRequest::Reader from);
void write(wire::DeltaChunk::Builder to, const DeltaChunk& from);
[[nodiscard]] DeltaChunk read(wire::DeltaChunk::Reader from);

// codec_round.cc
void write(wire::StateRequest::Builder to, const StateRequest& from);
[[nodiscard]] StateRequest read(wire::StateRequest::Reader from);
void write(wire::StateResponse::Builder to, const StateResponse& from);
[[nodiscard]] StateResponse read(wire::StateResponse::Reader from);
void write(wire::OfferResult::Builder to, const OfferResult& from);
[[nodiscard]] OfferResult read(wire::OfferResult::Reader from);
void write(wire::SyncRequest::Builder to, const SyncRequest& from);
[[nodiscard]] SyncRequest read(wire::SyncRequest::Reader from);
void write(wire::SyncReport::Builder to, const SyncReport& from);
[[nodiscard]] SyncReport read(wire::SyncReport::Reader from);

// codec_query.cc
void write(wire::Query::Builder to, const Query& from);
[[nodiscard]] Query read(wire::Query::Reader from);
void write(wire::QueryResult::Builder to, const QueryResult& from);
[[nodiscard]] QueryResult read(wire::QueryResult::Reader from);
void write(wire::CompactRequest::Builder to, const CompactRequest& from);
[[nodiscard]] CompactRequest read(wire::CompactRequest::Reader from);
void write(wire::CompactResult::Builder to, const CompactResult& from);
[[nodiscard]] CompactResult read(wire::CompactResult::Reader from);
void write(wire::ErrorReply::Builder to, const ErrorReply& from);
[[nodiscard]] ErrorReply read(wire::ErrorReply::Reader from);

// codec_ephemeral.cc
void write(wire::EphemeralWrite::Builder to, const EphemeralWrite& from);
[[nodiscard]] EphemeralWrite read(wire::EphemeralWrite::Reader from);
void write(wire::EphemeralResult::Builder to, const EphemeralResult& from);
[[nodiscard]] EphemeralResult read(wire::EphemeralResult::Reader from);
void write(wire::EphemeralUpdate::Builder to, const EphemeralUpdate& from);
[[nodiscard]] EphemeralUpdate read(wire::EphemeralUpdate::Reader from);
void write(wire::EphemeralRequest::Builder to, const EphemeralRequest& from);
[[nodiscard]] EphemeralRequest read(wire::EphemeralRequest::Reader from);
void write(wire::EphemeralState::Builder to, const EphemeralState& from);
[[nodiscard]] EphemeralState read(wire::EphemeralState::Reader from);

// codec_claims.cc
void write(wire::ClaimRequest::Builder to, const ClaimRequest& from);
[[nodiscard]] ClaimRequest read(wire::ClaimRequest::Reader from);
void write(wire::ClaimResult::Builder to, const ClaimResult& from);
[[nodiscard]] ClaimResult read(wire::ClaimResult::Reader from);

}  // namespace waggle::codec
