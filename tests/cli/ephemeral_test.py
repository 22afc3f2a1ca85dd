"""Keys that live in memory only and go with whoever wrote them."""

import program

CONFIG = """
[[policy]]
prefix = "here/"
class = "ephemeral"

[[policy]]
prefix = "soon/"
class = "ephemeral"
time_to_live = "2s"
"""


class Ephemeral(program.Case):
    def setUp(self):
        super().setUp()
        self.data = self.directory / "store"
        self.server = self.serve("--data", self.data, config=CONFIG)

    def put(self, agent, key, value, **more):
        agent.send({"op": "put", "key": key, "value": value, "ephemeral": True, "id": [key, value],
                    **more})
        return agent.wait_for("settled", id=[key, value])

    def told(self, agent, key):
        """The next change of a key that an agent is told."""
        while True:
            for change in agent.wait_for("ephemeral")["changes"]:
                if change["key"] == key:
                    return change

    def test_others_see_it_and_see_it_go_with_its_writer(self):
        bee = self.attached_agent("bee")
        ada = self.attached_agent("ada", "--changes")
        settled = self.put(bee, "here/bee", {"doing": "dance"}, metadata={"mood": "fine"})
        self.assertEqual((settled["ok"], settled["ephemeral"], settled["key"]),
                         (True, True, "here/bee"))
        change = self.told(ada, "here/bee")
        self.assertEqual((change["value"], change["writer"], change["metadata"]),
                         ({"doing": "dance"}, "bee", {"mood": "fine"}))
        read = self.json("state", "get", "here/bee")
        self.assertEqual((read["ephemeral"], read["value"]), (True, {"doing": "dance"}))
        self.assertEqual(self.out("state", "ls"), "here/bee\n")
        ada.send({"op": "get", "key": "here/bee", "id": 1})
        self.assertEqual(ada.wait_for("value", id=1)["value"], {"doing": "dance"})
        # No revision was made for it, and nothing of it is on the disk.
        self.assertEqual(self.json("status")["swarms"][0]["revision"], 0)
        for file in self.data.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"dance", file.read_bytes(), file)
        bee.process.kill()
        self.assertTrue(self.told(ada, "here/bee")["deleted"])
        self.expect(3, "state", "get", "here/bee")

    def test_a_command_writes_what_ends_by_itself(self):
        self.assertEqual(self.out("state", "put", "soon/x", "now", "--ephemeral"), "")
        self.assertEqual(self.out("state", "get", "soon/x"), "now")
        self.out("state", "rm", "soon/x", "--ephemeral")
        self.expect(3, "state", "get", "soon/x")
        ada = self.attached_agent("ada", "--changes")
        self.out("state", "put", "soon/y", "now", "--ephemeral")
        self.assertEqual(self.told(ada, "soon/y")["value"], "now")
        self.assertTrue(self.told(ada, "soon/y")["deleted"])
        refused = self.expect(1, "state", "put", "here/x", "now", "--ephemeral")
        self.assertIn("time_to_live", refused.stderr)

    def test_the_wrong_class_is_refused_with_what_to_do(self):
        self.assertIn("`ephemeral`", self.expect(1, "state", "put", "here/x", "1").stderr)
        self.assertIn("durable by its policy",
                      self.expect(1, "state", "put", "plan", "1", "--ephemeral").stderr)
        bee = self.attached_agent("bee")
        self.assertEqual(self.put(bee, "plan", 1)["reason"], "wrong_class")
        bee.send({"op": "put", "key": "here/x", "value": 1, "id": "durable"})
        self.assertEqual(bee.wait_for("settled", id="durable")["reason"], "wrong_class")
        bee.send({"op": "put", "key": "here/x", "value": 1, "ephemeral": True, "if_absent": True,
                  "id": "if"},
                 {"op": "group", "entries": [{"op": "put", "key": "here/x", "value": 1,
                                              "ephemeral": True}], "id": "group"},
                 {"op": "incr", "key": "here/n", "ephemeral": True, "id": "incr"},
                 {"op": "put", "key": "here/x", "value": 1, "ephemeral": "yes", "id": "yes"})
        self.assertIn("last write", bee.wait_for("error", id="if")["text"])
        self.assertIn("in no group", bee.wait_for("error", id="group")["text"])
        self.assertIn("ephemeral", bee.wait_for("error", id="incr")["text"])
        self.assertIn("true or false", bee.wait_for("error", id="yes")["text"])
        self.expect(2, "state", "put", "soon/x", "1", "--ephemeral", "--if-absent")

    def test_a_policy_of_that_class_takes_no_other_setting(self):
        file = self.directory / "wrong.toml"
        file.write_text('[[policy]]\nprefix = "here/"\nclass = "ephemeral"\nstrategy = "fww"\n')
        self.assertIn("time_to_live", self.expect(2, "config", "check", file).stderr)

    def test_agents_say_their_own_again_to_a_new_coordinator(self):
        bee = self.attached_agent("bee")
        ada = self.attached_agent("ada", "--changes")
        self.assertTrue(self.put(bee, "here/bee", "on")["ok"])
        self.assertEqual(self.told(ada, "here/bee")["value"], "on")
        self.out("state", "put", "plan", "x")
        self.server.process.terminate()
        self.server.wait()
        self.serve("--data", self.data, listen=self.endpoint, config=CONFIG)
        self.until(lambda: self.waggle("state", "get", "here/bee").stdout == "on",
                   "the new coordinator is told")

    def test_tail_shows_them_when_asked(self):
        bee = self.attached_agent("bee")
        self.assertTrue(self.put(bee, "here/bee", "one")["ok"])
        tail = self.start("tail", "--coordinator", self.endpoint, "here/", "--ephemeral")
        self.assertEqual(tail.wait_for("ephemeral", key="here/bee")["value"], "one")
        self.assertTrue(self.put(bee, "here/bee", "two")["ok"])
        self.assertEqual(tail.wait_for("ephemeral", key="here/bee")["value"], "two")


if __name__ == "__main__":
    program.main()
