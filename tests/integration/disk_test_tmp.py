"""The disk of the coordinator, or of an agent, is full: writes are refused in words that say so,
everything else goes on, and writes resume when there is space."""

import json
import signal

import small_disk
from inbox import program


def setUpModule():
    small_disk.enter_or_skip()


class FullDisk(program.Case):
    def setUp(self):
        super().setUp()
        self.disk = small_disk.SmallDisk(self, self.directory / "disk", "64m")

    def serve_on_disk(self, reserve="8MiB", **options):
        return self.serve("--data", self.disk.path / "data",
                          config=f'[coordinator]\ndisk_reserve = "{reserve}"\n', **options)

    def writable(self):
        return self.json("status")["writable"]

    def refuse_writes(self):
        self.disk.fill()
        self.until(lambda: not self.writable(), "writes are refused")

    def allow_writes(self):
        self.disk.free()
        self.until(self.writable, "writes resume")

    def kill(self, process):
        process.signal(signal.SIGKILL)
        process.process.wait()

    def check_reads_go_on(self, value):
        self.assertEqual(self.out("state", "get", "k"), value)
        self.assertIn("k\n", self.out("state", "ls"))
        self.assertEqual([c["value"] for c in self.json("delta", "--since", "0")["changes"]
                          if c["key"] == "k"], [value])
        self.assertIn("REFUSES WRITES: the disk is full", self.out("status"))

    def status_of(self, agent, number):
        agent.send({"op": "status", "id": number})
        return agent.wait_for("status", id=number)

    def test_writes_are_refused_and_reads_go_on_until_space_is_freed(self):
        self.serve_on_disk()
        self.out("state", "put", "k", "v")
        agent = self.attached_agent("a")
        self.refuse_writes()
        # A write is sent again until its time is over.
        for command in (["state", "put", "k", "w"], ["clear", "--yes"], ["compact"]):
            done = self.expect(5, *command, "--timeout", "2s")
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"the disk of the coordinator is nearly full: .* MiB are "
                                          r"free at '.*', the reserve is 8.0 MiB; writes resume")
        refused = self.json("state", "put", "k", "w", "--timeout", "2s", code=5)
        self.assertEqual((refused["ok"], refused["code"], refused["reason"], refused["level"]),
                         (False, "unavailable", "disk_full", "none"))
        self.check_reads_go_on("v")
        agent.send({"op": "incr", "key": "n", "id": 1}, {"op": "delta", "id": 2},
                   {"op": "offer", "key": "site", "value": "north", "id": 3})
        agent.wait_for("caught_up", again=True, id=2)
        agent.wait_for("offered", again=True, id=3)
        self.assertEqual(self.json("sync", "k")["outcome"], "unchanged")
        done = self.expect(5, "sync", "site")
        self.assertIn("the disk of the coordinator is nearly full", done.stderr)
        self.assertEqual(self.json("agent", "ls")["agents"][0]["health"], "healthy")
        found = self.status_of(agent, 4)
        self.assertEqual((found["link"], found["outbox"]), ("attached", 1))
        self.allow_writes()
        self.assertEqual(agent.wait_for("settled", id=1)["code"], "committed")
        self.assertEqual(self.out("state", "get", "n"), "1\n")
        self.assertEqual(self.json("sync", "site")["outcome"], "resolved")
        self.assertFalse([e for e in agent.events if e.get("state") == "lost"])  # never dropped

    def test_a_coordinator_started_below_its_reserve_refuses_writes_from_the_start(self):
        serve = self.serve_on_disk()
        self.out("state", "put", "k", "v")
        serve.signal(signal.SIGTERM)
        self.assertEqual(serve.wait(), 0)
        self.disk.fill(leave=5 << 20)
        serve = self.serve_on_disk(listen=self.endpoint)
        done = self.expect(5, "state", "put", "k", "w", "--timeout", "2s")
        self.assertIn("less than the reserve of 8.0 MiB", done.stderr)
        self.check_reads_go_on("v")
        self.allow_writes()
        self.out("state", "put", "k", "w")
        self.assertEqual(self.out("state", "get", "k"), "w")
        serve.signal(signal.SIGTERM)
        self.assertEqual(serve.wait(), 0)
        self.assertRegex(serve.messages, "WARNING: .* are free at .*, less than the reserve")

    def test_a_coordinator_started_on_a_full_disk_reads_and_resumes(self):
        serve = self.serve_on_disk()
        self.out("state", "put", "k", "v")
        epoch = serve.ready["epoch"]
        self.kill(serve)
        self.disk.fill()
        serve = self.serve_on_disk(listen=self.endpoint)
        self.assertEqual(serve.ready["epoch"], epoch)
        done = self.expect(5, "state", "put", "k", "w", "--timeout", "2s")
        self.assertIn("the disk was full when the store was opened", done.stderr)
        self.check_reads_go_on("v")
        agent = self.attached_agent("a")
        agent.send({"op": "put", "key": "k", "value": "w", "id": 1},
                   {"op": "offer", "key": "site", "value": "north", "id": 2})
        agent.wait_for("queued", id=1)
        agent.wait_for("offered", again=True, id=2)
        # Nothing that would have to be stored ends it.
        self.expect(5, "sync", "site")
        self.expect(5, "compact", "--timeout", "2s")
        self.expect(5, "clear", "--yes", "--timeout", "2s")
        self.assertIsNone(serve.process.poll(), serve.messages)
        self.allow_writes()
        self.assertEqual(agent.wait_for("settled", id=1)["code"], "committed")
        self.assertEqual(self.out("state", "get", "k"), "w")
        self.assertEqual(self.json("sync", "site")["outcome"], "resolved")
        self.assertEqual(self.json("status")["epoch"], epoch)
        self.kill(serve)
        self.serve_on_disk(listen=self.endpoint)
        self.assertEqual(self.out("state", "get", "k"), "w")

    def test_outcomes_that_nobody_confirmed_are_told_on_a_full_disk(self):
        serve = self.serve_on_disk()
        agent = self.attached_agent("a", "--data", "agent")
        # Both stand still in turn, so that the writes are committed and their outcomes unread.
        serve.signal(signal.SIGSTOP)
        for i in range(100):
            agent.send({"op": "incr", "key": "n", "id": i})
        agent.wait_for("queued", id=99)
        agent.signal(signal.SIGSTOP)
        serve.signal(signal.SIGCONT)
        head = "@0"
        def arrived():
            nonlocal head
            if head.endswith("@0"):  # it was stopped before its sockets had sent anything
                agent.signal(signal.SIGCONT)
            before, head = head, self.json("delta", "--since", "0")["to"]
            agent.signal(signal.SIGSTOP)
            return before == head and not head.endswith("@0")
        self.until(arrived, "what was submitted is committed")
        self.kill(serve)
        self.disk.fill()
        serve = self.serve_on_disk(listen=self.endpoint)
        told = json.loads(self.out("state", "get", "n"))
        agent.signal(signal.SIGCONT)
        for i in range(told):
            self.assertEqual(agent.wait_for("settled", id=i)["code"], "committed")
        # A process that takes over its directory has other writers: the old ones' rows go.
        self.kill(agent)
        agent = self.attached_agent("a", "--data", "agent")
        agent.send({"op": "incr", "key": "n", "amount": 1000, "id": "new"})
        agent.wait_for("queued", id="new")
        self.assertEqual(self.out("state", "get", "n"), f"{told}\n")
        self.assertIsNone(serve.process.poll(), serve.messages)
        self.allow_writes()
        self.assertEqual(agent.wait_for("settled", id="new")["code"], "committed")
        self.assertEqual(self.out("state", "get", "n"), "1100\n")
        self.assertIsNone(serve.process.poll(), serve.messages)

    def test_a_disk_that_fills_up_between_two_looks_loses_nothing(self):
        serve = self.serve_on_disk(reserve="0B")  # no look is early enough
        agent = self.attached_agent("a", "--data", "agent")
        self.disk.fill()
        count = 100  # more than the log has room for
        for i in range(count):
            agent.send({"op": "group", "id": i, "entries": [
                {"op": "put", "key": f"k{i:02}", "value": "x" * (400 << 10)},
                {"op": "incr", "key": "n"}]})
        self.assertEqual(serve.wait(), 6, serve.messages)  # unknown whether the last is there
        self.assertIn("No space left on device", serve.messages)
        self.assertIn("start again", serve.messages)
        second = self.serve_on_disk(listen=self.endpoint)
        agent.wait_for("link", again=True, state="attached")
        try:
            found = json.loads(self.out("state", "get", "n"))
        except AssertionError:
            print("SECOND", second.process.poll(), second.ready, "".join(second.err.rest()) if second.process.poll() is not None else second.messages)
            raise
        self.assertGreaterEqual(found, sum(e["event"] == "settled" for e in agent.events))
        self.disk.grow("256m")
        self.allow_writes()
        agent.close_input()
        self.assertEqual(agent.wait(), 0)
        settled = [e["id"] for e in agent.events if e["event"] == "settled" and e["ok"]]
        self.assertEqual(sorted(settled), list(range(count)))
        self.assertEqual(self.out("state", "get", "n"), f"{count}\n")
        self.assertEqual(len(self.out("state", "ls", "k*").split()), count)

    def test_a_new_epoch_is_not_begun_on_a_full_disk(self):
        serve = self.serve_on_disk()
        self.out("state", "put", "k", "v")
        self.kill(serve)
        (self.disk.path / "data" / "HEAD").unlink()
        self.disk.fill()
        done = self.expect(5, "serve", "--listen", self.endpoint, "--data",
                           self.disk.path / "data", "--accept-rollback")
        self.assertIn("disk", done.stderr)
        self.assertIn("free space", done.stderr)
        self.disk.free()
        done = self.expect(1, "serve", "--listen", self.endpoint, "--data", self.disk.path / "data")
        self.assertIn("--accept-rollback", done.stderr)
        self.serve("--data", self.disk.path / "data", "--accept-rollback")
        self.assertEqual(self.out("state", "get", "k"), "v")

    def test_a_store_can_not_be_made_on_a_full_disk(self):
        self.disk.fill()
        done = self.expect(5, "serve", "--listen", "tcp://127.0.0.1:0", "--data",
                           self.disk.path / "data")
        self.assertIn("the disk is full", done.stderr)


