"""Keys: who is let in, whom each speaks for, and how that ends."""

import json
import os
import signal
import stat

import program


class Keys(program.Case):
    def setUp(self):
        super().setUp()
        self.out("keys", "new", "hive.key", coordinator=False)
        self.authorized = self.directory / "authorized_keys"

    def key(self, name, *arguments, agent=None):
        """A key that is authorized for the agent of that name."""
        file = self.directory / f"{name}.key"
        self.out("keys", "new", file, coordinator=False)
        self.out("keys", "authorize", f"{file}.pub", "--id", agent or name, "--authorized-keys",
                 self.authorized, *arguments, coordinator=False)
        return file

    def guarded(self, *arguments, **options):
        return self.serve("--key", self.directory / "hive.key", *arguments, **options)

    def with_key(self, name):
        return ["--key", self.directory / f"{name}.key", "--coordinator-key",
                self.directory / "hive.key.pub"]

    def reload(self, coordinator, expected):
        coordinator.signal(signal.SIGHUP)
        deadline = program.time.monotonic() + program.PATIENCE
        while expected not in coordinator.messages:
            coordinator.err.next(deadline)

    def test_a_swarm_with_keys_from_the_first_to_the_revoked_one(self):
        self.key("planner")
        self.key("scout")
        coordinator = self.guarded()
        self.assertEqual(coordinator.ready["authorized"], 2)
        planner = self.attached_agent("planner", *self.with_key("planner"))
        scout = self.attached_agent("scout", "--changes", *self.with_key("scout"))
        planner.send({"op": "put", "key": "plan", "value": "north", "id": 1})
        planner.wait_for("settled", id=1)
        self.assertEqual(scout.wait_for("change")["changes"][0]["key"], "plan")
        # A client is let in with any authorized key, and with none it hears what to do.
        self.assertEqual(self.out("state", "get", "plan", *self.with_key("scout")), "north")
        bare = self.expect(7, "state", "get", "plan")
        self.assertIn("waggle keys new", bare.stderr)

        self.out("keys", "revoke", "--id", "scout", "--authorized-keys", self.authorized)
        self.reload(coordinator, "1 key let in")
        ended = scout.wait_for("link", state="ended")
        self.assertIn("no longer authorized", ended["text"])
        self.assertEqual(scout.wait(), 7)
        self.assertIn("does not let this key in",
                      self.expect(7, "state", "get", "plan", *self.with_key("scout")).stderr)
        # The others go on, updates included.
        watcher = self.attached_agent("planner2", *self.authorize_late(coordinator, "planner2"))
        planner.send({"op": "put", "key": "plan", "value": "south", "id": 2})
        planner.wait_for("settled", id=2)
        watcher.send({"op": "get", "key": "plan", "at_least": 2, "id": 3})
        self.assertEqual(watcher.wait_for("value", id=3)["value"], "south")

    def authorize_late(self, coordinator, name):
        self.key(name)
        self.reload(coordinator, "2 keys let in")
        return self.with_key(name)

    def test_nobody_speaks_for_another(self):
        self.key("planner")
        self.key("scout")
        log = self.directory / "access.log"
        self.guarded("--access-log", log)
        thief = self.agent("planner", *self.with_key("scout"))
        ended = thief.wait_for("link", state="ended")
        self.assertIn("speaks for agent 'scout', not for 'planner'", ended["text"])
        self.assertEqual(thief.wait(), 7)
        self.key("late")  # authorized in the file, and the coordinator was not told
        self.expect(7, "status", *self.with_key("late"))
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        refused = [line for line in lines if line["what"] == "connect"]
        self.assertTrue(refused)
        self.assertEqual(refused[0]["why"], "its key is not authorized")
        self.assertTrue(refused[0]["from"].startswith("127.0.0.1"))
        forged = [line for line in lines if line["what"] == "hello"]
        self.assertEqual((forged[0]["agent"], forged[0]["refused"]), ("scout", True))
        self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)

    def test_a_key_of_one_swarm(self):
        self.key("bee", "--swarm", "bees")
        self.guarded()
        self.out("state", "put", "a", "1", "--swarm", "bees", *self.with_key("bee"))
        done = self.expect(7, "state", "put", "a", "1", "--swarm", "wasps", *self.with_key("bee"))
        self.assertIn("enters swarm 'bees' only", done.stderr)

    def test_an_agent_that_lost_its_data_takes_its_id_back(self):
        self.key("a")
        self.guarded()
        first = self.attached_agent("a", *self.with_key("a"))
        second = self.attached_agent("a", *self.with_key("a"))
        self.assertEqual(first.wait(), 7)
        second.send({"op": "put", "key": "k", "value": 1, "id": 1})
        second.wait_for("settled", id=1)

    def test_a_broken_file_changes_nothing_at_hup(self):
        self.key("a")
        coordinator = self.guarded()
        text = self.authorized.read_text()
        self.authorized.write_text(text + "nonsense\n")
        self.reload(coordinator, f"{self.authorized}:{len(text.splitlines()) + 1}:")
        self.out("state", "put", "k", "1", *self.with_key("a"))
        self.authorized.write_text(text)
        self.reload(coordinator, "1 key let in")

    def test_the_coordinator_survives_a_restart_with_its_key(self):
        self.key("a")
        coordinator = self.guarded()
        agent = self.attached_agent("a", "--data", self.directory / "a", *self.with_key("a"))
        coordinator.signal(signal.SIGKILL)
        coordinator.wait()
        agent.wait_for("link", state="lost")
        agent.send({"op": "put", "key": "k", "value": 1, "id": 1})
        self.serve("--key", self.directory / "hive.key", listen=self.endpoint)
        agent.wait_for("settled", id=1)

    def test_listening_for_other_machines_needs_keys_or_the_word(self):
        done = self.expect(7, "serve", "--listen", "tcp://0.0.0.0:0", "--memory",
                           coordinator=False)
        self.assertIn("--key", done.stderr)
        self.key("a")
        coordinator = self.guarded("--memory", listen="tcp://0.0.0.0:0")
        self.assertNotIn("WARNING", coordinator.messages)
        open_one = self.serve("--memory", "--insecure-listen", listen="tcp://0.0.0.0:0")
        open_one.signal(signal.SIGTERM)
        open_one.wait()
        self.assertIn("WARNING", open_one.messages)

    def test_files(self):
        file = self.directory / "x.key"
        made = self.json("keys", "new", file, coordinator=False)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        shown = self.json("keys", "show", file, coordinator=False)
        self.assertEqual((shown["key"], shown["fingerprint"]), (made["key"], made["fingerprint"]))
        self.assertEqual(self.json("keys", "show", f"{file}.pub", coordinator=False), shown)
        self.assertNotIn(made["key"], file.read_text())
        self.expect(1, "keys", "new", file, coordinator=False)
        where = ["--authorized-keys", self.authorized]
        self.out("keys", "authorize", made["key"], "--id", "x", "--comment", "the # first", *where,
                 coordinator=False)
        self.expect(1, "keys", "authorize", file, "--id", "y", *where, coordinator=False)
        listed = self.json("keys", "ls", *where, coordinator=False)
        self.assertEqual((listed["agent"], listed["comment"]), ("x", "the # first"))
        self.assertIn("x", self.out("keys", "ls", *where, coordinator=False))
        self.out("keys", "revoke", made["fingerprint"], *where, coordinator=False)
        self.expect(3, "keys", "revoke", file, *where, coordinator=False)
        self.expect(2, "keys", "revoke", *where, coordinator=False)
        self.expect(2, "keys", "authorize", file, "--id", "a b", *where, coordinator=False)
        self.expect(3, "keys", "show", "nowhere", coordinator=False)
        os.chmod(file, 0o644)
        done = self.expect(7, "keys", "show", file, coordinator=False)
        self.assertIn("chmod 600", done.stderr)
        self.expect(7, "serve", "--key", file, "--memory", coordinator=False)
        done = self.expect(1, "status", "--key", file, coordinator=False)
        self.assertIn("anybody could pose as it", done.stderr)


if __name__ == "__main__":
    program.main()
