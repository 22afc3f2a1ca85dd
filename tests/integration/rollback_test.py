"""An older copy of the coordinator's store is put back: it is refused, and accepted only as a new
epoch, in which everybody is told what is gone."""

import shutil
import signal
import subprocess

from inbox import program


class Rollback(program.Case):
    def setUp(self):
        super().setUp()
        self.coordinator = self.serve()
        self.data = self.directory / "coordinator"
        self.first_epoch = self.coordinator.ready["epoch"]

    def stop(self):
        self.coordinator.signal(signal.SIGTERM)
        self.assertEqual(self.coordinator.wait(), 0)

    def start_again(self, *arguments):
        self.coordinator = self.serve(*arguments, listen=self.endpoint)

    def settle(self, agent, *names):
        for name in names:
            agent.send({"op": "incr", "key": "n", "id": name})
        return [agent.wait_for("settled", id=name) for name in names]

    def copy(self):
        """REQUIRES: stopped. The database without the marker, as a backup has it."""
        shutil.copytree(self.data / "db", self.directory / "copy")

    def put_back(self):
        shutil.rmtree(self.data / "db")
        shutil.copytree(self.directory / "copy", self.data / "db")

    def refused(self, code=1):
        return self.expect(code, "serve", "--listen", self.endpoint, "--data", self.data).stderr

    def status_of(self, agent, name):
        agent.send({"op": "status", "id": name})
        return agent.wait_for("status", id=name)

    def equal(self, agent):
        swarm = self.json("status")["swarms"][0]
        found = self.status_of(agent, "look")
        return (found["digest"], found["link"], found["outbox"]) == (swarm["digest"], "attached", 0)

    def test_an_older_store_is_refused_with_both_heads(self):
        self.out("state", "put", "k", "v")
        self.stop()
        self.copy()
        self.start_again()
        for _ in range(4):
            self.out("state", "incr", "n")
        self.stop()
        self.put_back()
        text = self.refused()
        self.assertIn(f"recovered head swarm 'default' {self.first_epoch}@1", text)
        self.assertIn(f"marker says swarm 'default' {self.first_epoch}@5", text)
        self.assertIn("restore a backup, or start with --accept-rollback", text)
        self.refused()  # a refusal changes nothing

    def test_a_store_without_its_marker_is_refused(self):
        self.out("state", "put", "k", "v")
        self.stop()
        (self.data / "HEAD").unlink()
        self.assertIn("--accept-rollback", self.refused())
        self.start_again("--accept-rollback")
        self.assertNotEqual(self.coordinator.ready["epoch"], self.first_epoch)
        self.assertEqual(self.out("state", "get", "k"), "v")

    def test_an_accepted_rollback_is_a_new_epoch_and_tells_who_lost_what(self):
        loser = self.attached_agent("loser")  # in memory: it knows what this process was told
        kept = self.attached_agent("kept", "--data", "kept")
        reader = self.attached_agent("reader", "--role", "observer")
        self.settle(loser, 1, 2)
        self.settle(kept, "kept")
        tail = self.start("tail", "--from", "0", "--coordinator", self.endpoint)
        tail.wait_for("change", version=3)
        self.stop()
        self.copy()
        self.start_again()
        lost = self.settle(loser, 3, 4, 5)
        tail.wait_for("change", version=6)
        self.stop()
        # Asked for while nobody is there: not acknowledged, so not lost.
        loser.send({"op": "incr", "key": "n", "amount": 100, "id": 6})
        loser.wait_for("queued", id=6)
        self.put_back()
        self.refused()
        self.start_again("--accept-rollback")
        ready = self.coordinator.ready
        self.assertNotEqual(ready["epoch"], self.first_epoch)
        self.assertEqual(ready["swarms"], [{"swarm": "default", "revision": 3, "keys": 1}])

        told = loser.wait_for("writes_lost")
        self.assertIn("3 acknowledged writes", told["text"])
        self.assertEqual([(w["incarnation"], w["seq"]) for w in told["writes"]],
                         [(s["incarnation"], s["seq"]) for s in lost])
        settled = loser.wait_for("settled", again=True, id=6)
        self.assertEqual((settled["code"], settled["revision"]), ("committed", 4))
        for agent in (loser, kept, reader):
            self.until(lambda agent=agent: self.equal(agent), "equal digests")
            self.assertEqual(self.status_of(agent, "cursor")["cursor"], f"{ready['epoch']}@4")
        for agent in (kept, reader):
            self.assertFalse([e for e in agent.events if e["event"] == "writes_lost"])
        self.assertEqual(self.out("state", "get", "n"), "103\n")
        change = tail.wait_for("change", version=4)
        self.assertEqual((change["cursor"], change["value"]), (f"{ready['epoch']}@4", 103))

        # The new epoch stays, and what is written in it is told once.
        self.stop()
        self.assertIn("WARNING: a new epoch begins, as was accepted", self.coordinator.messages)
        self.start_again()
        self.assertEqual(self.coordinator.ready["epoch"], ready["epoch"])
        self.assertEqual(self.settle(kept, "more")[0]["revision"], 5)
        self.until(lambda: self.equal(loser), "equal digests")
        self.assertEqual(len([e for e in loser.events if e["event"] == "writes_lost"]), 1)

    def test_cursors_of_the_old_epoch_hold_up_to_its_end(self):
        self.out("state", "put", "a", "1")
        self.out("state", "put", "b", "1")
        self.stop()
        self.copy()
        self.start_again()
        self.out("state", "put", "c", "lost")
        self.stop()
        self.put_back()
        self.start_again("--accept-rollback")
        self.out("state", "put", "d", "1")
        found = self.json("delta", "--since", f"{self.first_epoch}@1")
        self.assertEqual([c["key"] for c in found["changes"]], ["b", "d"])
        self.assertEqual(found["to"], f"{self.coordinator.ready['epoch']}@3")
        done = self.expect(5, "delta", "--since", f"{self.first_epoch}@3")
        self.assertIn("--or-snapshot", done.stderr)
        tail = self.start("tail", "--from", f"{self.first_epoch}@3", "--count", "3",
                          "--coordinator", self.endpoint)
        self.assertEqual(tail.wait(), 0)
        self.assertEqual([e["event"] for e in tail.events],
                         ["reset", "change", "change", "change", "cursor"])

    def test_accepting_where_nothing_is_lost_changes_nothing(self):
        self.out("state", "put", "k", "v")
        self.stop()
        self.start_again("--accept-rollback")
        self.assertEqual(self.coordinator.ready["epoch"], self.first_epoch)
        self.assertEqual(self.out("state", "get", "k"), "v")

    def test_a_rollback_whose_acceptance_was_cut_short_is_accepted_again(self):
        self.out("state", "put", "k", "v")
        self.stop()
        self.copy()
        self.start_again()
        self.out("state", "incr", "n")
        self.stop()
        self.put_back()
        for seconds in (0.02, 0.05, 0.1, 0.2, 0.3):  # killed at several points of its start
            process = self.start("serve", "--listen", self.endpoint, "--data", self.data,
                                 "--accept-rollback")
            try:
                process.process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.end()
        self.start_again("--accept-rollback")
        self.assertNotEqual(self.coordinator.ready["epoch"], self.first_epoch)
        self.assertEqual(self.out("state", "get", "k"), "v")


if __name__ == "__main__":
    program.main()
