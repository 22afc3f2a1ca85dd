"""Agents write while they and their coordinator are killed: nothing acknowledged is lost, nothing
is applied twice, no reader is shown a half of a group or goes back.

    kill_test.py [--seed N] [--rounds N]

The seed draws who writes what and who is killed when; the interleaving is the machine's.
"""

import argparse
import json
import random
import signal
import sys
import time
import unittest

import inbox
import ledger
from inbox import program
from ledger import check

AGENTS = 5
PAIRS = 3
REGISTERS = 2     # written by compare-and-set
OPEN_MAX = 24     # writes of one agent that wait for their outcome
ROUND_SECONDS = 4  # far above what one takes
HEARTBEAT = 0.2   # program.Case serves with it
LEASE = 9 * HEARTBEAT


class Member:
    """An agent over all its lives, as its driver sees it."""

    def __init__(self, test, name):
        self.test = test
        self.name = name
        self.process = None
        self.life = None
        self.stopped = False
        self.leaving = False  # it was sent TERM
        self.over = False  # its output ended
        self.elements = []  # in the set by our own add
        self.reads = 0

    def start(self):
        self.life = self.test.ledger.new_life(self.name)
        self.over = self.stopped = self.leaving = False
        self.process = self.test.start(
            "agent", "run", "--id", self.name, "--coordinator", self.test.endpoint, "--changes",
            "--initial", "--drain", "300ms", "--data", self.test.directory / self.name)
        self.test.members_by_process[self.process] = self
        self.test.inbox.follow(self.process)

    def send(self, operation):
        try:
            self.process.send(operation)
        except BrokenPipeError:
            pass  # what ended it is seen in its output

    def ready(self):
        """The first write of a life is alone, so that its incarnation is known before more follow:
        what is reported for it later is found by that."""
        return (not self.over and not self.stopped and self.life.unsettled() < OPEN_MAX and
                (self.life.incarnation is not None or not self.life.writes))