class FullDiskOfAnAgent(program.Case):
    def setUp(self):
        super().setUp()
        self.disk = small_disk.SmallDisk(self, self.directory / "disk", "32m")
        self.serve("--memory")

    def test_it_is_told_at_the_start(self):
        self.disk.fill()
        run = ("agent", "run", "--id", "a", "--data", self.disk.path / "agent")
        done = self.expect(5, *run)
        self.assertEqual(done.stdout, "")
        self.assertIn("the disk is full", done.stderr)
        self.disk.free()
        agent = self.attached_agent("a", "--data", self.disk.path / "agent")
        agent.send({"op": "put", "key": "k", "value": "v", "id": 1})
        agent.wait_for("settled", id=1)
        agent.close_input()
        self.assertEqual(agent.wait(), 0)
        self.disk.fill()
        done = self.expect(5, *run)
        self.assertIn("is full, so nothing that this agent writes could be kept; free space",
                      done.stderr)
        self.disk.free()
        self.attached_agent("a", "--data", self.disk.path / "agent")

    def test_an_agent_whose_disk_becomes_full_ends_and_says_why(self):
        agent = self.attached_agent("a", "--data", self.disk.path / "agent")
        agent.send({"op": "put", "key": "k", "value": "v", "id": "first"})
        agent.wait_for("settled", id="first")
        self.disk.fill()
        try:
            for i in range(24):  # more than the log has room for
                agent.send({"op": "put", "key": f"k{i}", "value": "x" * (1 << 20), "id": i})
        except BrokenPipeError:
            pass
        ended = agent.wait_for("link", state="ended")
        self.assertIn("No space left", ended["text"])
        self.assertEqual(agent.wait(), 6, agent.messages)
        self.assertIn("No space left", agent.messages)
        settled = [e["id"] for e in agent.events if e["event"] == "settled" and e["ok"]]
        keys = self.out("state", "ls", "--timeout", "30s").split()
        for name in settled:
            self.assertIn("k" if name == "first" else f"k{name}", keys)
        self.disk.free()
        agent = self.attached_agent("a", "--data", self.disk.path / "agent")
        agent.send({"op": "put", "key": "again", "value": "v", "id": "again"})
        self.assertEqual(agent.wait_for("settled", id="again")["code"], "committed")
        # What was queued on disk before is sent now.
        agent.send({"op": "status", "id": "s"})
        self.assertEqual(agent.wait_for("status", id="s")["outbox"], 0)


if __name__ == "__main__":
    program.main()
