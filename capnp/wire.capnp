# What travels between a coordinator and its agents: one Envelope in one frame. The plain structs
# are in base/message.h and have the same names; what each message is for is said there, the steps
# of the protocol are in docs/protocol.md. This page fixes the bytes.
#
# DO NOT CHANGE OR RENUMBER what is here: no ordinal, type, default, order of union members or file
# id. Grow by adding fields and union members at the next ordinal; an old reader skips a field that
# it doesn't know and refuses a message that it doesn't know. Where skipping would be unsafe, raise
# the protocol version (kProtocolVersion) or ask for it in `features`.
#
# Conventions:
# - Enumerations are UInt8 with the numbers of base/: those numbers never change. A reader refuses
#   one that it doesn't know.
# - Text is valid UTF-8. Data is any bytes. Times are milliseconds, deadlines are what remains.
# - Revisions, seqs and other numbers that count are at most 2^62.
# - A hash of 128 bits is two numbers, `high` and `low`.
#
# Example: Bye{session = 7} as a frame of 40 bytes, each line one word of little-endian bytes:
#   00 00 00 00 04 00 00 00   segment table: 1 segment of 4 words
#   00 00 00 00 01 00 01 00   pointer to Envelope: 1 word of data, 1 pointer
#   57 61 67 6c 01 00 06 00   magic "Wagl", protocol 1, union member 6: bye
#   00 00 00 00 01 00 00 00   pointer to Bye: 1 word of data
#   07 00 00 00 00 00 00 00   session

@0xf15dbac99df90652;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("waggle::wire");

const magic :UInt32 = 0x6c676157;  # the bytes "Wagl"

struct Envelope {
  # magic and protocol are read before anything else and keep their place in every version.
  magic @0 :UInt32;
  protocol @1 :UInt16;
  union {
    # In the order of waggle::Message.
    hello @2 :Hello;
    welcome @3 :Welcome;
    refused @4 :Refused;
    attached @5 :Attached;
    noSession @6 :NoSession;
    fenced @7 :Fenced;
    bye @8 :Bye;
    agentHeartbeat @9 :AgentHeartbeat;
    heartbeatAck @10 :HeartbeatAck;
    heartbeat @11 :Heartbeat;
    submit @12 :Submit;
    submitResult @13 :SubmitResult;
    stateUpdate @14 :StateUpdate;
    deltaRequest @15 :DeltaRequest;
    deltaChunk @16 :DeltaChunk;
    stateRequest @17 :StateRequest;
    stateResponse @18 :StateResponse;
    offerResult @19 :OfferResult;
    syncRequest @20 :SyncRequest;
    syncReport @21 :SyncReport;
    query @22 :Query;
    queryResult @23 :QueryResult;
    compactRequest @24 :CompactRequest;
    compactResult @25 :CompactResult;
    error @26 :ErrorReply;
    ephemeralWrite @27 :EphemeralWrite;
    ephemeralResult @28 :EphemeralResult;
    ephemeralUpdate @29 :EphemeralUpdate;
    ephemeralRequest @30 :EphemeralRequest;
    ephemeralState @31 :EphemeralState;
    claimRequest @32 :ClaimRequest;
    claimResult @33 :ClaimResult;
    # Reserved, to be added in this order: proposal, ballot, decision.
  }
}

# ---- parts ---------------------------------------------------------------------------------------

struct Cursor {
  epoch @0 :UInt64;
  revision @1 :UInt64;
}

struct OwnThrough {
  incarnation @0 :UInt64;
  seq @1 :UInt64;
}

struct EpochEnd {
  epoch @0 :UInt64;
  last @1 :UInt64;
}

struct Pair {
  name @0 :Text;
  text @1 :Text;
}

struct Value {
  union {
    register :group {
      content @0 :UInt8;  # ContentType
      bytes @1 :Data;
    }
    counter @2 :Int64;
    set @3 :Data;  # base/value_bytes.h
    # Every other type. A reader refuses a type that it doesn't know: what it can't understand it
    # can't keep equal to what others hold.
    typed :group {
      type @4 :UInt8;  # ValueType, above 3
      body @5 :Data;  # base/value_bytes.h
    }
  }
}

