"""Conflicts that people see, settle and explain: `waggle conflict`, `waggle receipt`, `what-if`.

Two agents that were attached write again while no coordinator answers them, so neither has seen what
the other wrote.
"""

import json

import program

POLICIES = """
[[policy]]
prefix = "hand/"
strategy = "manual"
[[policy]]
prefix = "plan/"
strategy = "merge"
otherwise = "manual"
[[policy]]
prefix = "both/"
strategy = "manual"
history = 4
[[policy]]
prefix = "keep/"
strategy = "keep"
"""


class Conflicts(program.Case):
    def setUp(self):
        super().setUp()
        self.serve(config=POLICIES)
        self.settled = {}

    def concurrent(self, before, *writes):
        """Writes of agents a, b, ... of which none has seen the others'; their outcomes."""
        for words in before:
            self.out("state", *words)
        head = self.json("status")["swarms"][0]["revision"]
        agents = "abcdefgh"[:len(writes)]
        for name in agents:
            agent = self.attached_agent(name, "--data", self.directory / name)
            agent.send({"op": "get", "key": "hand/k", "at_least": head, "id": 1})
            agent.wait_for("value", id=1)
            agent.send({"op": "leave"})
            agent.wait()
        outcomes = []
        for name, operations in zip(agents, writes):
            away = self.start("agent", "run", "--id", name, "--data", self.directory / name,
                              "--coordinator", f"ipc://{self.directory}/nobody", "--drain", "0s")
            away.send(*operations)
            for _ in operations:
                away.wait_for("queued")
            away.close_input()
            away.wait()
        for name, operations in zip(agents, writes):
            back = self.agent(name, "--data", self.directory / name)
            outcomes.append([back.wait_for("settled", earlier=True) for _ in operations])
            back.send({"op": "leave"})
            back.wait()
        return outcomes

    def parked(self):
        put = lambda value: [{"op": "put", "key": "hand/k", "value": value}]
        return self.concurrent([["put", "hand/k", "start"]], put("from a"), put("from b"),
                               put("from c"))

    def test_a_parked_key_serves_what_stood_until_somebody_settles_it(self):
        first, second, third = self.parked()
        self.assertTrue(first[0]["ok"])
        for late in (second[0], third[0]):
            self.assertEqual((late["code"], late["parked"], late["conflict"]),
                             ("parked", "C1", "concurrent_update"))
            self.assertIn("wait for a person", late["text"])
        self.assertEqual(self.out("state", "get", "hand/k"), "from a")
        conflict, = self.json("conflict", "ls")["conflicts"]
        self.assertEqual([(s["side"], s["agent"], s["value"]) for s in conflict["sides"]],
                         [("A", "a", "from a"), ("B", "b", "from b"), ("C", "c", "from c")])
        shown = self.out("conflict", "show", "C1")
        for text in ("A (stands)", "from a", "from b", "from c"):
            self.assertIn(text, shown)
        self.assertIn("from b\n>>>>>>> B", self.out("conflict", "diff", "C1"))
        self.assertEqual(self.json("conflict", "ls", "plan/*")["conflicts"], [])

        self.expect(1, "conflict", "resolve", "C1", "--take", "Z")
        self.expect(2, "conflict", "resolve", "C1")
        self.assertIn("all began from: (not known", shown)
        done = self.expect(4, "conflict", "resolve", "C1", "--take", "merged")
        self.assertIn("what the sides began from is not known", done.stderr)
        self.expect(4, "conflict", "resolve", "C1", "--take", "B", "--if-version", "1")
        self.out("conflict", "resolve", "1", "--take", "B")
        self.assertEqual(self.out("state", "get", "hand/k"), "from b")
        record = self.json("state", "get", "hand/k")
        self.assertEqual((record["writer"], record["metadata"]["settled"]),
                         ("~coordinator", "C1"))
        self.assertEqual(self.json("conflict", "ls")["conflicts"], [])
        self.expect(3, "conflict", "resolve", "C1", "--take", "A")
        self.expect(2, "conflict", "show", "twelve")

    def test_a_value_that_nobody_was_shown_is_not_replaced(self):
        self.parked()
        newer = self.out("state", "put", "hand/k", "seen by nobody").strip()
        shown = self.out("conflict", "show", "C1")
        self.assertIn("A (stood)", shown)
        self.assertIn("seen by nobody", shown)
        self.expect(4, "conflict", "resolve", "C1", "--take", "A")
        self.assertEqual(self.out("state", "get", "hand/k"), "seen by nobody")
        self.out("conflict", "resolve", "C1", "--take", "A", "--if-version", newer)
        self.assertEqual(self.out("state", "get", "hand/k"), "from a")

    def test_conflicts_survive_a_restart_and_can_be_dismissed_or_given_a_value(self):
        self.parked()
        coordinator = self.json("conflict", "ls")["conflicts"]
        self.serve_again()
        self.assertEqual(self.json("conflict", "ls")["conflicts"], coordinator)
        self.out("conflict", "resolve", "C1", "--value", "by hand")
        self.assertEqual(self.out("state", "get", "hand/k"), "by hand")

    def serve_again(self):
        for process in self.coordinators:
            process.signal(15)
            process.wait()
        self.serve(config=POLICIES)

    def serve(self, *arguments, **options):
        process = super().serve(*arguments, **options)
        self.coordinators = [process]
        return process

    def test_whose_committed_write_was_merged_is_told_so(self):
        put = lambda value: [{"op": "put", "key": "plan/x", "value": value}]
        first, _ = self.concurrent([["put", "plan/x", '{"l":1,"r":1}', "--type", "json"]],
                                   put({"l": 2, "r": 1}), put({"l": 1, "r": 2}))
        back = self.agent("a", "--data", self.directory / "a")
        told = back.wait_for("overruled")
        self.assertEqual((told["key"], told["version"], told["rule"], told["now"]["value"]),
                         ("plan/x", first[0]["revision"], "merge", {"l": 2, "r": 2}))
        back.send({"op": "leave"})
        back.wait()
        # Once.
        again = self.agent("a", "--data", self.directory / "a")
        again.send({"op": "get", "key": "plan/x", "id": 1})
        again.wait_for("value", id=1)
        self.assertFalse([e for e in again.events if e["event"] == "overruled"])

    def test_documents_merge_by_path_and_leave_a_receipt_that_verifies(self):
        put = lambda value: [{"op": "put", "key": "plan/x", "value": value}]
        a, b = self.concurrent([["put", "plan/x", '{"goal":"n","left":1,"right":1}', "--type", "json"]],
                               put({"goal": "n", "left": 2, "right": 1}),
                               put({"goal": "n", "left": 1, "right": 2}))
        self.assertTrue(a[0]["ok"] and b[0]["ok"])
        self.assertEqual(json.loads(self.out("state", "get", "plan/x")),
                         {"goal": "n", "left": 2, "right": 2})
        receipt, = self.json("receipt", "ls", "plan/x")["receipts"]
        self.assertEqual((receipt["rule"], len(receipt["inputs"])), ("merge", 3))
        self.assertIn("ancestor", self.out("receipt", "show", "plan/x"))
        checked = self.json("receipt", "verify", "plan/x")
        self.assertTrue(checked["sound"] and checked["ends_at_head"])
        self.assertEqual(checked["receipts"][0]["result"], "holds")
        self.expect(3, "receipt", "ls", "nothing")

        other = self.directory / "other.toml"
        other.write_text('[[policy]]\nprefix = ""\nstrategy = "fww"\n')
        what_if = self.json("what-if", "--policy", other)
        self.assertEqual((what_if["looked_at"], what_if["changed"]), (1, 1))
        self.assertEqual(what_if["changes"][0]["would"], "fww")
        same = self.directory / "same.toml"
        same.write_text(POLICIES)
        self.assertEqual(self.json("what-if", "--policy", same)["changed"], 0)
        self.expect(2, "what-if", "--policy", self.directory / "missing.toml")

    def test_documents_that_contradict_each_other_wait_and_can_be_taken_apart(self):
        put = lambda value: [{"op": "put", "key": "plan/x", "value": value}]
        _, b = self.concurrent([["put", "plan/x", '{"goal":"n"}', "--type", "json"]],
                               put({"goal": "north", "a": 1}), put({"goal": "south", "b": 1}))
        self.assertEqual((b[0]["code"], b[0]["conflict"]), ("parked", "field_conflict"))
        difference = self.out("conflict", "diff", b[0]["parked"])
        self.assertRegex(difference, r'/goal +"north" +"south" +"n"')
        self.assertNotIn("/a", difference)
        done = self.expect(4, "conflict", "resolve", b[0]["parked"], "--take", "merged")
        self.assertIn("different things in /goal", done.stderr)
        self.out("conflict", "resolve", b[0]["parked"], "--take", "dismiss")
        self.assertEqual(json.loads(self.out("state", "get", "plan/x")), {"goal": "north", "a": 1})

    def test_sides_are_merged_with_what_they_began_from(self):
        put = lambda value: [{"op": "put", "key": "both/x", "value": value}]
        _, b = self.concurrent([["put", "both/x", '{"a":1,"b":1,"c":1}', "--type", "json"]],
                               put({"a": 2, "b": 1, "c": 1}), put({"a": 1, "b": 2}))
        self.assertEqual(b[0]["code"], "parked")
        waits = self.json("conflict", "show", "C1")
        self.assertEqual(waits["ancestor"]["value"], {"a": 1, "b": 1, "c": 1})
        self.assertIn('all began from: {"a":1,"b":1,"c":1}', self.out("conflict", "show", "C1"))
        self.assertIn("no path was changed by both", self.out("conflict", "diff", "C1"))
        self.serve_again()
        self.assertEqual(self.json("conflict", "show", "C1"), waits)
        self.out("conflict", "resolve", "C1", "--take", "merged")
        # A removal is one, too.
        self.assertEqual(json.loads(self.out("state", "get", "both/x")), {"a": 2, "b": 2})

    def test_a_keys_newest_receipts_stay_and_verify_from_the_oldest_kept(self):
        put = lambda value: {"op": "put", "key": "keep/x", "value": value}
        _, b = self.concurrent([["put", "keep/x", "start"]], [put("stands")],
                               [put(f"lost {n}") for n in range(400)])
        self.assertEqual({outcome["code"] for outcome in b}, {"conflict"})
        for again in (False, True):
            if again:
                self.out("compact")
                self.serve_again()
            checked = self.json("receipt", "verify", "keep/x")
            self.assertTrue(checked["sound"] and checked["ends_at_head"])
            self.assertEqual({receipt["result"] for receipt in checked["receipts"]}, {"holds"})
            # At number 384 the newest 256 stayed; 15 came behind it.
            self.assertEqual([receipt["number"] for receipt in checked["receipts"]],
                             list(range(129, 400)))

    def test_texts_edited_apart_come_together(self):
        edit = lambda at, text: [{"op": "insert", "key": "notes", "at": at, "text": text}]
        self.concurrent([["insert", "notes", "0", "hello world"]], edit(5, " little"),
                        edit(11, "!"))
        self.assertEqual(self.out("state", "get", "notes"), "hello little world!")


if __name__ == "__main__":
    program.main()
