"""The writes of `waggle state` for every type of value: plain, with --json, and on fields of maps."""

import concurrent.futures
import json

import program


class Types(program.Case):
    def setUp(self):
        super().setUp()
        self.serve("--memory")

    def write(self, *words):
        """A write that changes something, plain; its revision."""
        return int(self.out("state", *words))

    def value(self, key):
        record = self.json("state", "get", key)
        return record["type"], record.get("value")

    def refused(self, code, *words, says):
        self.assertIn(says, self.expect(code, "state", *words).stderr)

    def test_every_write_answers_with_its_revision_and_with_json_with_an_outcome(self):
        writes = (["put", "p", "v", "--beside"], ["incr", "n"],
                  ["incr", "g", "2", "--type", "grow-counter"],
                  ["incr", "r", "2", "--type", "resettable-counter"], ["reset", "r"],
                  ["incr", "b", "2", "--type", "bounded-counter"],
                  ["add", "s", "a"], ["remove", "s", "a"], ["max", "x", "7"], ["min", "y", "7"],
                  ["once", "o"], ["on", "f"], ["off", "f"], ["setfield", "m", "f", "v"],
                  ["rmfield", "m", "f"], ["insert", "t", "0", "hum"], ["erase", "t", "0"],
                  ["append", "t", "hum"], ["insert", "l", "0", "a", "b", "--list"])
        for number, words in enumerate(writes, 1):
            with self.subTest(words):
                self.assertEqual(self.write(*words), number)
        self.json("clear", "--yes")
        for words in writes:
            with self.subTest(words):
                answer = self.json("state", *words)
                self.assertEqual((answer["key"], answer["ok"], answer["code"], answer["changed"]),
                                 (words[1], True, "committed", True))

    def test_counters(self):
        self.write("incr", "g", "3", "--type", "grow-counter")
        self.assertEqual(self.value("g"), ("grow-counter", 3))
        self.refused(1, "incr", "g", "-1", "--type", "grow-counter", says="only rises")
        self.refused(1, "incr", "g", says="'g' is of type grow-counter")
        self.write("incr", "r", "3", "--type", "resettable-counter")
        self.write("reset", "r")
        self.assertEqual(self.value("r"), ("resettable-counter", 0))
        self.write("incr", "b", "5", "--type", "bounded-counter")
        self.write("incr", "b", "-2", "--type", "bounded-counter")
        self.assertEqual(self.out("state", "get", "b"), "3\n")
        self.refused(1, "incr", "b", "-4", "--type", "bounded-counter", says="3 are free")
        answer = self.json("state", "incr", "b", "-4", "--type", "bounded-counter", code=1)
        self.assertEqual((answer["code"], answer["reason"]), ("rejected", "not_enough"))

    def test_sets(self):
        self.write("add", "g", "b", "a", "--type", "grow-set")
        self.assertEqual(self.value("g"), ("grow-set", ["a", "b"]))
        self.refused(1, "remove", "g", "a", "--type", "grow-set", says="only grows")
        self.write("add", "w", "b", "a", "--type", "remove-wins-set")
        self.write("remove", "w", "a", "--type", "remove-wins-set")
        self.assertEqual(self.out("state", "get", "w"), "b\n")
        self.assertEqual(self.value("w"), ("remove-wins-set", ["b"]))

    def test_max_and_min(self):
        self.write("max", "x", "7")
        self.write("max", "x", "9")
        answer = self.json("state", "max", "x", "-8")
        self.assertEqual((answer["ok"], answer["changed"]), (True, False))
        self.assertEqual(self.out("state", "get", "x"), "9\n")
        self.refused(1, "max", "x", "9.5", says="integer")
        self.write("min", "y", "7.5")
        self.write("min", "y", "-1e3")
        self.assertEqual(self.value("y"), ("min", -1000))
        self.assertEqual(self.json("state", "get", "y")["kind"], "real")
        self.write("max", "big", str(2**64 - 1))
        self.assertEqual(self.json("state", "get", "big")["kind"], "natural")
        self.refused(2, "max", "z", "hello", says="--kind bytes")
        self.write("max", "z", "hello", "--kind", "bytes")
        self.assertEqual(self.out("state", "get", "z"), "hello\n")

    def test_flags(self):
        self.write("once", "o")
        self.assertEqual(self.json("state", "once", "o")["changed"], False)
        self.assertEqual(self.value("o"), ("once", True))
        self.write("on", "f")
        self.assertEqual(self.value("f"), ("enable-flag", True))
        self.write("off", "f")
        self.assertEqual(self.out("state", "get", "f"), "false\n")
        self.write("off", "d", "--type", "disable-flag")
        self.assertEqual(self.value("d"), ("disable-flag", False))
        self.refused(1, "on", "d", says="disable-flag")

    def test_a_value_beside_others(self):
        self.write("put", "p", "north", "--beside")
        record = self.json("state", "get", "p")
        self.assertEqual((record["type"], [v["value"] for v in record["values"]]),
                         ("multi-register", ["north"]))
        # A command has seen what was there when it began.
        self.write("put", "p", '{"a": 1}', "--beside", "--type", "json")
        self.assertEqual(self.out("state", "get", "p"), '{"a":1}\n')

    def test_conditions(self):
        version = self.write("max", "x", "7", "--if-absent")
        self.expect(4, "state", "max", "x", "9", "--if-absent")
        self.write("max", "x", "9", "--if-version", version)
        self.expect(4, "state", "max", "x", "10", "--if-version", version)
        self.expect(4, "state", "setfield", "m", "f", "v", "--if-version", "9")
        self.expect(3, "state", "get", "m")

    def test_every_write_can_be_one_on_a_field(self):
        at = ("--field", "bee", "--field", "home")
        self.write("put", "m", "north", "--beside", "--field", "plan")
        self.write("incr", "m", "3", *at)
        self.write("incr", "m", "5", "--type", "resettable-counter", "--field", "errors")
        self.write("reset", "m", "--field", "errors")
        self.write("add", "m", "a", "b", "--field", "tags")
        self.write("remove", "m", "a", "--field", "tags")
        self.write("max", "m", "7", "--field", "best")
        self.write("min", "m", "7", "--field", "least")
        self.write("once", "m", "--field", "done")
        self.write("on", "m", "--field", "lamp")
        self.write("insert", "m", "0", "hum", "--field", "song")
        self.write("append", "m", "hum", "--field", "song")
        self.write("erase", "m", "0", "--field", "song")
        fields = {f["name"]: f for f in self.json("state", "get", "m")["fields"]}
        self.assertEqual({name: f["type"] for name, f in fields.items()},
                         {"plan": "multi-register", "bee": "map", "errors": "resettable-counter",
                          "tags": "set", "best": "max", "least": "min", "done": "once",
                          "lamp": "enable-flag", "song": "shared-text"})
        self.assertEqual(fields["tags"]["value"], ["b"])
        self.assertEqual(fields["errors"]["value"], 0)
        self.assertEqual(self.out("state", "get", "m", *at), "3\n")

    def test_fields_of_a_map(self):
        self.write("setfield", "m", "mood", "happy")
        self.write("setfield", "m", "/home/city", "Ulm")
        self.write("setfield", "m", "street", "Oak", "--field", "home")
        self.write("setfield", "m", "size", '{"mm": 12}', "--type", "json")
        (self.directory / "f").write_bytes(b"\xff")
        self.write("setfield", "m", "/a~1b", "--file", "f")
        self.assertEqual(self.out("state", "get", "m", "--field", "home", "--field", "city"), "Ulm")
        self.assertEqual(self.expect(0, "state", "get", "m", "--field", "a/b").bytes, b"\xff")
        self.assertEqual(self.out("state", "get", "m").splitlines()[1:],
                         ["home\t{city: Ulm, street: Oak}", "mood\thappy", 'size\t{"mm":12}'])
        self.write("rmfield", "m", "/home/city")
        done = self.expect(3, "state", "get", "m", "--field", "home", "--field", "city")
        self.assertIn("no field 'home' / 'city' in 'm'", done.stderr)
        self.refused(3, "rmfield", "m", "/home/city", says="has no field 'home' / 'city'")
        self.assertEqual(self.json("state", "rmfield", "m", "nope", code=3)["changed"], False)

    def test_a_name_may_have_several_types(self):
        self.write("setfield", "m", "f", "text")
        self.write("incr", "m", "2", "--field", "f")
        done = self.expect(0, "state", "get", "m", "--field", "f")
        self.assertEqual(done.stdout, "text")
        self.assertIn("several types: text, counter", done.stderr)
        found = self.json("state", "get", "m", "--field", "f")
        self.assertEqual((found["key"], found["field"], found["exists"], found["version"]),
                         ("m", ["f"], True, 2))
        self.assertEqual([(f["name"], f["type"], f["value"]) for f in found["fields"]],
                         [("f", "text", "text"), ("f", "counter", 2)])
        self.write("rmfield", "m", "f", "--type", "text")
        self.assertEqual(self.out("state", "get", "m", "--field", "f"), "2\n")
        absent = self.json("state", "get", "m", "--field", "nope", code=3)
        self.assertEqual((absent["exists"], absent["fields"]), (False, []))
        self.write("incr", "n")
        self.refused(3, "get", "n", "--field", "f", says="'n' holds no map")
        self.expect(3, "state", "get", "absent", "--field", "f")

    def test_positions_can_be_those_of_an_earlier_state(self):
        self.write("insert", "t", "0", "hum")
        cursor = self.json("state", "ls")["cursor"]
        self.write("erase", "t", "0")
        self.write("insert", "t", "0", "x", "--as-of", "1")
        self.write("insert", "t", "0", "x", "--as-of", cursor)
        self.refused(1, "insert", "t", "0", "x", "--as-of", "soon", says="'soon' is no cursor")
        self.refused(5, "insert", "t", "0", "x", "--as-of", "99", says="beyond")
        self.refused(5, "insert", "t", "0", "x", "--as-of", "deadbeefdeadbeef@1", says="not known")
        self.assertEqual(self.value("t")[0], "shared-text")

    def test_a_patch_changes_a_part_of_a_document(self):
        self.write("patch", "plan", '{"status": "open", "steps": ["dig"]}')
        self.write("patch", "plan", '{"status": null, "owner": "ada"}')
        self.write("patch", "plan", '[{"op": "add", "path": "/steps/-", "value": "fill"}]')
        self.assertEqual(self.out("state", "get", "plan"),
                         '{"owner":"ada","steps":["dig","fill"]}')
        self.write("patch", "m", '{"city": "Ulm"}', "--field", "home")
        self.assertEqual(self.out("state", "get", "m", "--field", "home"), '{"city":"Ulm"}')

    def test_a_patch_of_a_version_that_is_gone_is_refused(self):
        first = self.write("put", "plan", "{}", "--type", "json")
        second = self.write("patch", "plan", '{"a": 1}', "--if-version", first)
        self.expect(4, "state", "patch", "plan", '{"a": 2}', "--if-version", first)
        self.expect(4, "state", "patch", "plan", '{"a": 2}', "--if-absent")
        self.write("patch", "plan", '{"a": 2}', "--if-version", second)

    def test_patches_at_once_are_all_counted(self):
        self.write("put", "tally", "{}", "--type", "json")
        patches = [json.dumps({f"a{number}": number}) for number in range(6)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda patch: self.out("state", "patch", "tally", patch), patches))
        self.assertEqual(json.loads(self.out("state", "get", "tally")),
                         {f"a{number}": number for number in range(6)})

    def test_what_is_wrong_with_a_patch(self):
        self.refused(1, "patch", "plan", "7", says="expected an object")
        self.refused(1, "patch", "plan", "{", says="the patch is not JSON")
        self.refused(1, "patch", "plan", '[{"op": "remove", "path": "/a"}]', says="operation 1")
        self.write("put", "t", "text")
        self.refused(1, "patch", "t", "{}", says="what stands is text")
        self.write("incr", "n")
        self.refused(1, "patch", "n", "{}", says="'n' is of type counter")

    def test_an_append_may_be_the_first_write_of_a_swarm(self):
        self.assertEqual(self.write("append", "t", "hum"), 1)
        self.assertEqual(self.value("t")[0], "shared-text")

    def test_what_is_wrong_with_an_edit(self):
        self.refused(2, "insert", "t", "0", "two", "texts", says="expected one TEXT")
        self.refused(2, "insert", "t", "zero", "text", says="expected a whole number")
        self.refused(2, "erase", "t", "0", "0", says="expected a whole number from 1")
        self.refused(1, "insert", "t", "0", "", says="expected text to insert")
        self.write("incr", "n")
        self.refused(1, "append", "n", "x", says="'n' is of type counter")

    def test_help_has_an_example_of_each(self):
        for verb in ("incr", "reset", "add", "remove", "max", "min", "once", "on", "off",
                     "setfield", "rmfield", "insert", "erase", "append", "patch"):
            self.assertIn(f"  waggle state {verb} ", self.out("help", "state", verb))
        self.assertIn("did you mean 'setfield'",
                      self.expect(2, "state", "setfeild", "m", "f", "v").stderr)
        error = json.loads(self.expect(2, "state", "max", "x", "hello", "--json").stderr)
        self.assertEqual((error["code"], error["exit"]), ("usage", 2))


if __name__ == "__main__":
    program.main()
