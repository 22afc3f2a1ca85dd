"""The coordinator is killed again and again while it does something: every acknowledged write is there
in the end, none is there twice, and the digests of all agents and of the coordinator are equal.

    soak.py [--cycles N] [--seed S] [--seconds T]

One cycle: something is begun (MOMENTS), SIGKILL comes at a random moment of it, the coordinator is
started again on the same store. In between the agents go on writing. After every so many cycles all
must be equal. The seed draws who writes what and what is cut short when; the interleaving is the
machine's. It ends early after T seconds, and says so. What it kills are processes it started, by their
ids; each has a process group of its own.
"""

import argparse
import random
import signal
import sys
import time
import unittest

import kill_test
from kill_test import program
from ledger import check

MOMENTS = {  # what is cut short, and how often
    "writes": 30, "a round": 20, "compaction": 20, "delta service": 20, "recovery": 10}
EQUAL_EVERY = 25
TEMPORARY = 6  # keys that are put and deleted, so that there is something to compact


class Soak(kill_test.World):
    cycles = 0
    seconds = 0.0
    # Who was away while deletions were forgotten writes all the same; else its writes of new keys
    # would be conflicts, and no increment here may be one.
    config = '[[policy]]\nprefix = ""\nlate_write = "apply"\n'

    def start(self, *arguments, **options):
        return super().start(*arguments, group=0, **options)

    def command(self, *words):
        return self.start(*words, env=program.environment(
            HOME=self.directory, WAGGLE_COORDINATOR=self.endpoint, WAGGLE_TIMEOUT="5s"))

    def ready(self):
        return [m for m in self.members if m.ready() and m.life.incarnation]

    # ---- what is cut short -----------------------------------------------------------------------

    def begin_writes(self):
        for member in self.ready():
            for _ in range(self.random.randint(1, 10)):
                self.write_something(member)
        return []

    def begin_a_round(self):
        members = self.ready()
        for member in members:
            name = self.name()
            self.offered[name] = name
            member.send({"op": "offer", "key": "site", "value": name, "id": name})
        for member in members[:2]:
            member.send({"op": "sync", "keys": ["site"], "timeout": "500ms", "id": "sync"})
        return []

    def begin_compaction(self):
        self.write_temporary()
        return [self.command("compact", "--json")]

    def begin_delta_service(self):
        self.kill_agents(self.random.randint(1, 2))
        return [self.command("delta", "--since", "0", "--json") for _ in range(2)]

    def begin_recovery(self):
        self.cut_coordinator()
        file = self.directory / "serve.toml"
        return [self.start("serve", "--json", "--listen", self.endpoint, "--config", file, "--data",
                           self.directory / "coordinator")]

    def write_temporary(self):
        for member in self.ready()[:2]:
            for _ in range(3):
                key = f"temporary/{self.random.randrange(TEMPORARY)}"
                for operation in ("put", "delete"):
                    name = self.name()
                    self.ledger.write(member.life, name, "temporary")
                    member.send({"op": operation, "id": name, "key": key} |
                                ({"value": name} if operation == "put" else {}))

    # ---- what is told ----------------------------------------------------------------------------

    def on_tail(self, event):
        """Deletions may be forgotten before the feed, cut off at that moment, had them: then it begins
        anew with the whole state, in the order of the keys."""
        if event["event"] == "reset":
            self.whole_through = self.tail_at = self.readings.cursor("tail", event["to"])
            self.pairs.clear()
        elif event.get("version", self.whole_through + 1) <= self.whole_through:
            self.readings.value("tail", event)
            self.tail_at = self.readings.cursor("tail", event["cursor"])
        else:
            super().on_tail(event)

    def on_settled(self, member, event):
        super().on_settled(member, event)
        write = self.ledger.named.get(event.get("id"))
        if write is not None and write.kind == "temporary":
            self.deletions += event["ok"]

    # ---- a cycle ---------------------------------------------------------------------------------

    def cut_coordinator(self):
        self.coordinator.signal(signal.SIGKILL)
        self.coordinator.process.wait()

    def cycle(self):
        moment = self.random.choices(list(MOMENTS), list(MOMENTS.values()))[0]
        if moment == "compaction":
            self.write_temporary()
            self.traffic(0.1)
        begun = getattr(self, "begin_" + moment.replace(" ", "_"))()
        time.sleep(self.random.choice((0, 0.002, 0.01, 0.03, 0.06)) * self.random.random() * 2)
        if moment == "recovery":
            begun[0].signal(signal.SIGKILL)
            begun[0].process.wait()
        else:
            self.cut_coordinator()
        self.kills[moment] += 1
        for process in begun:
            process.end()
        self.traffic(self.random.choice((0, 0, 0.1)))  # offline
        self.restart_coordinator()
        self.traffic(self.random.uniform(0.05, 0.3))

    def test_every_acknowledged_write_survives(self):
        print(f"seed {self.seed}; again with: --seed {self.seed} --cycles {self.cycles}",
              file=sys.stderr, flush=True)
        self.kills = dict.fromkeys(MOMENTS, 0)
        self.deletions = 0
        self.whole_through = 0  # of the feed's last reset
        began = time.monotonic()
        self.begin()
        done = 0
        while done < self.cycles and time.monotonic() - began < self.seconds:
            self.cycle()
            done += 1
            if done % EQUAL_EVERY == 0:
                self.wait(self.equal, f"equal digests after {done} cycles")
                writes = self.ledger.writes()
                print(f"{done} cycles, {len(writes)} writes, "
                      f"{sum(w.committed for w in writes)} acknowledged, "
                      f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        self.wait(self.equal, "equal digests in the end")
        lost, twice = self.lost_and_twice()
        self.show(done, lost, twice, time.monotonic() - began)
        self.assertEqual((lost, twice), (0, 0))
        self.finish()
        check(done > 0, "at least one cycle in time", done)

    def lost_and_twice(self):
        """Acknowledged increments whose key is not there, and how many more the counter has."""
        records = {r["key"]: r for r in self.json("state", "ls")["records"]}
        counts = self.ledger.writes("count")
        lost = sum(w.committed and "op/" + w.name not in records for w in counts)
        once = sum(w.what["amount"] for w in counts if "op/" + w.name in records)
        return lost, records["total"]["value"] - once

    def show(self, done, lost, twice, seconds):
        writes = self.ledger.writes()
        rows = [("cycles", done if done == self.cycles else f"{done} of {self.cycles}, out of time")]
        rows += [(f"killed during {moment}", count) for moment, count in self.kills.items()]
        rows += [
            ("deletions to compact", self.deletions), ("writes asked for", len(writes)),
            ("acknowledged", sum(w.committed for w in writes)),
            ("refused", sum(not w.open and not w.committed for w in writes)),
            ("without an outcome", sum(w.open for w in writes)),
            ("lost", lost), ("applied twice", twice), ("seconds", round(seconds))]
        print("\n" + "\n".join(f"{name:<28} {value}" for name, value in rows), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--seconds", type=float, default=3600)
    given, rest = parser.parse_known_args()
    Soak.seed, Soak.cycles, Soak.seconds = given.seed, given.cycles, given.seconds
    unittest.main(argv=[sys.argv[0], *rest])
