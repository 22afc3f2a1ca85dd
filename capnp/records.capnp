# What is stored: each value in RocksDB is one Stored. Which key holds which kind is in
# docs/storage.md, the plain structs are in base/row.h. Records, mutations and outcomes are stored
# in the form in which they travel.
#
# DO NOT CHANGE OR RENUMBER what is here: no ordinal, type, default, order of union members or file
# id. Grow by adding at the next ordinal; where an old reader must not skip what was added, raise
# `format`: a reader refuses a greater one than its own.

@0x8122c2c94aeec161;

using Cxx = import "/capnp/c++.capnp";
using Wire = import "wire.capnp";
$Cxx.namespace("waggle::wire");

const storedFormat :UInt16 = 1;

struct Stored {
  format @0 :UInt16;
  union {
    # Not a kind: what bytes that were never written would say.
    none @1 :Void;
    value @2 :Wire.Value;
    record @3 :Wire.Record;
    store @4 :StoreRow;
    swarm @5 :SwarmRow;
    writer @6 :WriterRow;
    outcome @7 :Wire.Outcome;
    receipt @8 :Wire.Receipt;
    identity @9 :IdentityRow;
    mutation @10 :Wire.Mutation;
    cursor @11 :Wire.Cursor;
    # What a writer was told of consecutive seqs, not empty. Format 1 of the store had an `outcome`
    # for each.
    outcomes @12 :List(Wire.Outcome);
    conflict @13 :Wire.Conflict;
    # In place of `cursor`, where not the whole state may be held.
    held @14 :HeldState;
  }
}

struct HeldState {
  cursor @0 :Wire.Cursor;
  view @1 :UInt64;
}

struct StoreRow {
  epoch @0 :UInt64;
  hlcBound @1 :UInt64;
}

struct SwarmRow {
  swarm @0 :Text;
  lineage @1 :List(Wire.EpochEnd);
  head @2 :UInt64;
  floor @3 :UInt64;
  channel @4 :Text;
  clientsMark @5 :UInt64;
  membersMark @6 :UInt64;
  digest :group {
    high @7 :UInt64;
    low @8 :UInt64;
  }
  hasDigest @9 :Bool;
  lastConflict @10 :UInt64;
  lastToken @11 :UInt64;  # of a claim
}

struct WriterRow {
  swarm @0 :Text;
  agent @1 :Text;
  incarnation @2 :UInt64;
  through @3 :UInt64;
  beyondSeen @4 :UInt64;
  usedWallMillis @5 :Int64;
}

struct IdentityRow {
  swarm @0 :Text;
  agent @1 :Text;
  token @2 :Data;  # 16 bytes
}