struct Origin {
  # Reserved: who is behind a write and what vouches for it. Written as null at present. A reader
  # that doesn't know these may skip all of them but the fence token: a fence that is not looked at
  # gives no protection, so a reader refuses one that isn't 0 where it does not look at it.
  fenceToken @0 :UInt64;
  proposal @1 :UInt64;  # the id of the proposal that it carries out
  signature @2 :Data;  # of a record that is a register: 64 bytes, base/signature.h
  user @3 :Text;  # on whose behalf
  device @4 :Text;
  receipt @5 :Data;  # the hash of the receipt that the writer had seen
}

struct Record {
  version @0 :UInt64;
  commitWallMillis @1 :Int64;
  hlc @2 :UInt64;
  writer :group {
    agent @3 :Text;
    incarnation @4 :UInt64;
    seq @5 :UInt64;
  }
  content :group {
    high @6 :UInt64;
    low @7 :UInt64;
  }
  value @8 :Value;  # null: a tombstone
  metadata @9 :List(Pair);  # rising by name
  receipt @10 :Data;  # of the newest, 32 bytes; null: none
  receipts @11 :UInt32;
  # 0 durable, 1 ephemeral. A reader refuses one that it doesn't know, and an ephemeral one in what is
  # stored or counted by revision.
  valueClass @12 :UInt8;
  # Reserved: the level that the writer asked for, see base/status.h; 0: the coordinator's own.
  durability @13 :UInt8;
  origin @14 :Origin;  # reserved
  choice @15 :Choice;  # null: no rule chose between the version that stood and this write
}

struct Choice {
  rule @0 :Text;
  over @1 :UInt64;  # the version that stood, below the record's
  writer :group {  # of it
    agent @2 :Text;
    incarnation @3 :UInt64;
    seq @4 :UInt64;
  }
}

struct Change {
  key @0 :Text;
  union {
    absent @1 :Void;
    record @2 :Record;
    # How the value came from the one that the reader holds, where that is smaller. Only to those
    # who are known to hold it.
    delta :group {
      header @3 :Record;  # of the record as it is now, without its value
      from @4 :UInt64;  # the version that is changed; 0: none is needed
      form @5 :UInt8;  # 1: base/value_delta.h; 2: a register alone, packed (base/packing.h)
      body @6 :Data;
    }
  }
}

struct Entry {
  key @0 :Text;
  expect :union {
    any @1 :Void;
    version @2 :UInt64;
    mine @3 :UInt64;
    unchanged @14 :Void;
  }
  op :union {
    put :group {
      content @4 :UInt8;  # ContentType
      bytes @5 :Data;
    }
    delete @6 :Void;
    incr @7 :Int64;
    setAdd @8 :List(Data);  # rising
    setRemove @9 :List(Data);  # rising
    clear @10 :Void;
    typed @13 :Data;  # every other operation: base/op_bytes.h
  }
  metadata @11 :List(Pair);  # rising by name
  valueClass @12 :UInt8;  # reserved: always 0, durable
  signature @15 :Data;  # of a put: 64 bytes, base/signature.h; null: none
}

struct Mutation {
  incarnation @0 :UInt64;
  seq @1 :UInt64;
  hlc @2 :UInt64;
  epoch @3 :UInt64;  # of the context, with `seen` and `ownThrough`
  seen @4 :UInt64;
  ownThrough @5 :List(OwnThrough);
  entries @6 :List(Entry);
  durability @7 :UInt8;  # reserved, see Record
  origin @8 :Origin;  # its fence token: of the claim that the keys are written under; else reserved
}

struct Outcome {
  code @0 :UInt8;
  level @1 :UInt8;
  reason @2 :UInt8;
  conflict @3 :UInt8;  # ConflictKind
  changed @4 :Bool;
  revision @5 :UInt64;
  expected @6 :UInt64;
  coordinatorWallMillis @7 :UInt64;
  key @8 :Text;
  committed @9 :Record;  # null: the key is absent
  text @10 :Text;
  parked @11 :UInt64;
  retryMillis @12 :Int64;
}

# ---- joining -------------------------------------------------------------------------------------

struct Hello {
  protocol @0 :UInt16;
  role @1 :UInt8;
  features @2 :UInt64;
  cursor :group {
    epoch @3 :UInt64;
    revision @4 :UInt64;
  }
  swarm @5 :Text;
  agent @6 :Text;
  token @7 :Data;  # 16 bytes
  incarnations @8 :List(UInt64);
}

