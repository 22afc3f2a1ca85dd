"""Signed writes and votes, checked with the public keys and not by the coordinator's word."""

import json

import program


class Audit(program.Case):
    def setUp(self):
        super().setUp()
        self.out("keys", "new", "hive.key", coordinator=False)
        self.authorized = self.directory / "authorized_keys"
        for name in "abcd":
            file = self.directory / f"{name}.key"
            self.out("keys", "new", file, coordinator=False)
            self.out("keys", "authorize", f"{file}.pub", "--id", name, "--authorized-keys",
                     self.authorized, coordinator=False)

    def guarded(self, config=""):
        return self.serve("--key", self.directory / "hive.key", config=config)

    def with_key(self, name):
        return ["--key", self.directory / f"{name}.key", "--coordinator-key",
                self.directory / "hive.key.pub"]

    def verify(self, *arguments, code=0, keys=None):
        done = self.expect(code, "audit", "verify", *arguments, "--json", "--authorized-keys",
                           keys or self.authorized, *self.with_key("a"))
        return {line["key"]: line for line in map(json.loads, done.stdout.splitlines())}

    def test_what_was_signed_by_whom(self):
        self.guarded('[[policy]]\nprefix = "order/"\nsigned = true\n')
        agent = self.attached_agent("a", *self.with_key("a"))
        agent.send({"op": "put", "key": "order/1", "value": {"buy": 3}, "id": 1},
                   {"op": "incr", "key": "n", "id": 2})
        agent.wait_for("settled", id=2)
        self.out("state", "put", "plain", "x", *self.with_key("b"))
        found = self.verify()
        self.assertEqual((found["order/1"]["verdict"], found["order/1"]["writer"]), ("signed", "a"))
        self.assertEqual(found["order/1"]["signed_by"],
                         self.json("keys", "show", "a.key", coordinator=False)["fingerprint"])
        self.assertEqual((found["n"]["verdict"], found["plain"]["verdict"]), ("unsigned",) * 2)
        self.verify("order/*", "--strict")
        self.verify("--strict", code=1)
        # A command has no key of its own to sign with.
        done = self.expect(7, "state", "put", "order/1", "mine", *self.with_key("a"))
        self.assertIn("signed writes only", done.stderr)
        # It survives a restart, and is judged by the keys at hand alone.
        agent.send({"op": "leave"})
        other = self.directory / "other_keys"
        self.out("keys", "authorize", "b.key.pub", "--id", "a", "--authorized-keys", other,
                 coordinator=False)
        self.assertEqual(self.verify("order/*", code=1, keys=other)["order/1"]["verdict"], "forged")
        other.unlink()
        self.out("keys", "authorize", "b.key.pub", "--id", "b", "--authorized-keys", other,
                 coordinator=False)
        self.assertEqual(self.verify("order/*", code=1, keys=other)["order/1"]["verdict"], "no_key")

    def test_a_vote_among_liars(self):
        self.guarded()
        agents = {name: self.attached_agent(name, *self.with_key(name)) for name in "abcd"}
        self.out("propose", "go north", "--id", "p", "--byzantine", "1", "--write", "plan=north",
                 "--for", "60s", *self.with_key("a"))

        def vote(name, stance, id):
            agents[name].send({"op": "vote", "proposal_id": "p", "vote": stance, "id": id})
            return agents[name].wait_for("settled", id=id)

        self.assertTrue(vote("a", "for", 1)["ok"])
        self.assertTrue(vote("b", "for", 2)["ok"])
        self.assertEqual(vote("b", "against", 3)["code"], "denied")
        self.assertTrue(vote("c", "for", 4)["ok"])
        shown = self.json("proposal", "show", "p", *self.with_key("a"))
        self.assertEqual(shown["state"], "open")
        self.assertEqual([v["vote"] for v in shown["equivocators"]["b"]], ["for", "against"])
        self.assertTrue(vote("d", "for", 5)["ok"])
        shown = self.json("proposal", "show", "p", *self.with_key("a"))
        self.assertEqual(shown["state"], "approved")
        self.assertEqual(sorted(shown["signed_votes"]), ["a", "c", "d"])
        self.assertEqual(self.out("state", "get", "plan", *self.with_key("a")), "north")
        self.expect(1, "propose", "too many liars", "--byzantine", "2", *self.with_key("a"))


if __name__ == "__main__":
    program.main()