class World(program.Case):
    """Agents that write, one coordinator, a reader of the feed, and what is known of all of them."""

    seed = 0
    config = ""  # of the coordinator, beside program.Case's own

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.seed)
        self.ledger = ledger.Ledger()
        self.readings = ledger.Readings()
        self.inbox = inbox.Inbox()
        self.members_by_process = {}
        self.names = 0
        self.versions = {f"cas/{i}": 0 for i in range(REGISTERS)}  # the newest that is known
        self.offered = {}
        self.taken = []
        self.statuses = {}
        self.counts = {}
        self.pairs = {}  # of the tail: (pair, half) -> (version, value)
        self.tail_at = 0
        self.tail_over = False

    # ---- what is done ----------------------------------------------------------------------------

    def name(self):
        self.names += 1
        return f"w{self.names}"

    def write_something(self, member):
        kind = self.random.choices(("count", "lone", "pair", "cas", "add", "remove"),
                                   (30, 10, 25, 20, 10, 5))[0]
        if kind == "remove" and not member.elements:
            kind = "add"
        getattr(self, "write_" + kind)(member, self.name())

    def write_count(self, member, name):
        """The key beside the counter tells whether the increment was applied, if nobody does."""
        amount = self.random.randint(1, 100)
        self.ledger.write(member.life, name, "count", amount=amount)
        member.send({"op": "group", "id": name, "entries": [
            {"op": "incr", "key": "total", "amount": amount},
            {"op": "put", "key": "op/" + name, "value": str(amount)}]})

    def write_lone(self, member, name):
        amount = self.random.choice((-3, -1, 1, 2, 5))
        self.ledger.write(member.life, name, "lone", amount=amount)
        member.send({"op": "incr", "id": name, "key": "lone", "amount": amount})

    def write_pair(self, member, name):
        pair = self.random.randrange(PAIRS)
        self.ledger.write(member.life, name, "pair", pair=pair)
        member.send({"op": "group", "id": name, "entries": [
            {"op": "put", "key": f"pair/{pair}/{half}", "value": name} for half in "ab"]})

    def write_cas(self, member, name):
        key = self.random.choice(sorted(self.versions))
        self.ledger.write(member.life, name, "cas", key=key, version=self.versions[key])
        member.send({"op": "put", "id": name, "key": key, "value": name,
                     "if_version": self.versions[key]})

    def write_add(self, member, name):
        self.ledger.write(member.life, name, "add", element=name)
        member.send({"op": "add", "id": name, "key": "set", "elements": [name, "all"]})

    def write_remove(self, member, name):
        element = member.elements.pop()
        self.ledger.write(member.life, name, "remove", element=element)
        member.send({"op": "remove", "id": name, "key": "set", "elements": [element]})

    def do_something(self, member):
        what = self.random.random()
        if what < 0.8:
            self.write_something(member)
        elif what < 0.9:
            member.reads += 1
            pair = self.random.randrange(PAIRS)
            member.send(self.random.choice((
                {"op": "get", "keys": [f"pair/{pair}/a", f"pair/{pair}/b"], "id": "read"},
                {"op": "list", "glob": "pair/*", "id": "read"}, {"op": "status", "id": "look"},
                {"op": "delta", "id": "delta"})))
        elif what < 0.95:
            name = self.name()
            self.offered[name] = name
            member.send({"op": "offer", "key": "site", "value": name, "id": name})
        else:
            member.send({"op": "sync", "keys": ["site"], "timeout": "500ms", "id": "sync"})

    # ---- what is told ----------------------------------------------------------------------------

    def on_event(self, member, event):
        name = event["event"]
        self.counts[name] = self.counts.get(name, 0) + 1
        if name == "queued":
            self.ledger.on_queued(member.life, event)
        elif name == "settled":
            self.on_settled(member, event)
        elif name == "change":
            self.on_change(member, event)
        elif name in ("value", "values"):
            self.on_values(member.name, event, event["at"])
        elif name == "offer_settled" and event["took"] and "id" in event:
            self.taken.append((event["version"], self.offered[event["id"]]))
        elif name == "status":
            self.statuses[member.name] = event
        elif name == "error":
            # What an agent reads after TERM is refused by name, and never queued.
            late = member.leaving and event.get("code") == "unavailable"
            check(late or event.get("id") in ("sync", "delta", "read"), "no write is turned away",
                  event)
        elif name in ("writes_lost", "digest_mismatch", "lagged"):
            check(False, "no such thing", event)
        for cursor in ("cursor", "to", "at"):
            if event.get(cursor) and name != "lagged":
                self.readings.cursor(member.name, event[cursor])

    def on_settled(self, member, event):
        write = self.ledger.on_settled(member.life, event)
        if write.kind == "cas":
            key = write.what["key"]
            version = event["revision"] if event["ok"] else event["committed"].get("version", 0)
            self.versions[key] = max(self.versions[key], version)
        elif write.kind == "add":
            check(event["ok"], "an addition to a set merges", write)
            owner = next(m for m in self.members if m.name == write.life.agent)
            owner.elements.append(write.what["element"])
        elif write.kind in ("count", "lone"):
            check(event["ok"], "an increment merges", write)
        if "committed" in event and event["committed"]["exists"]:
            self.readings.value(member.name, event["committed"])

    def on_change(self, member, event):
        halves = {}
        for change in event["changes"]:
            self.readings.value(member.name, change)
            halves[change["key"]] = change
        self.check_halves(member.name, halves, "version")

    def on_values(self, reader, answer, at):
        records = {r["key"]: r for r in answer["records"]}
        self.check_halves(reader, records, "value")
        if answer.get("pending"):  # with writes of its own that nobody else has seen
            return
        self.check_halves(reader, records, "version")
        for record in records.values():
            if record.get("exists"):
                self.readings.value(reader, record)

    def check_halves(self, reader, records, field):
        for key, record in records.items():
            if key.startswith("pair/"):
                other = records.get(key[:-1] + ("b" if key.endswith("a") else "a"))
                check(other is not None and other.get(field) == record.get(field),
                      f"{reader} sees a group whole", (record, other))

    def on_tail(self, event):
        check(event["event"] in ("change", "cursor"), "the feed has no reset", event)
        revision = self.tail_at = self.readings.cursor("tail", event["cursor"])
        if event["event"] == "cursor":
            return
        self.readings.value("tail", event)
        if not event["key"].startswith("pair/"):
            return
        _, pair, half = event["key"].split("/")
        self.pairs[pair, half] = (event["version"], event["value"])
        if revision >= event["version"]:  # the last line of its commit
            check(self.pairs.get((pair, "a")) == self.pairs.get((pair, "b")),
                  "the feed shows a group whole", (pair, self.pairs))

    def take(self, seconds):
        """Handles what was told: all that is there, or waits so long for one thing."""
        if (found := self.inbox.take(seconds)) is None:
            return False
        process, event = found
        member = self.members_by_process.get(process)
        if member is None:
            if event is None:
                self.tail_over = True
            else:
                self.on_tail(event)
        elif event is None:
            member.over = True
        else:
            self.on_event(member, event)
        return True

    def pump(self, until):
        while self.take(max(until - time.monotonic(), 0)):
            pass

    def wait(self, condition, what):
        deadline = time.monotonic() + program.PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"not in time: {what}; {[m.process.messages for m in self.members]}")
            self.take(0.02)

    # ---- faults ----------------------------------------------------------------------------------

    def traffic(self, seconds):
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            for member in self.random.sample(self.members, len(self.members)):
                check(not member.over, "an agent ends only when it is told to",
                      member.process.messages)
                for _ in range(self.random.randint(0, 3)):
                    if member.ready():
                        self.do_something(member)
            self.pump(min(now + 0.02, until))

    def kill_coordinator(self):
        self.coordinator.signal(signal.SIGKILL)
        self.coordinator.process.wait()
        self.traffic(self.random.choice((0, 0, 0.1, 0.3)))  # offline
        self.restart_coordinator()

    def term_coordinator(self):
        self.coordinator.signal(signal.SIGTERM)
        self.assertEqual(self.coordinator.wait(), 0, self.coordinator.messages)
        self.traffic(self.random.choice((0, 0.1)))
        self.restart_coordinator()

    def restart_coordinator(self):
        before = self.coordinator.ready["epoch"]
        self.coordinator = self.serve(listen=self.endpoint, config=self.config)
        self.assertEqual(self.coordinator.ready["epoch"], before)

    def stop_coordinator(self):
        self.coordinator.signal(signal.SIGSTOP)
        self.traffic(self.random.choice((0.2, 0.4, 0.8)))
        self.coordinator.signal(signal.SIGCONT)

    def kill_agents(self, count=1):
        known = [m for m in self.members if m.life.incarnation]
        killed = self.random.sample(known, min(count, len(known)))
        for member in killed:
            member.life.killed = True
            member.process.signal(signal.SIGKILL)
        for member in killed:
            self.ended(member, -signal.SIGKILL)
            member.start()

    def kill_all(self):
        self.coordinator.signal(signal.SIGKILL)
        self.kill_agents(self.random.randint(1, AGENTS))
        self.coordinator.process.wait()
        self.restart_coordinator()

    def term_agent(self):
        member = self.random.choice(self.members)
        member.leaving = True
        member.process.signal(signal.SIGTERM)
        self.ended(member, 128 + signal.SIGTERM)
        for write in member.life.writes:
            check(write.queued or write.open, "what was settled was queued", write)
        member.start()

    def stop_agent(self):
        member = self.random.choice(self.members)
        member.process.signal(signal.SIGSTOP)
        member.stopped = True
        self.traffic(self.random.choice((0.2, 0.5, LEASE + 2 * HEARTBEAT)))
        member.process.signal(signal.SIGCONT)
        member.stopped = False

    def ended(self, member, code):
        self.assertEqual(member.process.process.wait(timeout=program.PATIENCE), code)
        self.wait(lambda: member.over, f"the end of the output of {member.name}")

    def read_outside(self):
        """Readers that come and go."""
        found = self.json("state", "ls", "pair/*")
        self.on_values("~ls", found, found["cursor"])
        self.readings.cursor("~ls", found["cursor"])
        found = self.json("delta", "--since", "0")
        self.on_change(argparse.Namespace(name="~delta"), found)
        self.readings.cursor("~delta", found["to"])

    # ---- the end ---------------------------------------------------------------------------------

    def equal(self):
        swarm = self.json("status")["swarms"][0]
        self.statuses.clear()
        for member in self.members:
            member.send({"op": "status", "id": "look"})
        self.wait(lambda: len(self.statuses) == len(self.members), "every agent's status")
        return all((s["link"], s["outbox"], s["digest"], s["cursor"].split("@")[1]) ==
                   ("attached", 0, swarm["digest"], str(swarm["revision"]))
                   for s in self.statuses.values())

    def check_everything(self):
        records = {r["key"]: r for r in self.json("state", "ls")["records"]}
        for record in records.values():
            self.readings.value("~ls", record)
        for write in self.ledger.writes():
            check(not write.open or write.life.killed or not write.queued,
                  "settled in the end, unless its life was killed while it told so", write)
            if write.committed and write.kind in ("cas", "lone"):
                check(write.outcome["revision"] > 0 and write.outcome["level"] == "durable",
                      "committed means stored", write)
        self.check_counts(records)
        self.check_pairs(records)
        self.check_chains(records)
        self.check_set(records)
        for version, value in self.taken:
            check(self.readings.known("site", version) in (None, value), "a taken offer was that",
                  (version, value))

    def check_counts(self, records):
        writes = self.ledger.writes("count")
        applied = 0
        for write in writes:
            beside = records.get("op/" + write.name)
            if beside is not None:
                applied += write.what["amount"]
                check(beside["value"] == str(write.what["amount"]), "as written", (beside, write))
            check(beside is not None or not write.committed, "what was acknowledged is there",
                  write)
            check(beside is None or write.queued or write.life.killed or not write.open,
                  "what was never taken is not there", write)
        self.assertEqual(records["total"]["value"], applied)
        known = sum(w.what["amount"] for w in self.ledger.writes("lone") if w.committed)
        maybe = [w.what["amount"] for w in self.ledger.writes("lone") if w.open]
        self.assertLessEqual(known + sum(a for a in maybe if a < 0), records["lone"]["value"])
        self.assertGreaterEqual(known + sum(a for a in maybe if a > 0), records["lone"]["value"])

    def check_last(self, record, writes):
        """A register holds what the last of its committed writes put there."""
        committed = [w for w in writes if w.committed and w.outcome["changed"]]
        for write in committed:
            known = self.readings.known(record["key"], write.outcome["revision"])
            check(known in (None, write.name), "the revision told is the write's own",
                  (known, write))
        last = max(committed, key=lambda w: w.outcome["revision"])
        check(record["version"] >= last.outcome["revision"], "what was acknowledged is there",
              (record, last))
        if record["version"] == last.outcome["revision"]:
            self.assertEqual(record["value"], last.name)
        else:
            check(self.ledger.named[record["value"]].open, "overwritten only by a write", record)

    def check_pairs(self, records):
        self.check_halves("~ls", records, "version")
        self.check_halves("~ls", records, "value")
        for pair in range(PAIRS):
            writes = [w for w in self.ledger.writes("pair") if w.what["pair"] == pair]
            self.check_last(records[f"pair/{pair}/a"], writes)

    def check_chains(self, records):
        for key in self.versions:
            writes = [w for w in self.ledger.writes("cas") if w.what["key"] == key]
            self.check_last(records[key], writes)
            chain = sorted((w for w in writes if w.committed), key=lambda w: w.outcome["revision"])
            bases = [w.what["version"] for w in chain]
            self.assertEqual(len(bases), len(set(bases)), "one write for each version")
            for before, write in zip(chain, chain[1:]):
                base = write.what["version"]
                check(base >= before.outcome["revision"], "nobody's write was passed over",
                      (before, write))
                if base != before.outcome["revision"]:  # one in between whose outcome was lost
                    between = self.ledger.named[self.readings.known(key, base)]
                    check(between.open, "the version it names was written", (between, write))

    def check_set(self, records):
        elements = set(records["set"]["value"])
        removed = {w.what["element"]: w for w in self.ledger.writes("remove")}
        for add in self.ledger.writes("add"):
            remove = removed.get(add.name)
            if remove is not None and not remove.open:
                check((add.name in elements) != remove.committed, "removed", (add, remove))
            elif remove is None and add.committed:
                check(add.name in elements, "added", add)
        self.assertIn("all", elements)

    def begin(self):
        self.coordinator = self.serve(config=self.config)
        self.members = [Member(self, f"m{i}") for i in range(AGENTS)]
        for member in self.members:
            member.start()
        self.tail = self.start("tail", "--json", "--from", "0", "--coordinator", self.endpoint)
        self.inbox.follow(self.tail)
        self.traffic(0.3)
        self.wait(lambda: self.tail_at > 0 or self.tail_over, "the first line of the feed")

    def finish(self):
        self.wait(self.equal, "equal digests and empty outboxes")
        self.check_everything()
        head = self.json("status")["swarms"][0]["revision"]
        check(not self.tail_over, "the feed ends only when it is told to", self.tail.messages)
        self.wait(lambda: self.tail_at == head, "the end of the feed")
        self.tail.signal(signal.SIGTERM)
        self.wait(lambda: self.tail_over, "the feed's last line")