struct Welcome {
  session @0 :UInt64;
  nonce @1 :UInt64;
  start @2 :UInt64;
  epoch @3 :UInt64;
  head @4 :UInt64;
  floor @5 :UInt64;
  wallMillis @6 :Int64;
  window @7 :UInt64;
  heartbeatMillis @8 :Int64;
  privateKeys @9 :Bool;
  lineage @10 :List(EpochEnd);
  channel @11 :Text;
  view @12 :UInt64;
}

struct Refused {
  code @0 :UInt8;
  retryMillis @1 :Int64;
  text @2 :Text;
}

struct Attached {
  session @0 :UInt64;
  head @1 :UInt64;
  broadcast @2 :UInt64;
  ephemeral @3 :UInt64;
}

struct NoSession {
  session @0 :UInt64;
}

struct Fenced {
  session @0 :UInt64;
  text @1 :Text;
}

struct Bye {
  session @0 :UInt64;
}

# ---- beats ---------------------------------------------------------------------------------------

struct AgentHeartbeat {
  session @0 :UInt64;
  number @1 :UInt64;
  cursor :group {
    epoch @2 :UInt64;
    revision @3 :UInt64;
  }
  broadcast @4 :UInt64;
  confirmed @5 :List(OwnThrough);
  incarnations @6 :List(UInt64);
}

struct HeartbeatAck {
  session @0 :UInt64;
  number @1 :UInt64;
  head @2 :UInt64;
  broadcast @3 :UInt64;
}

struct Heartbeat {
  start @0 :UInt64;
  broadcast @1 :UInt64;
  epoch @2 :UInt64;
  head @3 :UInt64;
  digest :group {
    high @4 :UInt64;
    low @5 :UInt64;
  }
  swarm @6 :Text;
  ephemeral @7 :UInt64;
}

# ---- writing -------------------------------------------------------------------------------------

struct Submit {
  session @0 :UInt64;
  epoch @1 :UInt64;
  confirmed @2 :List(OwnThrough);
  mutations @3 :List(Mutation);  # one incarnation, rising seqs
}

struct MutationResult {
  incarnation @0 :UInt64;
  seq @1 :UInt64;
  outcome @2 :Outcome;
}

struct SubmitResult {
  session @0 :UInt64;
  epoch @1 :UInt64;
  results @2 :List(MutationResult);
}

# ---- updates and catch-up ------------------------------------------------------------------------

struct Applied {
  incarnation @0 :UInt64;
  seqThrough @1 :UInt64;
  agent @2 :Text;
}

struct StateUpdate {
  start @0 :UInt64;
  broadcast @1 :UInt64;
  epoch @2 :UInt64;
  from @3 :UInt64;
  to @4 :UInt64;
  round @5 :UInt64;
  elided @6 :UInt64;
  cleared @7 :Bool;
  deliveryClass @8 :UInt8;  # reserved
  swarm @9 :Text;
  applied @10 :List(Applied);
  changes @11 :List(Change);
}

struct DeltaRequest {
  session @0 :UInt64;
  request @1 :UInt64;
  cursor :group {
    epoch @2 :UInt64;
    revision @3 :UInt64;
  }
  base @4 :UInt64;
  bytesMax @5 :UInt32;
  prefix @6 :Text;
  holds @7 :Bool;
}

struct DeltaChunk {
  session @0 :UInt64;
  request @1 :UInt64;
  epoch @2 :UInt64;
  from @3 :UInt64;
  to @4 :UInt64;
  floor @5 :UInt64;
  head @6 :UInt64;
  complete @7 :Bool;
  reset @8 :Bool;
  text @9 :Text;
  changes @10 :List(Change);
  applied @11 :List(OwnThrough);
}

# ---- ephemeral keys ------------------------------------------------------------------------------

struct EphemeralEntry {
  key @0 :Text;
  value @1 :RegisterValue;  # null: delete
  metadata @2 :List(Pair);  # rising by name
  ageMillis @3 :Int64;
}

struct EphemeralWrite {
  session @0 :UInt64;
  number @1 :UInt64;
  entries @2 :List(EphemeralEntry);
}

struct EphemeralRefusal {
  key @0 :Text;
  code @1 :UInt8;
  reason @2 :UInt8;
  text @3 :Text;
}

