"""`waggle agent run`: JSON lines in, JSON lines out."""

import signal
import subprocess
import time

import program


class Lines(program.Case):
    def setUp(self):
        super().setUp()
        self.serve()

    def test_the_first_line_names_the_contract(self):
        agent = self.attached_agent("a")
        hello = agent.events[0]
        self.assertEqual((hello["event"], hello["contract"], hello["agent"], hello["swarm"]),
                         ("hello", 1, "a", "default"))

    def test_writes_are_queued_and_then_settled_under_the_callers_id(self):
        agent = self.agent("a")
        agent.send({"op": "put", "key": "k", "value": {"n": 1}, "id": "first"},
                   {"op": "get", "key": "k", "id": 2},
                   {"op": "incr", "key": "n", "amount": 5, "id": 3},
                   {"op": "add", "key": "s", "elements": ["x", "y"], "id": 4},
                   {"op": "remove", "key": "s", "elements": ["x"], "id": 5},
                   {"op": "group", "id": 6, "entries": [
                       {"op": "put", "key": "g", "value": "text"}, {"op": "incr", "key": "n"}]},
                   {"op": "delete", "key": "k", "id": 7})
        queued = agent.wait_for("queued", id="first")
        self.assertEqual(queued["seq"], 1)
        value = agent.wait_for("value", again=True, id=2)
        self.assertEqual((value["exists"], value["value"], value["type"]), (True, {"n": 1}, "json"))
        for number in ("first", 3, 4, 5, 6, 7):
            settled = agent.wait_for("settled", again=True, id=number)
            self.assertEqual((settled["ok"], settled["code"], settled["level"]),
                             (True, "committed", "durable"))
        self.assertEqual(self.out("state", "get", "n"), "6\n")
        self.assertEqual(self.out("state", "get", "s"), "y\n")
        self.assertEqual(self.out("state", "get", "g"), "text")
        self.expect(3, "state", "get", "k")

    def test_a_conflict_is_an_answer(self):
        self.out("state", "put", "k", "theirs")
        agent = self.attached_agent("a")
        agent.send({"op": "put", "key": "k", "value": "mine", "if_version": 99, "id": 1},
                   {"op": "group", "id": 2, "entries": [
                       {"op": "incr", "key": "n"},
                       {"op": "put", "key": "k", "value": "x", "if_absent": True}]})
        settled = agent.wait_for("settled", id=1)
        self.assertEqual((settled["ok"], settled["code"], settled["conflict"]),
                         (False, "conflict", "version_mismatch"))
        self.assertEqual(settled["committed"]["value"], "theirs")
        self.assertEqual(agent.wait_for("settled", id=2)["code"], "conflict")
        self.expect(3, "state", "get", "n")  # nothing of the group

    def test_what_is_wrong_is_answered_and_ends_nothing(self):
        agent = self.attached_agent("a")
        agent.send("garbage", "", "[]", '{"op":"putt","id":1}', '{"op":"put","key":"k","id":2}',
                   '{"op":"put","key":"' + "k" * 2000 + '","value":1,"id":3}',
                   {"op": "get", "key": "", "id": 4}, "\x00\xff", "{" * 100_000,
                   '{"op":"put","key":"k","value":"' + "x" * (9 << 20) + '","id":5}',
                   {"op": "status", "id": 6})
        self.assertIn("JSON object", agent.wait_for("error", line=1)["text"])
        agent.wait_for("error", line=3)
        self.assertIn("did you mean 'put'", agent.wait_for("error", id=1)["text"])
        agent.wait_for("error", id=2)
        self.assertIn("1024", agent.wait_for("error", again=True, id=3)["text"])
        agent.wait_for("error", again=True, id=4)
        self.assertIn("more than", agent.wait_for("error", again=True, line=10)["text"])
        self.assertEqual(agent.wait_for("status", again=True, id=6)["link"], "attached")

    def test_lists_and_pages(self):
        agent = self.attached_agent("a")
        for i in range(5):
            agent.send({"op": "put", "key": f"t/{i}", "value": str(i), "id": i})
        agent.wait_for("settled", id=4)
        agent.send({"op": "list", "glob": "t/*", "limit": 2, "id": "p1"},
                   {"op": "list", "glob": "t/*", "after": "t/2", "id": "p2"},
                   {"op": "get", "keys": ["t/1", "nope"], "id": "both"})
        page = agent.wait_for("values", again=True, id="p1")
        self.assertEqual(([r["key"] for r in page["records"]], page["more"]), (["t/0", "t/1"], True))
        page = agent.wait_for("values", again=True, id="p2")
        self.assertEqual(([r["key"] for r in page["records"]], page["more"]), (["t/3", "t/4"], False))
        both = agent.wait_for("values", again=True, id="both")["records"]
        self.assertEqual([r["exists"] for r in both], [True, False])

    def test_a_read_can_wait_for_a_revision(self):
        agent = self.attached_agent("a")
        agent.send({"op": "get", "key": "k", "at_least": 2, "id": 1},
                   {"op": "get", "key": "k", "at_least": 99, "timeout": "100ms", "id": 2})
        self.out("state", "put", "k", "1")
        self.out("state", "put", "k", "2")
        self.assertEqual(agent.wait_for("value", again=True, id=1)["value"], "2")
        self.assertEqual(agent.wait_for("error", again=True, id=2)["code"], "timeout")

    def test_changes_are_told_when_watched(self):
        agent = self.attached_agent("a", "--changes")
        self.out("state", "put", "k", "1")
        change = agent.wait_for("change")
        self.assertEqual((change["source"], [c["key"] for c in change["changes"]]), ("update", ["k"]))
        agent.send({"op": "unwatch", "id": 1})
        self.assertEqual(agent.wait_for("watching", id=1)["on"], False)
        self.out("state", "put", "k", "2")
        # The unwatched change has come when the read at its revision is answered.
        agent.send({"op": "get", "key": "k", "at_least": 2, "id": 2})
        agent.wait_for("value", id=2)
        agent.send({"op": "watch", "id": 3})
        agent.wait_for("watching", id=3)
        self.out("state", "put", "k", "3")
        change = agent.wait_for("change")
        self.assertEqual(change["changes"][0]["value"], "3")

    def test_sync_offer_and_withdraw(self):
        agent = self.agent("a")
        agent.send({"op": "offer", "key": "site", "value": "north", "id": 1},
                   {"op": "offer", "key": "other", "value": "south", "id": 2},
                   {"op": "withdraw", "key": "other", "id": 3},
                   {"op": "sync", "keys": ["site"], "id": 4})
        agent.wait_for("offered", again=True, id=1)
        agent.wait_for("withdrawn", again=True, id=3)
        self.assertEqual(agent.wait_for("synced", again=True, id=4)["outcome"], "resolved")
        self.assertEqual(agent.wait_for("offer_settled", again=True)["took"], True)
        self.assertEqual(self.out("state", "get", "site"), "north")

    def test_the_end_of_input_waits_for_what_was_asked(self):
        agent = self.agent("a")
        agent.send({"op": "put", "key": "k", "value": "v", "id": 1}, {"op": "delta", "id": 2})
        agent.process.stdin.write('{"op":"get","key":"k","id":3}')  # no line end
        agent.close_input()
        self.assertEqual(agent.wait(), 0)
        self.assertEqual(agent.wait_for("settled", again=True, id=1)["ok"], True)
        agent.wait_for("caught_up", again=True, id=2)
        self.assertEqual(agent.wait_for("value", again=True, id=3)["value"], "v")
        self.assertEqual(agent.events[-1], {"event": "left", "outbox": 0, "kept": True})
        self.assertEqual(self.json("agent", "ls")["agents"], [])

    def test_leave_and_signals(self):
        agent = self.attached_agent("a")
        agent.send({"op": "leave", "id": "bye"})
        self.assertEqual(agent.wait(), 0)
        self.assertEqual(agent.events[-1]["id"], "bye")
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            agent = self.attached_agent("a")
            agent.signal(number)
            self.assertEqual(agent.wait(), code)

    def test_an_observer_reads_and_never_writes(self):
        agent = self.attached_agent("watcher", "--role", "observer")
        agent.send({"op": "put", "key": "k", "value": 1, "id": 1}, {"op": "list", "id": 2})
        self.assertEqual(agent.wait_for("error", id=1)["code"], "denied")
        agent.wait_for("values", id=2)

    def test_an_id_in_use_is_said(self):
        self.attached_agent("a")
        second = self.agent("a")
        self.assertIn("id_in_use", second.wait_for("link", state="lost")["text"])

    def test_on_change_runs_a_command_for_each_change(self):
        log = self.directory / "log"
        command = f'echo "$WAGGLE_KEY $WAGGLE_REVISION $(cat)" >> {log}; test "$WAGGLE_KEY" != bad'
        agent = self.attached_agent("a", "--on-change", command)
        self.out("state", "put", "k", "v")
        self.out("state", "put", "bad", "v")
        failed = agent.wait_for("on_change_failed")
        self.assertEqual((failed["key"], failed["revision"], failed["exit"]), ("bad", 2, 1))
        self.out("state", "rm", "k")
        self.until(lambda: len(log.read_text().splitlines()) == 3, "three runs")
        lines = log.read_text().splitlines()
        self.assertTrue(lines[0].startswith('k 1 {"event":"change","key":"k","version":1'))
        self.assertIn('"deleted":true', lines[2])

    def test_without_input_it_runs_until_a_signal(self):
        agent = self.attached_agent("a", "--no-stdin", "--changes", "--initial")
        agent.close_input()
        self.out("state", "put", "k", "v")
        agent.wait_for("change")
        agent.signal(signal.SIGTERM)
        self.assertEqual(agent.wait(), 143)

    def test_it_leaves_when_nobody_reads_it(self):
        with subprocess.Popen(
                [program.PROGRAM, "agent", "run", "--id", "a", "--changes", "--coordinator",
                 self.endpoint], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env=program.environment()) as agent:
            try:
                agent.stdout.readline()
                agent.stdout.close()
                self.assertEqual(agent.wait(timeout=program.PATIENCE), 1)
            finally:
                agent.kill()

    def test_many_writes_in_a_pipe(self):
        agent = self.agent("a")
        count = 20_000
        for i in range(count):
            agent.send({"op": "incr", "key": "n", "id": i})
        agent.close_input()
        self.assertEqual(agent.wait(), 0)
        self.assertEqual(sum(1 for e in agent.events if e["event"] == "settled" and e["ok"]), count)
        self.assertEqual(self.out("state", "get", "n"), f"{count}\n")


