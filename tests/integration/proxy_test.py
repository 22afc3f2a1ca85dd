"""Real agents behind a link that delays, stalls, cuts and resets: nothing is lost, nothing is done
twice, and after the link is well again all hold the same.

usage: proxy_test.py [--seed N] [--rounds N]
"""

import argparse
import random
import socket
import sys
import time
import unittest

import proxy
from inbox import program


NEAR = "127.0.0.2"


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class BadLink(program.Case):
    options = argparse.Namespace(seed=0, rounds=8)

    def setUp(self):
        super().setUp()
        seed = self.options.seed or random.SystemRandom().getrandbits(31)
        print(f"seed {seed}; again with: --seed {seed} --rounds {self.options.rounds}",
              file=sys.stderr)
        self.random = random.Random(seed)
        port, channel = free_ports(2)
        self.coordinator = self.serve(
            listen=f"tcp://127.0.0.1:{port}",
            config=f"[coordinator]\nbroadcast_ports = [{channel}, {channel}]\n")
        try:
            self.link = proxy.Proxy(NEAR, "127.0.0.1", [port, channel])
        except OSError as error:
            self.skipTest(f"{NEAR} can't be listened on: {error}")
        self.addCleanup(self.link.close)
        self.far = f"tcp://{NEAR}:{port}"

    def behind(self, name):
        process = self.start("agent", "run", "--id", name, "--coordinator", self.far, "--data",
                             self.directory / name)
        process.wait_for("link", state="attached")
        return process

    def fault(self):
        """One thing goes wrong for a while."""
        link = self.link
        kind = self.random.choice(("cut", "reset", "up", "down", "both", "delay", "trickle",
                                   "refuse"))
        if kind in ("cut", "reset"):
            for _ in range(self.random.randint(1, 3)):
                link.cut(reset=kind == "reset")
                time.sleep(self.random.uniform(0.01, 0.3))
        elif kind in ("up", "down", "both"):
            # Short of, about, and beyond the lease of 9 beats of 200 ms.
            link.stalled = {"up", "down"} if kind == "both" else {kind}
            time.sleep(self.random.choice((0.2, 0.8, 2.5)))
        elif kind == "delay":
            link.delay = self.random.uniform(0.05, 0.4)
            time.sleep(1.0)
        elif kind == "trickle":
            link.trickle = True
            time.sleep(0.5)
        else:
            link.refusing = True
            link.cut()
            time.sleep(self.random.uniform(0.2, 1.0))
        self.heal()
        return kind

    def heal(self):
        self.link.stalled = set()
        self.link.delay = 0.0
        self.link.trickle = self.link.refusing = False

    def test_nothing_is_lost_or_done_twice(self):
        agents = [self.behind(name) for name in ("a", "b")]
        local = self.attached_agent("near")  # past the proxy: its link is always well
        sent = 0
        kinds = set()
        for number in range(self.options.rounds):
            for agent in agents + [local]:
                for _ in range(self.random.randint(1, 30)):
                    sent += 1
                    agent.send({"op": "incr", "key": "n", "id": sent})
            agents[0].send({"op": "put", "key": f"k/{number}", "value": "x" * 20_000, "id": f"k{number}"})
            kinds.add(self.fault())
        done = set()
        for agent in agents + [local]:
            agent.send({"op": "put", "key": f"last/{id(agent)}", "value": 1, "id": "last"})
            agent.wait_for("settled", id="last")
            done |= {e["id"] for e in agent.events if e["event"] == "settled" and e["ok"]}
        self.assertEqual(len([d for d in done if isinstance(d, int)]), sent, kinds)
        self.assertEqual(int(self.out("state", "get", "n")), sent)
        head = self.json("status")["swarms"][0]
        for agent in agents + [local]:
            agent.send({"op": "get", "key": "n", "at_least": head["revision"], "id": "end"})
            self.assertEqual(agent.wait_for("value", id="end")["value"], sent)
            agent.send({"op": "status", "id": "digest"})
            status = agent.wait_for("status", id="digest")
            self.assertEqual(status["digest"], head["digest"])
        self.assertGreater(self.link.connections, 4)

    def test_a_stalled_reader_does_not_hold_the_others(self):
        slow = self.behind("slow")
        near = self.attached_agent("near")
        self.link.stalled = {"down"}
        for number in range(300):
            near.send({"op": "put", "key": f"big/{number % 20}", "value": "y" * 50_000,
                       "id": number})
        for number in range(300):
            near.wait_for("settled", id=number)
        self.heal()
        revision = self.json("status")["swarms"][0]["revision"]
        slow.send({"op": "get", "key": "big/0", "at_least": revision, "timeout": "30s", "id": "g"})
        self.assertEqual(slow.wait_for("value", id="g")["value"], "y" * 50_000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=8)
    options, rest = parser.parse_known_args()
    BadLink.options = options
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
