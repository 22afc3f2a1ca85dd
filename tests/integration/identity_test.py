"""Who is who: one id, one session; one data directory, one agent of one swarm."""

import shutil
import signal

from inbox import program


class Identity(program.Case):
    def setUp(self):
        super().setUp()
        self.coordinator = self.serve()

    def settle(self, agent, key, name):
        agent.send({"op": "incr", "key": key, "id": name})
        return agent.wait_for("settled", again=True, id=name)

    def test_a_second_process_of_an_id_waits_until_the_first_leaves(self):
        first = self.attached_agent("a")
        second = self.agent("a", "--data", "other")
        lost = second.wait_for("link", state="lost")
        self.assertEqual(lost["code"], "unavailable")
        self.assertIn("id_in_use", lost["text"])
        # It works offline meanwhile, and the first is not disturbed.
        second.send({"op": "incr", "key": "n", "id": 1})
        second.wait_for("queued", id=1)
        self.assertEqual(self.settle(first, "n", "first")["code"], "committed")
        first.close_input()
        self.assertEqual(first.wait(), 0)
        self.assertEqual(second.wait_for("settled", id=1)["code"], "committed")
        self.assertEqual(self.out("state", "get", "n"), "2\n")
        self.assertFalse([e for e in first.events if e.get("state") in ("lost", "ended")])

    def test_the_id_of_a_killed_process_is_free_after_its_lease(self):
        first = self.attached_agent("a")
        self.assertEqual(self.settle(first, "n", 1)["code"], "committed")
        first.signal(signal.SIGKILL)
        first.process.wait()
        second = self.attached_agent("a")
        self.assertEqual(self.settle(second, "n", 1)["code"], "committed")
        self.assertEqual(self.out("state", "get", "n"), "2\n")

    def test_the_same_directory_takes_its_id_over_at_once(self):
        first = self.attached_agent("a", "--data", "agent")
        first.signal(signal.SIGKILL)
        first.process.wait()
        second = self.attached_agent("a", "--data", "agent")
        self.assertFalse([e for e in second.events if e.get("state") == "lost"])

    def test_of_two_copies_of_a_directory_the_later_process_stays(self):
        agent = self.attached_agent("a", "--data", "one")
        self.settle(agent, "n", 0)
        agent.close_input()
        agent.wait()
        shutil.copytree(self.directory / "one", self.directory / "two")
        first = self.attached_agent("a", "--data", "one")
        second = self.attached_agent("a", "--data", "two")
        ended = first.wait_for("link", state="ended")
        self.assertEqual(ended["code"], "denied")
        self.assertIn("this session was ended", ended["text"])
        self.assertEqual(first.wait(), 7)  # it does not come back by itself
        self.assertEqual(self.settle(second, "n", 1)["code"], "committed")
        self.assertEqual([a["agent"] for a in self.json("agent", "ls")["agents"]], ["a"])
        third = self.attached_agent("a", "--data", "one")
        self.assertEqual(second.wait(), 7)
        self.assertEqual(self.settle(third, "n", 2)["code"], "committed")
        self.assertEqual(self.out("state", "get", "n"), "3\n")

    def test_a_directory_belongs_to_one_agent_of_one_swarm(self):
        agent = self.attached_agent("a", "--data", "agent")
        done = self.expect(5, "agent", "run", "--id", "b", "--data", "agent")
        self.assertIn(f"pid {agent.process.pid}", done.stderr)
        agent.end()
        done = self.expect(1, "agent", "run", "--id", "b", "--data", "agent")
        self.assertIn("belongs to agent 'a'", done.stderr)
        done = self.expect(1, "agent", "run", "--id", "a", "--data", "agent", "--swarm", "other")
        self.assertIn("swarm 'default'", done.stderr)
        self.assertEqual(done.stdout, "")
        self.attached_agent("a", "--data", "agent")  # unharmed

    def test_a_directory_of_the_other_kind_is_refused_and_unharmed(self):
        self.out("state", "put", "k", "v")
        agent = self.attached_agent("a", "--data", "agent")
        self.settle(agent, "n", 1)
        agent.close_input()
        agent.wait()
        self.coordinator.signal(signal.SIGTERM)
        self.coordinator.wait()
        done = self.expect(1, "serve", "--listen", self.endpoint, "--data", "agent")
        self.assertIn("is the store of a kind 'agent'", done.stderr)
        done = self.expect(1, "agent", "run", "--id", "a", "--data", "coordinator")
        self.assertIn("is the store of a kind 'coordinator'", done.stderr)
        self.serve(listen=self.endpoint)
        self.assertEqual(self.out("state", "get", "k"), "v")
        agent = self.attached_agent("a", "--data", "agent")
        # It may have left with the answer to its write and without the update.
        agent.send({"op": "get", "key": "n", "at_least": self.json("state", "get", "n")["version"],
                    "id": 2})
        self.assertEqual(agent.wait_for("value", id=2)["value"], 1)


class CopiedOutbox(program.Case):
    def test_a_write_that_two_copies_of_an_outbox_hold_is_applied_once(self):
        coordinator = self.serve()
        self.attached_agent("a", "--data", "one").end()
        coordinator.signal(signal.SIGTERM)
        coordinator.wait()
        agent = self.agent("a", "--data", "one")
        agent.send({"op": "incr", "key": "n", "id": 1})
        agent.wait_for("queued", id=1)
        agent.signal(signal.SIGKILL)
        agent.process.wait()
        shutil.copytree(self.directory / "one", self.directory / "two")
        self.serve(listen=self.endpoint)
        first = self.attached_agent("a", "--data", "one")
        self.assertEqual(first.wait_for("settled", again=True)["code"], "committed")
        second = self.attached_agent("a", "--data", "two")
        told = second.wait_for("settled", again=True)
        self.assertEqual(self.out("state", "get", "n"), "1\n", told)


if __name__ == "__main__":
    program.main()