struct EphemeralResult {
  session @0 :UInt64;
  number @1 :UInt64;
  at @2 :UInt64;
  refused @3 :List(EphemeralRefusal);
}

struct EphemeralUpdate {
  start @0 :UInt64;
  broadcast @1 :UInt64;
  from @2 :UInt64;
  to @3 :UInt64;
  swarm @4 :Text;
  changes @5 :List(Change);
}

struct EphemeralRequest {
  session @0 :UInt64;
  request @1 :UInt64;
}

struct EphemeralState {
  session @0 :UInt64;
  request @1 :UInt64;
  at @2 :UInt64;
  piece @3 :UInt32;
  last @4 :Bool;
  changes @5 :List(Change);
}

# ---- claims --------------------------------------------------------------------------------------

struct ClaimRequest {
  session @0 :UInt64;
  request @1 :UInt64;
  verb @2 :UInt8;
  token @3 :UInt64;
  ttlMillis @4 :Int64;
  waitMillis @5 :Int64;
  pattern @6 :Text;
  label @7 :Text;
  to @8 :Text;
  checkpoint @9 :Value;  # a register; null: none
  can @10 :List(Text);   # to take a task: capabilities
}

struct ClaimResult {
  session @0 :UInt64;
  request @1 :UInt64;
  code @2 :UInt8;
  reason @3 :UInt8;
  place @4 :UInt32;
  token @5 :UInt64;
  ttlMillis @6 :Int64;
  revision @7 :UInt64;
  pattern @8 :Text;
  text @9 :Text;
  checkpoint @10 :Value;  # a register; null: none
  task @11 :Value;        # of a task that was taken: its document, a register; null: none
}

# ---- rounds --------------------------------------------------------------------------------------

struct AskedKey {
  key @0 :Text;
  version @1 :UInt64;
  content :group {
    high @2 :UInt64;
    low @3 :UInt64;
  }
}

struct StateRequest {
  start @0 :UInt64;
  broadcast @1 :UInt64;
  round @2 :UInt64;
  epoch @3 :UInt64;
  head @4 :UInt64;
  digest :group {
    high @5 :UInt64;
    low @6 :UInt64;
  }
  remainingMillis @7 :Int64;
  all @8 :Bool;
  swarm @9 :Text;
  keys @10 :List(AskedKey);
}

struct Answer {
  key @0 :Text;
  kind @1 :UInt8;  # AnswerKind
  content @2 :UInt8;  # ContentType of the offer; this and the rest only with an offer
  basedOn @3 :UInt64;
  hlc @4 :UInt64;
  bytes @5 :Data;
}

struct StateResponse {
  session @0 :UInt64;
  round @1 :UInt64;
  rest @2 :UInt8;  # AnswerKind
  answers @3 :List(Answer);
}

struct OfferOutcome {
  key @0 :Text;
  hlc @1 :UInt64;
  took @2 :Bool;
  version @3 :UInt64;
}

struct OfferResult {
  session @0 :UInt64;
  round @1 :UInt64;
  outcomes @2 :List(OfferOutcome);
}

struct SyncRequest {
  session @0 :UInt64;
  request @1 :UInt64;
  timeoutMillis @2 :Int64;
  all @3 :Bool;
  priorityGiven @4 :Bool;
  priority @5 :UInt8;
  keys @6 :List(Text);
}

struct KeyReport {
  key @0 :Text;
  outcome @1 :UInt8;  # RoundOutcome
  strategy @2 :Text;
  version @3 :UInt64;
  winner @4 :Text;
  offers @5 :UInt32;
  same @6 :UInt32;
  behind @7 :UInt32;
  absent @8 :UInt32;
  differs @9 :UInt32;
}

struct SyncReport {
  session @0 :UInt64;
  request @1 :UInt64;
  round @2 :UInt64;
  outcome @3 :UInt8;  # RoundOutcome
  code @4 :UInt8;
  expected @5 :UInt32;
  head @6 :UInt64;
  elapsedMillis @7 :Int64;
  text @8 :Text;
  answered @9 :List(Text);
  missing @10 :List(Text);
  late @11 :List(Text);
  keys @12 :List(KeyReport);
}

# ---- questions -----------------------------------------------------------------------------------

struct GetQuery {
  keys @0 :List(Text);
  atLeast @1 :UInt64;
}

struct ListQuery {
  glob @0 :Text;
  after @1 :Text;
  limit @2 :UInt32;
  atLeast @3 :UInt64;
}

