"""`waggle state`, `clear`, `compact`, `status`, `delta`: one question or write each."""

import json

import program


class State(program.Case):
    def setUp(self):
        super().setUp()
        self.serve("--memory")

    def test_a_value_comes_back_byte_for_byte(self):
        for value in ("hello", "", "two\nlines\n", "grüße 🐝"):
            self.out("state", "put", "k", "-", input=value)
            self.assertEqual(self.expect(0, "state", "get", "k").bytes, value.encode())
        raw = bytes(range(256))
        self.out("state", "put", "raw", input=raw)
        self.assertEqual(self.expect(0, "state", "get", "raw").bytes, raw)
        self.assertEqual(self.json("state", "get", "raw")["type"], "bytes")
        (self.directory / "f").write_bytes(b"from a file")
        self.out("state", "put", "f", "--file", "f")
        self.assertEqual(self.out("state", "get", "f"), "from a file")
        self.out("state", "put", "dash", "--", "-5")
        self.assertEqual(self.out("state", "get", "dash"), "-5")

    def test_json_is_checked_and_canonical(self):
        self.out("state", "put", "j", '{"b": 1, "a": [2.50, null]}', "--type", "json")
        self.assertEqual(self.out("state", "get", "j"), '{"a":[2.5,null],"b":1}')
        self.assertEqual(self.json("state", "get", "j")["value"], {"a": [2.5, None], "b": 1})
        self.assertIn("not JSON", self.expect(1, "state", "put", "j", "{", "--type", "json").stderr)
        self.assertIn("--type bytes",
                      self.expect(1, "state", "put", "j", "--type", "text", input=b"\xff").stderr)

    def test_put_prints_the_version_that_the_next_condition_needs(self):
        version = self.out("state", "put", "k", "1").strip()
        version = self.out("state", "put", "k", "2", "--if-version", version).strip()
        self.assertEqual(self.json("state", "get", "k")["version"], int(version))
        stale = self.expect(4, "state", "put", "k", "3", "--if-version", "1")
        self.assertIn("version_mismatch", stale.stderr)
        self.assertEqual(stale.stdout, "")
        self.expect(4, "state", "put", "k", "3", "--if-absent")
        self.expect(4, "state", "rm", "k", "--if-version", "1")
        self.out("state", "put", "fresh", "1", "--if-absent")
        conflict = self.json("state", "put", "k", "3", "--if-version", "1", code=4)
        self.assertEqual((conflict["code"], conflict["conflict"]), ("conflict", "version_mismatch"))
        self.assertEqual(conflict["committed"]["value"], "2")

    def test_what_is_not_there_is_3(self):
        self.expect(3, "state", "get", "k")
        self.out("state", "put", "other", "1")
        self.assertIn("no key 'k'", self.expect(3, "state", "get", "k").stderr)
        self.assertEqual(self.json("state", "get", "k", code=3)["exists"], False)
        self.expect(3, "state", "rm", "k")
        self.out("state", "rm", "other")
        self.expect(3, "state", "get", "other")
        self.out("state", "add", "s", "a")
        self.expect(3, "state", "remove", "s", "b")

    def test_counters_and_sets(self):
        self.out("state", "incr", "n")
        self.out("state", "incr", "n", "41")
        self.out("state", "incr", "n", "-2")
        self.assertEqual(self.out("state", "get", "n"), "40\n")
        self.out("state", "add", "s", "b", "a", "c", "a")
        self.out("state", "remove", "s", "b")
        self.assertEqual(self.out("state", "get", "s"), "a\nc\n")
        self.assertEqual(self.json("state", "get", "s")["value"], ["a", "c"])
        self.assertIn("register", self.expect(1, "state", "put", "n", "text").stderr)
        self.expect(2, "state", "incr", "n", "1.5")
        self.expect(2, "state", "incr", "n", "99999999999999999999")

    def test_listing(self):
        for key in ("a/1", "a/2", "b/1"):
            self.out("state", "put", key, "v" + key)
        self.assertEqual(self.out("state", "ls"), "a/1\na/2\nb/1\n")
        self.assertEqual(self.out("state", "ls", "a/*"), "a/1\na/2\n")
        self.assertEqual(self.out("state", "ls", "zzz"), "")
        self.assertIn("va/1", self.out("state", "ls", "-l"))
        records = self.json("state", "ls", "?/1")["records"]
        self.assertEqual([(r["key"], r["value"]) for r in records], [("a/1", "va/1"), ("b/1", "vb/1")])

    def test_a_list_of_many_keys_is_whole(self):
        agent = self.attached_agent("many")
        for i in range(2000):
            agent.send({"op": "put", "key": f"k/{i:05}", "value": "x" * 300})
        agent.close_input()
        self.assertEqual(agent.wait(), 0)
        self.assertEqual(self.out("state", "ls", "k/*"),
                         "".join(f"k/{i:05}\n" for i in range(2000)))

    def test_at_least_waits_and_then_times_out(self):
        self.out("state", "put", "k", "v")
        self.assertEqual(self.out("state", "get", "k", "--at-least", "1"), "v")
        done = self.expect(6, "state", "get", "k", "--at-least", "99", "--timeout", "200ms")
        self.assertIn("99", done.stderr)

    def test_bad_keys_and_values(self):
        self.expect(2, "state", "put", "", "v")
        self.expect(2, "state", "put", "k" * 10_000, "v")
        self.expect(2, "state", "get", "k" * 10_000)
        done = self.expect(1, "state", "put", "k", input=b"x" * (1024 * 1024 + 1))
        self.assertIn("limit", done.stderr)
        self.out("state", "put", "k", input=b"x" * (1024 * 1024))
        self.expect(1, "state", "put", "k", "--file", "nowhere")

    def test_an_empty_condition_is_no_condition_left_out(self):
        self.out("state", "put", "k", "v")
        for words in (["put", "k", "w", "--if-version", ""], ["put", "k", "w", "--if-version="],
                      ["rm", "k", "--if-version", ""], ["get", "k", "--at-least", ""],
                      ["put", "k", "--file", ""]):
            self.assertIn("empty", self.expect(2, "state", *words).stderr)
        self.assertEqual(self.out("state", "get", "k"), "v")

    def test_numbers_out_of_range_are_refused_at_once(self):
        for words in (["state", "get", "k", "--at-least", "-1"],
                      ["state", "get", "k", "--at-least", str(2**64 - 1)],
                      ["state", "put", "k", "v", "--if-version", str(2**64)],
                      ["compact", "--floor", "-1"], ["tail", "--count", "0"],
                      ["sync", "k", "--every", "1s", "--count", "-1"]):
            self.assertIn("whole number", self.expect(2, *words).stderr)

    def test_swarms_are_apart(self):
        self.out("state", "put", "k", "one", "--swarm", "a")
        self.out("state", "put", "k", "two", "--swarm", "b")
        self.assertEqual(self.out("state", "get", "k", "--swarm", "a"), "one")
        env = program.environment(WAGGLE_COORDINATOR=self.endpoint, WAGGLE_SWARM="b")
        self.assertEqual(self.out("state", "get", "k", env=env), "two")

    def test_status_tells_of_the_coordinator_and_its_swarms(self):
        self.out("state", "put", "k", "v")
        text = self.out("status")
        self.assertIn(self.endpoint, text)
        self.assertIn("default", text)
        status = self.json("status")
        self.assertEqual((status["level"], status["writable"]), ("memory", True))
        self.assertEqual((status["swarms"][0]["swarm"], status["swarms"][0]["keys"]), ("default", 1))
        self.assertIn("mutations_committed", self.out("status", "--counters"))

    def test_agent_ls(self):
        self.out("state", "put", "k", "v")
        self.assertEqual(self.json("agent", "ls")["agents"], [])
        self.attached_agent("scout")
        self.until(lambda: self.json("agent", "ls")["agents"], "the agent is listed")
        agent = self.json("agent", "ls")["agents"][0]
        self.assertEqual((agent["agent"], agent["role"], agent["health"]),
                         ("scout", "member", "healthy"))
        self.assertIn("scout", self.out("agent", "ls"))

    def test_delta_tells_each_key_at_its_latest(self):
        for i in range(3):
            self.out("state", "put", "a", str(i))
        self.out("state", "put", "b", "x")
        self.out("state", "rm", "b")
        self.out("state", "put", "p/c", "y")
        found = self.json("delta", "--since", "1")
        self.assertEqual([(c["key"], c["version"], c.get("deleted", False))
                          for c in found["changes"]],
                         [("a", 3, False), ("b", 5, True), ("p/c", 6, False)])
        self.assertEqual(self.json("delta", "--since", found["to"])["changes"], [])
        short = found["to"][:6] + "@5"
        self.assertEqual([c["key"] for c in self.json("delta", "--since", short)["changes"]], ["p/c"])
        self.assertEqual([c["key"] for c in self.json("delta", "--since", "0", "--prefix", "p/")["changes"]],
                         ["p/c"])
        self.assertIn("p/c", self.out("delta", "--since", "5"))

    def test_delta_from_where_it_can_not_be_served(self):
        self.out("state", "put", "a", "1")
        self.expect(2, "delta", "--since", "nonsense")
        self.expect(2, "delta", "--since", "9" * 30)
        foreign = "0123456789abcdef@1"
        done = self.expect(5, "delta", "--since", foreign)
        self.assertIn("--or-snapshot", done.stderr)
        self.assertEqual(self.json("delta", "--since", foreign, code=5)["reset"], True)
        whole = self.json("delta", "--since", foreign, "--or-snapshot")
        self.assertEqual((whole["snapshot"], [c["key"] for c in whole["changes"]]), (True, ["a"]))
        self.expect(5, "delta", "--since", "99")  # beyond the head

    def test_a_cursor_beyond_the_head_or_out_of_range(self):
        self.out("state", "put", "a", "1")
        self.assertIn("beyond the head 1", self.expect(5, "delta", "--since", "99").stderr)
        foreign = self.expect(5, "delta", "--since", f"0123456789abcdef@{2**62}").stderr
        self.assertIn("epoch 0123456789abcdef is not known here", foreign)
        for cursor in (2**62 + 1, 2**64 - 1, 2**64, f"0123456789abcdef@{2**64 - 1}"):
            done = self.expect(2, "delta", "--since", cursor)
            self.assertRegex(done.stderr, "the revision is (too large|no number)")

    def test_compact_forgets_deletions_and_deltas_before_it(self):
        self.out("state", "put", "a", "1")
        self.out("state", "put", "b", "1")
        self.out("state", "rm", "a")
        self.expect(1, "compact", "--floor", "99")
        self.assertEqual(self.out("compact", "--floor", "3"), "floor 3, forgot 1 deletion\n")
        self.assertEqual(self.json("compact"), {"swarm": "default", "floor": 3, "forgotten": 0})
        self.expect(5, "delta", "--since", "1")
        self.expect(0, "delta", "--since", "3")

    def test_clear(self):
        for key in ("a", "b"):
            self.out("state", "put", key, "1")
        self.out("clear", "a")
        self.assertEqual(self.out("state", "ls"), "b\n")
        self.expect(3, "clear", "a")
        done = self.expect(2, "clear")
        self.assertIn("--yes", done.stderr)
        self.assertEqual(self.out("state", "ls"), "b\n")
        self.out("clear", "--yes")
        self.assertEqual(self.out("state", "ls"), "")

    def test_every_answer_with_json_is_one_document(self):
        self.out("state", "put", "k", "v")
        for command in (["state", "get", "k"], ["state", "ls"], ["state", "put", "k", "w"],
                        ["state", "incr", "n"], ["status"], ["agent", "ls"], ["compact"],
                        ["delta", "--since", "0"], ["clear", "k"], ["version"], ["config", "check"]):
            json.loads(self.expect(0, *command, "--json").stdout)


if __name__ == "__main__":
    program.main()