class Offline(program.Case):
    def test_writes_made_offline_all_arrive(self):
        serve = self.serve()
        agent = self.attached_agent("a", "--data", "agent")
        agent.send({"op": "incr", "key": "n", "id": 0})
        agent.wait_for("settled", id=0)
        serve.signal(signal.SIGKILL)
        serve.process.wait()
        for i in range(1, 101):
            agent.send({"op": "incr", "key": "n", "id": i})
        agent.wait_for("queued", id=100)
        agent.send({"op": "get", "key": "n", "id": "own"})
        own = agent.wait_for("value", id="own")
        self.assertEqual((own["value"], own["pending"]), (101, True))
        self.serve(listen=self.endpoint)
        agent.wait_for("settled", id=100)
        self.assertEqual(self.out("state", "get", "n"), "101\n")

    def test_a_coordinator_that_dies_again_and_again_loses_nothing(self):
        serve = self.serve()
        agent = self.attached_agent("a", "--data", "agent")
        sent = 0
        for _ in range(4):
            for _ in range(200):
                agent.send({"op": "incr", "key": "n", "id": sent})
                sent += 1
            time.sleep(0.03)
            serve.signal(signal.SIGKILL)
            serve.process.wait()
            serve = self.serve(listen=self.endpoint)
        agent.close_input()
        self.assertEqual(agent.wait(), 0)
        settled = [e for e in agent.events if e["event"] == "settled"]
        self.assertEqual((len(settled), all(e["ok"] for e in settled)), (sent, True))
        self.assertEqual(self.out("state", "get", "n"), f"{sent}\n")

    def test_an_agent_killed_offline_sends_its_writes_at_the_next_start(self):
        serve = self.serve()
        self.attached_agent("a", "--data", "agent").end()
        serve.signal(signal.SIGTERM)
        serve.wait()
        agent = self.agent("a", "--data", "agent")
        agent.send({"op": "put", "key": "k", "value": "kept", "id": 1})
        agent.wait_for("queued", id=1)
        agent.signal(signal.SIGKILL)
        agent.process.wait()
        self.serve(listen=self.endpoint)
        agent = self.agent("a", "--data", "agent")
        settled = agent.wait_for("settled")
        self.assertEqual((settled["ok"], settled["earlier"]), (True, True))
        self.assertEqual(self.out("state", "get", "k"), "kept")

    def test_the_end_of_input_offline_says_what_becomes_of_the_writes(self):
        self.endpoint = "tcp://127.0.0.1:1"
        for data, code, kept in ((["--data", "agent"], 0, True), ([], 6, False)):
            agent = self.agent("a", "--drain", "200ms", *data)
            agent.send({"op": "put", "key": "k", "value": "v", "id": 1},
                       {"op": "get", "key": "k", "id": 2}, {"op": "delta", "id": 3})
            agent.close_input()
            self.assertEqual(agent.wait(), code)
            self.assertEqual(agent.wait_for("value", again=True, id=2)["at"], None)
            agent.wait_for("error", again=True, id=3)
            self.assertEqual(agent.wait_for("unsettled", again=True, id=1)["kept"], kept)
            self.assertEqual(agent.events[-1], {"event": "left", "outbox": 1, "kept": kept})

    def test_catching_up_tells_what_it_saved(self):
        self.serve()
        agent = self.attached_agent("a", "--data", "agent")
        for i in range(50):
            agent.send({"op": "put", "key": f"k{i}", "value": "x" * 1000, "id": i})
        agent.wait_for("settled", id=49)
        agent.end()
        for i in range(3):
            self.out("state", "put", f"new{i}", "y")
        agent = self.agent("a", "--data", "agent", "--changes")
        caught_up = agent.wait_for("caught_up")
        self.assertEqual((caught_up["snapshot"], caught_up["changes"]), (False, 3))
        self.assertLess(caught_up["bytes"] * 20, caught_up["state_bytes"])
        change = agent.wait_for("change", again=True)
        self.assertEqual((change["source"], len(change["changes"])), ("delta", 3))

    def test_a_directory_belongs_to_one_agent(self):
        self.serve()
        agent = self.attached_agent("a", "--data", "agent")
        done = self.expect(5, "agent", "run", "--id", "a", "--data", "agent")
        self.assertIn(f"pid {agent.process.pid}", done.stderr)
        agent.end()
        done = self.expect(1, "agent", "run", "--id", "b", "--data", "agent")
        self.assertIn("belongs to agent 'a'", done.stderr)


if __name__ == "__main__":
    program.main()