class Kill(World):
    rounds = 0

    def test_nothing_acknowledged_is_lost_and_nothing_is_applied_twice(self):
        print(f"seed {self.seed}; again with: --seed {self.seed} --rounds {self.rounds}",
              file=sys.stderr, flush=True)
        self.begin()
        end = time.monotonic() + max(ROUND_SECONDS * self.rounds, 1)
        for done in range(self.rounds):
            if time.monotonic() > end:  # a slow machine
                print(f"only {done} rounds in time", file=sys.stderr)
                break
            self.random.choices((self.kill_coordinator, self.kill_agents, self.kill_all),
                                (45, 40, 15))[0]()
            self.traffic(self.random.uniform(0.2, 0.7))
            if self.random.random() < 0.6:
                self.random.choice((self.stop_agent, self.stop_coordinator, self.term_agent,
                                    self.term_coordinator))()
                self.traffic(self.random.uniform(0.1, 0.3))
            if self.random.random() < 0.4:
                self.read_outside()
        self.finish()
        writes = self.ledger.writes()
        earlier = sum(bool(w.outcome and w.outcome.get("earlier")) for w in writes)
        print(f"{len(writes)} writes: {sum(w.committed for w in writes)} committed, "
              f"{sum(not w.open and not w.committed for w in writes)} refused, {earlier} told by a "
              f"later process, {sum(w.open for w in writes)} without an outcome; "
              f"{len(self.taken)} offers taken; {self.readings.count} versions seen; "
              f"{json.dumps(self.counts)}", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--rounds", type=int, default=10)
    given, rest = parser.parse_known_args()
    World.seed, Kill.rounds = given.seed, given.rounds
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
