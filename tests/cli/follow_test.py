"""`waggle tail`: from a cursor, live, over restarts, resumable exactly."""

import signal
import subprocess

import program


class Tail(program.Case):
    def tail(self, *arguments):
        return self.start("tail", "--coordinator", self.endpoint, *arguments)

    def following(self, *arguments):
        """A tail that is past its beginning."""
        process = self.tail(*arguments)
        deadline = program.time.monotonic() + program.PATIENCE
        while "following" not in process.err.next(deadline):
            pass
        return process

    def changes(self, process):
        return [(e["key"], e["version"]) for e in process.events if e["event"] == "change"]

    def test_without_a_cursor_it_tells_what_is_new(self):
        self.serve("--memory")
        self.out("state", "put", "old", "1")
        tail = self.following()
        self.out("state", "put", "a", "1")
        self.out("state", "rm", "a")
        tail.wait_for("change", key="a", value="1")
        tail.wait_for("change", key="a", deleted=True)
        tail.signal(signal.SIGINT)
        self.assertEqual(tail.wait(), 130)
        self.assertEqual(self.changes(tail), [("a", 2), ("a", 3)])
        self.assertEqual(tail.events[-1]["event"], "cursor")
        self.assertTrue(tail.events[-1]["cursor"].endswith("@3"))
        self.assertIn("waggle tail --from " + tail.events[-1]["cursor"], tail.messages)

    def test_it_resumes_exactly_from_any_line(self):
        self.serve("--memory")
        for i in range(6):
            self.out("state", "put", f"k{i}", "v")
        first = self.tail("--from", "0", "--count", "4")
        self.assertEqual(first.wait(), 0)
        self.assertEqual([k for k, _ in self.changes(first)], ["k0", "k1", "k2", "k3"])
        cursor = first.events[-1]["cursor"]
        self.assertEqual(cursor, first.events[-2]["cursor"])
        second = self.tail("--from", cursor)
        second.wait_for("change", key="k5")
        self.out("state", "put", "k6", "v")
        second.wait_for("change", key="k6")
        second.signal(signal.SIGTERM)
        self.assertEqual(second.wait(), 143)
        self.assertEqual([k for k, _ in self.changes(second)], ["k4", "k5", "k6"])

    def test_only_a_prefix(self):
        self.serve("--memory")
        self.out("state", "put", "a/1", "v")
        self.out("state", "put", "b/1", "v")
        tail = self.tail("a/", "--from", "0")
        tail.wait_for("change", key="a/1")
        self.out("state", "put", "b/2", "v")
        self.out("state", "put", "a/2", "v")
        tail.wait_for("change", key="a/2")
        tail.signal(signal.SIGTERM)
        tail.wait()
        self.assertEqual(self.changes(tail), [("a/1", 1), ("a/2", 4)])

    def test_it_lives_through_a_restart_without_hole_or_repetition(self):
        serve = self.serve()
        tail = self.following()
        self.out("state", "put", "a", "1")
        tail.wait_for("change", key="a")
        serve.signal(signal.SIGKILL)
        serve.process.wait()
        serve = self.serve(listen=self.endpoint)
        for i in range(5):
            self.out("state", "put", f"b{i}", "1")
        tail.wait_for("change", key="b4")
        tail.signal(signal.SIGTERM)
        tail.wait()
        self.assertEqual([v for _, v in self.changes(tail)], [1, 2, 3, 4, 5, 6])
        # And from a cursor that was taken before the restart.
        late = self.tail("--from", "1", "--count", "5")
        self.assertEqual(late.wait(), 0)
        self.assertEqual([v for _, v in self.changes(late)], [2, 3, 4, 5, 6])

    def test_a_history_that_was_compacted_is_said_and_the_state_follows(self):
        self.serve("--memory")
        self.out("state", "put", "a", "1")
        self.out("state", "put", "b", "1")
        self.out("state", "rm", "a")
        self.out("compact", "--floor", "3")
        tail = self.tail("--from", "1", "--count", "1")
        self.assertEqual(tail.wait(), 0)
        self.assertEqual([e["event"] for e in tail.events], ["reset", "change", "cursor"])
        self.assertEqual((tail.events[1]["key"], tail.events[1]["source"]), ("b", "snapshot"))
        self.assertIn("the whole state follows", tail.messages)

    def test_a_cursor_of_elsewhere_is_answered_with_the_whole_state(self):
        self.serve("--memory")
        self.out("state", "put", "a", "1")
        self.out("state", "put", "b", "1")
        for cursor, why in (("0123456789abcdef@1", "epoch 0123456789abcdef is not known here"),
                            ("99", "revision 99 is beyond the head ")):
            tail = self.tail("--from", cursor)
            reset = tail.wait_for("reset")
            self.assertIn(why, reset["text"])
            tail.wait_for("change", key="b", source="snapshot")
            self.out("state", "put", f"new/{cursor}", "1")
            tail.wait_for("change", key=f"new/{cursor}", source="update")
            tail.signal(signal.SIGTERM)
            self.assertEqual(tail.wait(), 143)
            self.assertIn("the whole state follows", tail.messages)
            changes = self.changes(tail)
            self.assertEqual(changes[:2], [("a", 1), ("b", 2)])
            self.assertEqual(len(changes), len(set(changes)))

    def test_a_number_out_of_range_is_no_cursor(self):
        self.serve("--memory")
        self.out("state", "put", "a", "1")
        for cursor in (2**62 + 1, 2**64 - 1, 2**64, f"0123456789abcdef@{2**64 - 1}", "-1"):
            done = self.expect(2, "tail", f"--from={cursor}")
            self.assertIn("EPOCH@REVISION", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_clearing_is_told(self):
        self.serve("--memory")
        self.out("state", "put", "a", "1")
        tail = self.following()
        self.out("clear", "--yes")
        tail.wait_for("cleared")
        self.out("state", "put", "b", "1")
        tail.wait_for("change", key="b")

    def test_a_wrong_cursor_is_refused(self):
        self.serve("--memory")
        done = self.expect(2, "tail", "--from", "nonsense")
        self.assertIn("EPOCH@REVISION", done.stderr)

    def test_it_ends_when_its_reader_does(self):
        self.serve("--memory")
        self.out("state", "put", "a", "1")
        with subprocess.Popen(
                [program.PROGRAM, "tail", "--from", "0", "--coordinator", self.endpoint],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=program.environment()) as tail:
            try:
                self.assertIn(b'"key":"a"', tail.stdout.readline())
                tail.stdout.close()
                self.out("state", "put", "b", "1")
                self.assertEqual(tail.wait(timeout=program.PATIENCE), 141)
            finally:
                tail.kill()

    def test_it_leaves_no_trace_in_the_list_of_agents(self):
        self.serve("--memory")
        tail = self.following()
        self.until(lambda: len(self.json("agent", "ls")["agents"]) == 1, "the observer is listed")
        self.assertEqual(self.json("agent", "ls")["agents"][0]["role"], "observer")
        self.expect(5, "sync", "k")  # an observer is in no roster
        tail.signal(signal.SIGTERM)
        tail.wait()
        self.until(lambda: not self.json("agent", "ls")["agents"], "the observer is gone")


if __name__ == "__main__":
    program.main()
