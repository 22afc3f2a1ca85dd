#!/usr/bin/env python3
"""Plants bugs in copies of the cores' sources, for tests/sim/mutants_main.cc.

    mutants.py ROOT OUT SOURCE...

writes to OUT a copy of each SOURCE (relative to ROOT) in which every text of the table below stands
beside its mutation, chosen at run time by planted(), and `mutants.inc`, the table for C++. The sources
themselves know nothing of it. A text that is not found exactly once ends the build: whoever changes
a line of this table's changes the table too.

An `old` that ends with ; or } is a statement, anything else an expression.
"""

import pathlib
import sys

# Name; what it is in the general catalogue of such bugs; edits (source, old, new).
MUTANTS = [
    ("answers go out before the batch is on disk", "ack before sync", [
        ("io/host.cc", "in_flight_ = std::move(group);", "carry_out(group); in_flight_ = Actions{};")]),
    ("a delta begins with what the reader has", "delta_sync uses >= instead of >", [
        ("coordinator/swarm_state.cc", "changes_.upper_bound(At{since, UINT32_MAX})",
         "changes_.lower_bound(At{since, 0})")]),
    ("of equal stamps the one that arrives later wins", "tie by arrival", [
        ("resolver/concurrent.cc", "if (later_wins) return ours > theirs;",
         "if (later_wins) return ours.hlc >= theirs.hlc;")]),
    ("a restored store goes on in its epoch", "epoch not bumped", [
        ("coordinator/coordinator.cc", "!store_.epoch || options_.new_epoch", "!store_.epoch")]),
    ("who wrote how far is forgotten at a start", "dedupe table forgotten on restart", [
        ("coordinator/coordinator.cc",
         "for (const WriterRow& row : recovered.writers) swarm_of(row.swarm).writers.restore(row);",
         ";")]),
    ("a remove takes away what it had not seen", "ctx of remove too wide", [
        ("resolver/merge_type.cc",
         "if (!drop_seen(dots, s.author)) continue;\n    changed = true;",
         "dots = {};\n    changed = true;")]),
    ("what was seen last counts as not seen", "ctx too narrow", [
        ("resolver/author.cc", "dot.revision <= seen || own(dot.writer)",
         "dot.revision < seen || own(dot.writer)")]),
    ("what is folded into a counter counts twice", "counter fold done twice", [
        ("resolver/merge_small.cc", "counter.base += kept->amount;",
         "counter.base += 2 * kept->amount;")]),
    ("a tombstone just above the floor is forgotten", "tombstone dropped above floor", [
        ("coordinator/swarm_state.cc", "tombstones_.begin()->first.revision <= floor",
         "tombstones_.begin()->first.revision <= floor.next()"),
        ("coordinator/swarm_state.cc", "row_.floor = std::max(row_.floor, version);", ";")]),
    ("the bound of the clock is not recovered", "HLC not persisted", [
        ("coordinator/coordinator.cc", "recovered.store.hlc_bound", "Hlc{}")]),
    ("a stamp from the future is believed", "HLC guard off", [
        ("coordinator/commits.cc", "HlcClock::too_far_ahead(mutation.hlc, now_.wall_millis)",
         "false")]),
    ("claims end by the wall clock", "lease on wall clock", [
        ("coordinator/claims.cc", "swarm.claims.due(now_.monotonic)",
         "swarm.claims.due(sim::by_the_wall(start_, now_))"),
        ("coordinator/claims.cc", "swarm.claims.next_wake() > now_.monotonic",
         "swarm.claims.next_wake() > sim::by_the_wall(start_, now_)")]),
    ("who hears the broadcasts takes the other way to work too",
     "one-way partition treated as two-way", [
        ("agent/agent.cc", "broadcast_ = std::max(broadcast_, heartbeat.broadcast);",
         "broadcast_ = std::max(broadcast_, heartbeat.broadcast); heard_ = now_.monotonic;")]),
    ("a write that overtook another is taken first", "sequence gap ignored", [
        ("coordinator/writers.cc",
         "if (seq != line->through.next()) return {Turn::kGap, line->through.next(), nullptr};", ";"),
        ("coordinator/writers.cc", "if (seq != Seq(1)) return {Turn::kGap, Seq(1), nullptr};", ";"),
        ("coordinator/writers.cc",
         'WAGGLE_CHECK(seq == line.through.next(), "a seq was consumed out of order");', ";")]),
    ("a group makes a commit of each of its keys", "batch split over two revisions", [
        ("coordinator/commits.cc",
         "commit(swarm, std::move(changes), {}, {author.agent, author.incarnation, author.seq});\n"
         "  outcome.revision = next;",
         """for (Change& change : changes) {
      auto alone = std::make_shared<Record>(*change.record);
      alone->version = swarm.state.head().next();
      commit(swarm, {{change.key, std::move(alone)}}, {},
             {author.agent, author.incarnation, author.seq});
    }
    outcome.revision = swarm.state.head();""")]),
    ("a snapshot lacks what is committed and not yet told", "snapshot without in-flight writes", [
        ("coordinator/service.cc", "chunk.changes = std::move(scan.changes);",
         """chunk.changes = std::move(scan.changes);
    if (!since && !swarm->told.empty())
      std::erase_if(chunk.changes, [&](const Change& one) {
        return one.record->version >= swarm->told.front().revision;
      });""")]),
    ("whoever votes belongs to the electorate", "quorum counts a removed member", [
        ("coordinator/proposals.cc", "proposal.electorate.find(session.agent)",
         "proposal.electorate.emplace(session.agent, Voter{}).first")]),
    ("the elements of a set are written as a hash table has them", "unordered iteration in encoding", [
        ("base/value_parts.cc",
         """for (const auto& [element, held] : set.elements) {
                          out_.string(element);
                          dots(held);
                        }""",
         """std::unordered_map<std::string, const Dots*> elements;
                        for (const auto& [element, held] : set.elements)
                          elements.emplace(std::string(element), &held);
                        for (const auto& [element, held] : elements) {
                          out_.string(element);
                          dots(*held);
                        }""")]),
    ("where the ancestor is lost a merge takes the write", "base lost -> silent ours", [
        ("resolver/concurrent.cc",
         'base_lost_ = true;\n'
         '      why_ += "; the version that the write began from is not kept any more (base_lost)";\n'
         '      return std::nullopt;',
         'return Verdict::applies(value_of(w_), this->rule("merge"));')]),
    ("a counter that is full begins anew", "wrap on u64", [
        ("resolver/merge_small.cc",
         "if (__builtin_add_overflow(counter.total, static_cast<std::uint64_t>(amount), "
         "&counter.total))\n    return overflow(amount, \"64 bits\");",
         "counter.total += static_cast<std::uint64_t>(amount);")]),
    # What the general catalogue does not name.
    ("a delta is served from below the floor", "", [
        ("coordinator/service.cc", "state.floor() > std::max(since, request.base)",
         "state.floor() > std::max(since, request.base).next()")]),
    ("an answer takes more of the overlay than was committed", "", [
        ("agent/outbox.cc", "p->first.seq <= through", "p->first.seq <= through.next()")]),
    ("a round takes what came after it asked for what it asked about", "", [
        ("resolver/round.cc", "(live ? q.present->version : Revision{}) != q.asked", "false")]),
    ("an update that begins above the cursor is applied", "", [
        ("agent/following.cc", "if (update.from > from.revision) return false;", ";")]),
]


