"""Processes read, swap and write under claims at once, while the coordinator is killed and stands
still; what each saw is recorded, and has to be linearizable, key by key.

    linearizable_test.py [--seed N] [--rounds N]
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))

import program  # noqa: E402

CHECKER = os.environ["WAGGLE_LINEARIZABLE"]
CLIENTS = 5
SWAPPED = 2  # keys that are written by compare-and-set
CLAIMED = 2  # keys that are written under a claim
ROUND_SECONDS = 3


class Client(threading.Thread):
    """One after another runs commands and records what each said. A command that was not answered is
    one of which nobody knows whether it had an effect."""

    def __init__(self, test, name, seed):
        super().__init__()
        self.test = test
        self.name = name
        self.random = random.Random(seed)
        self.operations = []
        self.refused = 0
        self.values = 0
        self.known = {}  # the version that it saw last

    def run(self):
        while not self.test.over.is_set():
            if self.random.random() < 0.6:
                self.swap_or_read(f"swap/{self.random.randrange(SWAPPED)}")
            else:
                self.write_under_claim(f"held/{self.random.randrange(CLAIMED)}")

    def do(self, *words):
        """When it was called and returned, its exit code, and what it printed; nothing: no answer."""
        called = time.monotonic_ns()
        done = subprocess.run(
            [program.PROGRAM, *words, "--json", "--coordinator", self.test.endpoint,
             "--timeout", "1s"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=self.test.environment, check=False)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            answer = {}
        return called, time.monotonic_ns(), done.returncode, answer

    def note(self, key, kind, called, returned, **more):
        one = {"key": key, "client": self.name, "kind": kind, "called": called, **more}
        if returned is not None:
            one["returned"] = returned
        self.operations.append(one)

    def read(self, key):
        called, returned, code, answer = self.do("state", "get", key)
        if code == 3:
            answer = {"version": 0, "value": ""}
        elif code != 0:
            return None  # nothing was seen
        self.note(key, "read", called, returned, value=answer["value"], version=answer["version"])
        self.known[key] = answer["version"]
        return answer["version"]

    def new_value(self):
        self.values += 1
        return f"{self.name}-{self.values}"

    def write(self, key, kind, *condition, **more):
        value = self.new_value()
        called, returned, code, answer = self.do("state", "put", key, value, *condition)
        if code == 0:
            self.note(key, kind, called, returned, value=value, version=answer["revision"], **more)
            self.known[key] = answer["revision"]
        elif code == 4 and kind == "swap":
            self.note(key, "no_swap", called, returned, **more)
        elif code in (4, 7):
            self.refused += 1  # it must have had no effect: nobody may read its value
        else:
            self.note(key, kind, called, None, value=value, **more)
        return code

    def swap_or_read(self, key):
        if self.random.random() < 0.4 or key not in self.known:
            self.read(key)
        else:
            expected = self.known[key]
            self.write(key, "swap", "--if-version", str(expected), expected=expected)

    def write_under_claim(self, key):
        called, returned, code, answer = self.do("claim", "take", key, "--ttl", "400ms", "--wait",
                                                 "2s")
        if code != 0:
            return
        token = str(answer["token"])
        self.read(key)
        if self.random.random() < 0.15:
            time.sleep(0.6)  # beyond its time: what it writes then has to be refused
        self.write(key, "write", "--token", token)
        if self.random.random() < 0.8:
            self.do("claim", "release", key, "--token", token)


class Linearizable(program.Case):
    options = argparse.Namespace(seed=0, rounds=3)

    def check(self, operations):
        text = "".join(json.dumps(one) + "\n" for one in operations)
        done = subprocess.run([CHECKER], input=text, stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout

    def test_what_processes_see_is_linearizable(self):
        data = self.directory / "store"
        server = self.serve("--data", data)
        self.environment = program.environment(HOME=self.directory)
        self.over = threading.Event()
        seed = self.options.seed or random.SystemRandom().randrange(1, 1 << 31)
        print(f"seed {seed}", flush=True)
        chance = random.Random(seed)
        clients = [Client(self, f"c{n}", seed + n) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            for n in range(self.options.rounds):
                time.sleep(ROUND_SECONDS * chance.uniform(0.7, 1.3))
                if n % 2 == 0:
                    server.signal(signal.SIGKILL)
                    server.wait()
                    time.sleep(chance.uniform(0, 2.5))  # so that some get no answer
                    server = self.serve("--data", data, listen=self.endpoint)
                else:
                    server.signal(signal.SIGSTOP)
                    time.sleep(chance.uniform(0.1, 1.5))
                    server.signal(signal.SIGCONT)
            time.sleep(ROUND_SECONDS)
        finally:
            self.over.set()
            for client in clients:
                client.join()
        operations = [one for client in clients for one in client.operations]
        code, text = self.check(operations)
        print(text, flush=True)
        unknown = sum("returned" not in one for one in operations)
        print(f"{len(operations)} operations, {unknown} without an answer, "
              f"{sum(client.refused for client in clients)} refused", flush=True)
        self.assertEqual(code, 0, text)
        kinds = {one["kind"] for one in operations}
        self.assertEqual(kinds, {"read", "swap", "no_swap", "write"})
        self.assertGreater(len(operations), 100)
        self.assertGreater(sum(client.refused for client in clients), 0)
        # The same with a reading that is old: not linearizable.
        key = "swap/0"
        writes = [one for one in operations if one["key"] == key and one["kind"] == "swap"
                  and "returned" in one]
        first = min(writes, key=lambda one: one["version"])
        late = max(one.get("returned", 0) for one in operations) + 1
        stale = {"key": key, "client": "x", "kind": "read", "called": late, "returned": late + 1,
                 "value": first["value"], "version": first["version"]}
        code, text = self.check(operations + [stale])
        self.assertEqual(code, 1, text)
        self.assertIn(f"{key}: ", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    Linearizable.options, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
