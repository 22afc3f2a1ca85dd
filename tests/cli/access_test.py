"""Access rules: who may do what, with real processes; without keys, so a name is believed."""

import json
import signal

import program

RULES = """
[[rule]]
agents = ["*"]
keys = ["open/*"]
allow = ["read"]

[[rule]]
agents = ["boss"]
allow = ["read", "write", "propose", "vote", "claim", "sync", "administer"]

[[rule]]
roles = ["inner"]
keys = ["secret/*"]
allow = ["read"]

[[rule]]
agents = ["~client"]
keys = ["in/*"]
allow = ["write"]
"""

ROLE = '[[role]]\nname = "inner"\nagents = ["friend"]\n'


class Access(program.Case):
    def ruled(self, rules=RULES, *arguments, **options):
        self.rules = self.directory / "access.toml"
        self.rules.write_text(rules)
        return self.serve("--access-rules", self.rules, *arguments, config=ROLE, **options)

    def reload(self, coordinator, rules, expected):
        self.rules.write_text(rules)
        before = len(coordinator.err.lines)
        coordinator.signal(signal.SIGHUP)
        deadline = program.time.monotonic() + program.PATIENCE
        while not any(expected in line for line in coordinator.err.lines[before:]):
            coordinator.err.next(deadline)

    def read(self, agent, key, at_least, id):
        agent.send({"op": "get", "key": key, "at_least": at_least, "id": id})
        return agent.wait_for("value", id=id)

    def test_each_sees_and_does_what_the_rules_give_him(self):
        log = self.directory / "access.log"
        self.ruled(RULES, "--access-log", log)
        boss = self.attached_agent("boss")
        friend = self.attached_agent("friend", "--changes")
        stranger = self.attached_agent("stranger", "--changes")
        boss.send({"op": "put", "key": "secret/a", "value": 1, "id": 1},
                  {"op": "put", "key": "open/a", "value": 2, "id": 2})
        boss.wait_for("settled", id=2)
        # Both come to the same revision, each with what it may read.
        self.assertEqual(self.read(friend, "secret/a", 2, "f")["value"], 1)
        self.assertEqual(self.read(friend, "open/a", 2, "g")["value"], 2)
        self.assertEqual(self.read(stranger, "open/a", 2, "s")["value"], 2)
        self.assertIsNone(self.read(stranger, "secret/a", 2, "t").get("value"))
        self.assertEqual([c["key"] for e in stranger.events if e["event"] == "change"
                          for c in e["changes"]], ["open/a"])
        # A write that no rule allows is refused for good, and the next one goes on.
        friend.send({"op": "put", "key": "open/a", "value": 3, "id": 3})
        refused = friend.wait_for("settled", id=3)
        self.assertEqual((refused["code"], refused["reason"]), ("denied", "not_allowed"))
        # Commands have no name of their own.
        self.out("state", "put", "in/x", "1")
        self.assertIn("may not write 'open/a'", self.expect(7, "state", "put", "open/a", "4").stderr)
        self.expect(7, "state", "get", "secret/a")
        self.assertEqual(self.out("state", "ls"), "open/a\n")
        self.expect(7, "compact")
        self.expect(7, "sync", "open/a")
        self.expect(7, "claim", "take", "open/a")
        boss.send({"op": "sync", "keys": ["secret/a"], "id": 4})
        self.assertEqual(boss.wait_for("synced", id=4)["outcome"], "unchanged")
        notes = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertIn(("friend", "write", "open/a"),
                      [(n["agent"], n["what"], n["on"]) for n in notes])
        self.assertTrue(all(n["refused"] for n in notes))

    def test_deltas_and_tails_show_what_may_be_read(self):
        self.ruled()
        boss = self.attached_agent("boss")
        boss.send({"op": "put", "key": "secret/a", "value": 1, "id": 1},
                  {"op": "put", "key": "open/a", "value": 2, "id": 2})
        boss.wait_for("settled", id=2)
        delta = self.json("delta", "--since", "0")
        self.assertEqual([c["key"] for c in delta["changes"]], ["open/a"])
        tail = self.start("tail", "--from", "0", "--count", "1", "--coordinator", self.endpoint)
        self.assertEqual(tail.wait_for("change")["key"], "open/a")

    def test_rules_are_read_again_at_hup(self):
        coordinator = self.ruled()
        boss = self.attached_agent("boss")
        stranger = self.attached_agent("stranger", "--data", self.directory / "stranger")
        boss.send({"op": "put", "key": "secret/a", "value": 1, "id": 1})
        boss.wait_for("settled", id=1)
        self.assertIsNone(self.read(stranger, "secret/a", 1, "a").get("value"))
        self.reload(coordinator, RULES.replace('"open/*"', '"open/*", "secret/*"'), "read again")
        stranger.wait_for("link", state="attached")
        self.until(lambda: self.read(stranger, "secret/a", 1, "b").get("value") == 1,
                   "what it may read now")
        self.reload(coordinator, RULES, "read again")
        stranger.wait_for("link", state="attached")
        self.until(lambda: self.read(stranger, "secret/a", 1, "c").get("value") is None,
                   "what it may not read any more")
        # A wrong file changes nothing.
        self.reload(coordinator, '[[rule]]\nagents = ["*"]\nallow = ["reed"]\n', "stays as it was")
        self.expect(7, "state", "get", "secret/a")

    def test_files_that_say_nothing_clear(self):
        for text, expected in (
                ("[[rule]]\nagents = [\"*\"]\n", ":1: a rule allows something"),
                ("[[rule]]\nallow = [\"read\"]\n", ":1: a rule is for somebody"),
                ("[[rule]]\nagents = [\"*\"]\nallow = [\"reed\"]\n", ":3: rule.allow: 'reed'"),
                ("[[rule]]\nagents = \"*\"\nallow = [\"read\"]\n", ":2: rule.agents: expected a list"),
                ("[[rule]]\nroles = [\"outer\"]\nallow = [\"read\"]\n", ":2: rule.roles: there is no"),
                ("[[rule]]\nagents = [\"*\"]\nallows = [\"read\"]\n", "did you mean 'allow'"),
                ("[rule]\n", "expected [[rule]] sections"), ("x = 1\n", "expected [[rule]] sections"),
                ("[[rule]\n", ":1:")):
            with self.subTest(text):
                file = self.directory / "wrong.toml"
                file.write_text(text)
                done = self.expect(1, "serve", "--memory", "--listen", "tcp://127.0.0.1:0",
                                   "--access-rules", file, coordinator=False)
                self.assertIn(expected, done.stderr)
        self.expect(3, "serve", "--memory", "--access-rules", "nowhere", coordinator=False)
        # A file without a rule allows nothing.
        self.ruled("# nothing yet\n")
        self.expect(7, "state", "put", "a", "1")


if __name__ == "__main__":
    program.main()
