"""TERM, and TERM once more, in the middle of things."""

import signal

from inbox import program


class Signals(program.Case):
    def test_a_second_term_ends_a_draining_agent_at_once_and_keeps_its_writes(self):
        coordinator = self.serve()
        self.attached_agent("a", "--data", "agent").end()
        coordinator.signal(signal.SIGTERM)
        coordinator.wait()
        agent = self.agent("a", "--data", "agent", "--drain", "1h")
        agent.send({"op": "incr", "key": "n", "id": 1})
        agent.wait_for("queued", id=1)
        agent.signal(signal.SIGTERM)
        deadline = program.time.monotonic() + program.PATIENCE
        while "once more exits at once" not in (line := agent.err.next(deadline)):
            self.assertIsNotNone(line)
        agent.signal(signal.SIGTERM)
        self.assertEqual(agent.wait(), 143)
        self.assertNotIn("left", [e["event"] for e in agent.events])
        self.serve(listen=self.endpoint)
        agent = self.agent("a", "--data", "agent")
        self.assertEqual(agent.wait_for("settled")["earlier"], True)
        self.assertEqual(self.out("state", "get", "n"), "1\n")

    def test_a_draining_agent_ends_when_its_writes_are_answered(self):
        coordinator = self.serve()
        agent = self.attached_agent("a", "--drain", "1h")
        coordinator.signal(signal.SIGKILL)
        coordinator.process.wait()
        agent.send({"op": "incr", "key": "n", "id": 1})
        agent.wait_for("queued", id=1)
        agent.signal(signal.SIGTERM)
        self.serve(listen=self.endpoint)
        self.assertEqual(agent.wait(), 143)
        self.assertEqual(agent.wait_for("settled", again=True, id=1)["code"], "committed")
        self.assertEqual(agent.events[-1], {"event": "left", "outbox": 0, "kept": True})

    def test_two_signals_at_once_end_a_coordinator_and_lose_nothing(self):
        coordinator = self.serve()
        agent = self.attached_agent("a", "--data", "agent")
        coordinator.signal(signal.SIGSTOP)
        for i in range(200):
            agent.send({"op": "incr", "key": "n", "id": i})
        agent.wait_for("queued", id=199)
        # Both wait when it goes on; whether the second finds it still draining is its luck.
        coordinator.signal(signal.SIGTERM)
        coordinator.signal(signal.SIGINT)
        coordinator.signal(signal.SIGCONT)
        self.assertIn(coordinator.wait(), (0, 130, 143))
        self.serve(listen=self.endpoint)
        agent.close_input()
        self.assertEqual(agent.wait(), 0)
        settled = [e for e in agent.events if e["event"] == "settled"]
        self.assertEqual((len(settled), all(e["ok"] for e in settled)), (200, True))
        self.assertEqual(self.out("state", "get", "n"), "200\n")

    def test_term_ends_a_sync_within_its_round(self):
        self.serve()
        agents = [self.attached_agent(name) for name in ("a", "b")]
        agents[1].signal(signal.SIGSTOP)
        sync = self.start("sync", "k", "--every", "50ms", "--timeout", "20s", "--json",
                          "--coordinator", self.endpoint)
        agents[0].send({"op": "offer", "key": "k", "value": "v", "id": 1})

        def rounds():
            return self.json("status")["swarms"][0]["open_rounds"]
        self.until(lambda: rounds() == 1, "a round waits for the one that is stopped")
        sync.signal(signal.SIGTERM)
        self.assertEqual(sync.wait(), -signal.SIGTERM)
        agents[1].signal(signal.SIGCONT)
        self.until(lambda: rounds() == 0, "the round ends without its caller")
        self.assertIn(self.json("sync", "k")["outcome"], ("resolved", "unchanged"))
        self.assertEqual(self.out("state", "get", "k"), "v")

    def test_a_second_coordinator_waits_for_the_first_to_be_gone(self):
        first = self.serve()
        self.out("state", "put", "k", "v")
        first.signal(signal.SIGSTOP)  # as good as dead, but it holds the directory
        done = self.expect(5, "serve", "--listen", "tcp://127.0.0.1:0", "--data", "coordinator")
        self.assertIn(f"pid {first.process.pid}", done.stderr)
        done = self.expect(5, "serve", "--listen", "tcp://127.0.0.1:0", "--data", "coordinator",
                           "--accept-rollback")
        first.signal(signal.SIGCONT)
        self.out("state", "put", "k", "w")
        first.signal(signal.SIGKILL)
        first.process.wait()
        self.serve()
        self.assertEqual(self.out("state", "get", "k"), "w")


if __name__ == "__main__":
    program.main()
