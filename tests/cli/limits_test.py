"""Limits of each agent: what a program says of them, and that nothing is lost."""

import program


class Limits(program.Case):
    def test_an_agent_over_its_limit_loses_nothing_and_others_are_not_harmed(self):
        self.serve(config='[limits]\nwrites_per_second = 100\nburst = "100ms"\n')
        bee = self.attached_agent("bee")
        wasp = self.attached_agent("wasp")
        bee.send(*({"op": "incr", "key": "n", "id": n} for n in range(150)))
        wasp.send({"op": "incr", "key": "m", "id": "other"})
        settled = wasp.wait_for("settled", id="other")
        self.assertEqual(settled["code"], "committed")
        codes = [bee.wait_for("settled", again=True, id=n)["code"] for n in range(150)]
        self.assertEqual(codes, ["committed"] * 150)
        self.assertEqual(self.out("state", "get", "n"), "150\n")
        waits = bee.wait_for("link", again=True, code="overloaded")
        self.assertIn("limits.writes_per_second", waits["text"])
        self.assertIn("come back in", waits["text"])

        agents = {one["agent"]: one for one in self.json("agent", "ls")["agents"]}
        self.assertGreater(agents["bee"]["over_limit"], 0)
        self.assertEqual(agents["wasp"]["over_limit"], 0)
        counters = self.json("status")["counters"]
        self.assertGreater(counters["over_limit_writes"], 0)
        self.assertIn("OVER LIMIT", self.out("agent", "ls"))

    def test_a_command_over_the_limit_says_which_and_when_to_come_back(self):
        # The hello alone is worth minutes.
        self.serve(config="[limits]\nbytes_per_second = 1\n")
        done = self.expect(5, "state", "put", "k", "v")
        self.assertIn("this client may send 1 bytes a second, and 2 at once "
                      "(limits.bytes_per_second)", done.stderr)
        self.assertRegex(done.stderr, r"a message of \d+ bytes came too soon: come back in \d+ ms")
        # Its next connection is one of all clients.
        done = self.expect(5, "state", "get", "k", env=program.environment(
            HOME=self.directory, WAGGLE_COORDINATOR=self.endpoint, WAGGLE_TIMEOUT="500ms"))
        self.assertIn("all clients of this swarm together may send 8 bytes a second", done.stderr)

    def test_values_keys_and_their_texts(self):
        self.serve(config='[limits]\nvalue_bytes = "10"\nkeys = 1\n')
        agent = self.attached_agent("a")
        agent.send({"op": "put", "key": "k", "value": "12345678901", "id": 1},
                   {"op": "put", "key": "k", "value": "1234", "id": 2},
                   {"op": "put", "key": "other", "value": "1", "id": 3},
                   {"op": "delete", "key": "k", "id": 4},
                   {"op": "put", "key": "other", "value": "1", "id": 5})
        first = agent.wait_for("settled", id=1)
        self.assertEqual((first["code"], first["reason"]), ("rejected", "too_large"))
        self.assertIn("limits.value_bytes", first["text"])
        third = agent.wait_for("settled", id=3)
        self.assertEqual((third["code"], third["reason"]), ("rejected", "too_many"))
        self.assertIn("limits.keys", third["text"])
        self.assertEqual(agent.wait_for("settled", id=5)["code"], "committed")

    def test_a_wrong_limit_is_named_with_its_line(self):
        file = self.directory / "waggle.toml"
        file.write_text('[limits]\nbytes_per_second = "much"\n')
        done = self.expect(2, "config", "check", file)
        self.assertIn("waggle.toml:2: limits.bytes_per_second: 'much' is no size", done.stderr)


if __name__ == "__main__":
    program.main()