struct Query {
  session @0 :UInt64;
  request @1 :UInt64;
  union {
    get @2 :GetQuery;
    list @3 :ListQuery;
    status @4 :Void;
    agents @5 :Void;
    conflicts @6 :ConflictsQuery;
    receipts @7 :ReceiptsQuery;
  }
}

struct ConflictsQuery {
  glob @0 :Text;
  id @1 :UInt64;
  after @2 :UInt64;
}

struct ReceiptsQuery {
  key @0 :Text;
  limit @1 :UInt32;
  hasAfter @2 :Bool;
  afterKey @3 :Text;
  afterAt @4 :UInt64;
  afterIndex @5 :UInt32;
}

# The next ones are stored in the same form.

struct ReceiptInput {
  agent @0 :Text;
  version @1 :UInt64;
  hlc @2 :UInt64;
  content :group {
    high @3 :UInt64;
    low @4 :UInt64;
  }
  committed @5 :Bool;
  ancestor @6 :Bool;
  weight @7 :UInt32;
  value @8 :RegisterValue;  # null: not retained
}

struct RegisterValue {
  content @0 :UInt8;  # ContentType
  bytes @1 :Data;
}

struct Receipt {
  key @0 :Text;
  version @1 :UInt64;
  round @2 :UInt64;
  rule @3 :Text;
  inputs @4 :List(ReceiptInput);
  output :group {
    high @5 :UInt64;
    low @6 :UInt64;
  }
  previous @7 :Data;  # 32 bytes; null: zeros, the first of its key
  wallMillis @8 :Int64;
  electorate @9 :UInt64;
}

struct ConflictSide {
  agent @0 :Text;
  version @1 :UInt64;
  hlc @2 :UInt64;
  wallMillis @3 :Int64;
  value @4 :RegisterValue;  # null: absent
}

struct Conflict {
  id @0 :UInt64;
  key @1 :Text;
  kind @2 :UInt8;  # ConflictKind
  round @3 :UInt64;
  parkedWallMillis @4 :Int64;
  sides @5 :List(ConflictSide);
  ancestor @6 :RegisterValue;  # null: none is known
}

struct ReceiptAt {
  at @0 :UInt64;
  index @1 :UInt32;
  receipt @2 :Receipt;
}

struct AgentInfo {
  agent @0 :Text;
  role @1 :UInt8;
  health @2 :UInt8;
  attached @3 :Bool;
  cursor :group {
    epoch @4 :UInt64;
    revision @5 :UInt64;
  }
  heardMillisAgo @6 :Int64;
  session @7 :UInt64;
  overLimit @8 :UInt64;
}

struct SwarmInfo {
  swarm @0 :Text;
  head @1 :UInt64;
  floor @2 :UInt64;
  digest :group {
    high @3 :UInt64;
    low @4 :UInt64;
  }
  keys @5 :UInt64;
  tombstones @6 :UInt64;
  stateBytes @7 :UInt64;
  agents @8 :UInt64;
  openRounds @9 :UInt64;
  channel @10 :Text;
}

struct NamedCount {
  name @0 :Text;
  count @1 :UInt64;
}

struct QueryResult {
  session @0 :UInt64;
  request @1 :UInt64;
  code @2 :UInt8;
  level @3 :UInt8;
  more @4 :Bool;
  writable @5 :Bool;
  at :group {
    epoch @6 :UInt64;
    revision @7 :UInt64;
  }
  uptimeMillis @8 :Int64;
  text @9 :Text;
  version @10 :Text;
  changes @11 :List(Change);
  agents @12 :List(AgentInfo);
  swarms @13 :List(SwarmInfo);
  counters @14 :List(NamedCount);
  conflicts @15 :List(Conflict);
  receipts @16 :List(ReceiptAt);
}

struct CompactRequest {
  session @0 :UInt64;
  request @1 :UInt64;
  floor @2 :UInt64;
}

struct CompactResult {
  session @0 :UInt64;
  request @1 :UInt64;
  code @2 :UInt8;
  floor @3 :UInt64;
  forgotten @4 :UInt64;
  text @5 :Text;
}

struct ErrorReply {
  session @0 :UInt64;
  request @1 :UInt64;
  code @2 :UInt8;
  text @3 :Text;
  retryMillis @4 :Int64;
}
