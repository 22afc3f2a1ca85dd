"""The operations of `waggle agent run` for every type of value."""

import program


class Types(program.Case):
    def setUp(self):
        super().setUp()
        self.serve("--memory")
        self.bee = self.attached_agent("bee")
        self.sent = 0
        self.written = 0

    def settle(self, *operations, agent=None):
        """Sends writes and gives their outcomes."""
        agent = agent or self.bee
        ids = range(self.sent, self.sent + len(operations))
        self.sent += len(operations)
        agent.send(*({**operation, "id": number} for number, operation in zip(ids, operations)))
        outcomes = [agent.wait_for("settled", again=True, id=number) for number in ids]
        self.written = max([self.written, *(outcome.get("revision", 0) for outcome in outcomes)])
        return outcomes

    def done(self, *operations):
        for operation, settled in zip(operations, self.settle(*operations)):
            self.assertTrue(settled["ok"], (operation, settled))

    def get(self, key):
        # A result may come before the update with the version.
        self.bee.send({"op": "get", "key": key, "at_least": self.written, "id": ["get", key]})
        return self.bee.wait_for("value", id=["get", key])

    def test_counters(self):
        self.done({"op": "incr", "key": "g", "amount": 3, "type": "grow-counter"},
                  {"op": "incr", "key": "r", "amount": 3, "type": "resettable-counter"},
                  {"op": "reset", "key": "r"},
                  {"op": "incr", "key": "r", "type": "resettable-counter"})
        self.assertEqual((self.get("g")["type"], self.get("g")["value"]), ("grow-counter", 3))
        self.assertEqual(self.get("r")["value"], 1)

    def test_a_reserve_is_kept_taken_given_back_and_handed_over(self):
        self.done({"op": "incr", "key": "b", "amount": 10, "type": "bounded-counter"},
                  {"op": "reserve", "key": "b", "amount": 6},
                  {"op": "release", "key": "b", "amount": 1},
                  {"op": "handover", "key": "b", "amount": 2, "to": "ada"},
                  {"op": "incr", "key": "b", "amount": -1, "type": "bounded-counter"})
        value = self.get("b")
        self.assertEqual((value["value"], value["free"], value["reserved"]),
                         (9, 5, {"ada": 2, "bee": 2}))
        refused, = self.settle({"op": "incr", "key": "b", "amount": -8, "type": "bounded-counter"})
        self.assertEqual((refused["code"], refused["reason"]), ("rejected", "not_enough"))
        ada = self.attached_agent("ada")
        taken, = self.settle({"op": "incr", "key": "b", "amount": -7, "type": "bounded-counter"},
                             agent=ada)
        self.assertTrue(taken["ok"])
        self.assertEqual(self.json("state", "get", "b")["reserved"], {"bee": 2})

    def test_sets_extremes_and_flags(self):
        self.done({"op": "add", "key": "w", "elements": ["a", "b"], "type": "remove-wins-set"},
                  {"op": "remove", "key": "w", "elements": ["a"], "type": "remove-wins-set"},
                  {"op": "add", "key": "g", "elements": ["a"], "type": "grow-set"},
                  {"op": "max", "key": "x", "value": 7}, {"op": "max", "key": "x", "value": 6},
                  {"op": "min", "key": "y", "value": 7.5},
                  {"op": "max", "key": "z", "value": "zoe", "kind": "bytes"},
                  {"op": "once", "key": "o"}, {"op": "on", "key": "f"},
                  {"op": "off", "key": "d", "type": "disable-flag"})
        values = {key: self.get(key)["value"] for key in "wgxyzofd"}
        self.assertEqual(values, {"w": ["b"], "g": ["a"], "x": 7, "y": 7.5, "z": "zoe", "o": True,
                                  "f": True, "d": False})

    def test_registers_side_by_side_and_fields(self):
        self.done({"op": "put", "key": "p", "value": "north", "beside": True},
                  {"op": "setfield", "key": "m", "field": "mood", "value": "happy"},
                  {"op": "setfield", "key": "m", "field": ["home", "city"], "value": {"a": 1}},
                  {"op": "incr", "key": "m", "field": "mood", "amount": 2},
                  {"op": "add", "key": "m", "field": "tags", "elements": ["a"]},
                  {"op": "insert", "key": "m", "field": "song", "at": 0, "text": "hum"})
        self.assertEqual([v["value"] for v in self.get("p")["values"]], ["north"])
        shown = [(f["name"], f["type"]) for f in self.get("m")["fields"]]
        self.assertEqual(shown, [("home", "map"), ("mood", "text"), ("mood", "counter"),
                                 ("song", "shared-text"), ("tags", "set")])
        self.done({"op": "rmfield", "key": "m", "field": "mood", "type": "text"},
                  {"op": "rmfield", "key": "m", "field": ["home", "city"]},
                  {"op": "delete", "key": "m", "field": "song"})
        shown = [(f["name"], f["type"], f.get("value")) for f in self.get("m")["fields"]]
        self.assertEqual(shown, [("home", "map", None), ("mood", "counter", 2),
                                 ("tags", "set", ["a"])])

    def test_a_group_takes_every_write(self):
        self.done({"op": "group", "entries": [
            {"op": "incr", "key": "b", "amount": 3, "type": "bounded-counter"},
            {"op": "max", "key": "x", "value": 7}, {"op": "on", "key": "f"},
            {"op": "setfield", "key": "m", "field": "mood", "value": "happy"},
            {"op": "insert", "key": "t", "at": 0, "text": "hum"}, {"op": "once", "key": "o"}]})
        versions = {self.get(key)["version"] for key in "bxfmto"}
        self.assertEqual(len(versions), 1)
        # One entry that can't be: nothing of the group.
        refused, = self.settle({"op": "group", "entries": [
            {"op": "max", "key": "x", "value": 9},
            {"op": "incr", "key": "b", "amount": -4, "type": "bounded-counter"}]})
        self.assertEqual((refused["ok"], refused["key"]), (False, "b"))
        self.assertEqual(self.get("x")["value"], 7)

    def test_a_wrong_type_is_answered_by_its_outcome(self):
        self.done({"op": "incr", "key": "n"})
        outcomes = self.settle({"op": "on", "key": "n"}, {"op": "reset", "key": "n"},
                               {"op": "setfield", "key": "n", "field": "f", "value": 1},
                               {"op": "insert", "key": "n", "at": 0, "text": "x"},
                               {"op": "put", "key": "n", "value": 1, "beside": True})
        self.assertEqual({o["reason"] for o in outcomes}, {"type_mismatch"})

    def test_an_append_and_a_patch_are_made_of_what_is_there(self):
        self.done({"op": "append", "key": "song", "text": "hum"},
                  {"op": "append", "key": "song", "text": " and hum"},
                  {"op": "append", "key": "tasks", "elements": ["dig", "fill"]},
                  {"op": "patch", "key": "plan", "patch": {"status": "open", "owner": "bee"}},
                  {"op": "patch", "key": "plan", "patch": [
                      {"op": "replace", "path": "/status", "value": "done"}]},
                  {"op": "patch", "key": "m", "field": "home", "patch": {"city": "Ulm"}})
        self.assertEqual(self.get("song")["value"], "hum and hum")
        self.assertEqual(self.get("tasks")["value"], ["dig", "fill"])
        self.assertEqual(self.get("plan")["value"], {"owner": "bee", "status": "done"})

    def test_a_patch_that_does_not_fit_is_an_error(self):
        self.bee.send({"op": "patch", "key": "plan", "id": 1,
                       "patch": [{"op": "remove", "path": "/a"}]})
        self.assertIn("operation 1", self.bee.wait_for("error", id=1)["text"])
        self.bee.send({"op": "patch", "key": "plan", "id": 2, "patch": "{}"})
        self.assertIn("expected an object", self.bee.wait_for("error", id=2)["text"])
        self.bee.send({"op": "group", "id": 3,
                       "entries": [{"op": "patch", "key": "plan", "patch": {}}]})
        self.assertIn("stands alone", self.bee.wait_for("error", id=3)["text"])

    def test_positions_may_be_those_of_an_earlier_state(self):
        self.done({"op": "insert", "key": "t", "at": 0, "text": "hum"})
        version = self.get("t")["version"]
        self.done({"op": "insert", "key": "t", "at": 0, "text": "ho "})
        self.out("state", "append", "t", "?")
        # The own insertion counts, what others did since does not.
        self.done({"op": "insert", "key": "t", "at": 6, "text": "!", "as_of": version})
        self.assertIn(self.get("t")["value"], ("ho hum!?", "ho hum?!"))
        self.bee.send({"op": "erase", "key": "t", "at": 0, "as_of": 999, "id": "ahead"})
        self.assertIn("has held", self.bee.wait_for("error", id="ahead")["text"])
        self.bee.send({"op": "erase", "key": "t", "at": 0, "as_of": "soon", "id": "soon"})
        self.assertIn("EPOCH@REVISION", self.bee.wait_for("error", id="soon")["text"])

    def test_a_patch_behind_a_conditional_write_keeps_it(self):
        self.done({"op": "put", "key": "plan", "value": {"n": 1}, "if_absent": True},
                  {"op": "patch", "key": "plan", "patch": {"m": 1}})
        self.assertEqual(self.get("plan")["value"], {"m": 1, "n": 1})
        refused, too = self.settle(
            {"op": "put", "key": "plan", "value": {"n": 2}, "if_absent": True},
            {"op": "patch", "key": "plan", "patch": {"o": 1}})
        self.assertEqual((refused["conflict"], too["conflict"]), ("version_mismatch",) * 2)
        self.assertEqual(self.get("plan")["value"], {"m": 1, "n": 1})

    def test_as_of_a_read_counts_the_own_writes_that_the_read_counted(self):
        self.out("state", "append", "r", "hello")
        self.bee.send({"op": "insert", "key": "r", "at": 0, "text": "XX ", "id": "first"},
                      {"op": "get", "key": "r", "id": "read"})
        read = self.bee.wait_for("value", id="read")
        self.bee.wait_for("settled", again=True, id="first")  # before or behind it
        if read["value"] == "XX hello":
            self.done({"op": "insert", "key": "r", "at": 3, "text": "|", "as_of": read["at"]})
            self.assertEqual(self.get("r")["value"], "XX |hello")


if __name__ == "__main__":
    program.main()