def mutated(number, old, new):
    if old.rstrip()[-1] in ";}":
        return f"if (::waggle::sim::planted({number})) {{ {new} }} else {{ {old} }}"
    return f"(::waggle::sim::planted({number}) ? ({new}) : ({old}))"


def main():
    root, out, sources = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    named = sorted({source for _, _, edits in MUTANTS for source, _, _ in edits})
    if named != sorted(sources):
        sys.exit(f"mutants.py: the sources of the table are {' '.join(named)}, "
                 f"CMakeLists.txt names {' '.join(sorted(sources))}")
    texts = {source: (root / source).read_text() for source in named}
    pristine = dict(texts)
    for number, (name, _, edits) in enumerate(MUTANTS, start=1):
        for source, old, new in edits:
            if pristine[source].count(old) != 1 or texts[source].count(old) != 1:
                sys.exit(f"mutants.py: '{name}': expected this text once in {source}, found it "
                         f"{pristine[source].count(old)} times:\n{old}")
            texts[source] = texts[source].replace(old, mutated(number, old, new))
    for source, text in texts.items():
        (out / source.replace("/", "_")).write_text(
            f'#include <unordered_map>\n#include "tests/sim/mutants.h"\n#line 1 "{root / source}"\n{text}')
    rows = [f'{{"{name}", "{of}"}},' for name, of, _ in MUTANTS]
    (out / "mutants.inc").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
