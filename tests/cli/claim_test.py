"""Claims: `waggle claim`, writes under one, and the operations of agents."""

import signal
import time

import program


class Claims(program.Case):
    def setUp(self):
        super().setUp()
        self.data = self.directory / "store"
        self.server = self.serve("--data", self.data)

    def under(self, token):
        return program.environment(HOME=self.directory, WAGGLE_COORDINATOR=self.endpoint,
                                   WAGGLE_FENCE_TOKEN=token)

    def run_claimed(self, *words):
        return self.start("claim", "run", "job", "--coordinator", self.endpoint, *words)

    def take(self, pattern, *words):
        return self.out("claim", "take", pattern, *words).strip()

    def test_a_write_needs_the_token(self):
        token = self.take("plan/*", "--as", "night shift")
        held, = self.json("claim", "ls")["claims"]
        self.assertEqual((held["pattern"], held["label"], str(held["token"]), held["ttl_ms"]),
                         ("plan/*", "night shift", token, 30000))
        self.assertIn("night shift", self.out("claim", "ls", "plan/*"))
        refused = self.expect(7, "state", "put", "plan/a", "x")
        self.assertIn("held by night shift", refused.stderr)
        self.out("state", "put", "plan/a", "x", "--token", token)
        self.out("state", "append", "plan/song", "x", "--token", token)
        self.out("state", "incr", "plan/n", env=self.under(token))
        self.assertIn("is not held", self.expect(
            7, "state", "put", "other", "x", "--token", "5").stderr)
        self.expect(4, "claim", "take", "plan/a")
        self.out("claim", "renew", "plan/*", "--token", token, "--ttl", "1m")
        self.out("claim", "release", "plan/*", env=self.under(token))
        self.expect(7, "state", "put", "plan/a", "x", "--token", token)
        self.out("state", "put", "plan/a", "y")
        self.assertEqual(self.json("claim", "ls")["claims"], [])

    def test_the_time_ends_a_claim_and_who_waits_is_next(self):
        first = self.take("k", "--ttl", "1s")
        done = self.expect(0, "claim", "take", "k", "--wait", "20s")
        self.assertIn("place 1 in line", done.stderr)
        self.assertGreater(int(done.stdout), int(first))
        self.expect(6, "claim", "take", "k", "--wait", "100ms")

    def test_who_is_interrupted_in_line_leaves_it(self):
        token = self.take("k")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            waits = self.start("claim", "take", "k", "--wait", "1h", "--ttl", "1d",
                               "--coordinator", self.endpoint, "--json")
            waits.err.next(time.monotonic() + program.PATIENCE)  # its place
            waits.signal(number)
            self.assertEqual(waits.wait(), 128 + number)
        self.out("claim", "release", "k", "--token", token)
        self.assertEqual(self.json("claim", "ls")["claims"], [])
        # Also while no coordinator answers.
        self.take("k")
        other = self.start("claim", "take", "k", "--wait", "1h", "--coordinator", self.endpoint)
        other.err.next(time.monotonic() + program.PATIENCE)
        self.server.signal(signal.SIGKILL)
        self.server.wait()
        time.sleep(0.5)
        other.signal(signal.SIGINT)
        self.assertEqual(other.wait(), 130)

    def test_a_signal_at_any_moment_leaves_no_claim(self):
        for n in range(24):
            run = self.run_claimed("--wait", "1h", "--ttl", "1d", "--", "sleep", "1000")
            if n % 3 == 0:
                run.signal(signal.SIGINT)
            time.sleep(n / 400)  # from before the first word to after the grant
            run.signal(signal.SIGTERM)
            run.wait()
            self.assertEqual(self.json("claim", "ls")["claims"], [], n)

    def test_the_environment_gives_way_to_the_flag(self):
        token = self.take("k")
        self.out("state", "put", "k", "x", "--token", token, env=self.under("5"))
        self.expect(7, "state", "put", "k", "x", env=self.under("5"))
        self.out("clear", "k", "--token", token)
        self.assertIn("WAGGLE_FENCE_TOKEN", self.expect(2, "state", "put", "k", "x",
                                                        env=self.under("soon")).stderr)
        self.out("state", "ls", env=self.under("soon"))

    def test_a_claim_and_its_token_survive_the_coordinator(self):
        token = self.take("k", "--ttl", "1h")
        self.server.signal(signal.SIGKILL)
        self.server.wait()
        self.serve("--data", self.data)
        self.expect(7, "state", "put", "k", "x")
        self.out("state", "put", "k", "x", "--token", token)
        self.out("claim", "release", "k", "--token", token)
        self.assertGreater(int(self.take("k")), int(token))

    def test_run_holds_the_claim_while_the_command_runs(self):
        script = (f'"{program.PROGRAM}" state put job "$WAGGLE_CLAIM" && sleep 2 && '
                  f'"{program.PROGRAM}" claim ls --json && exit 3')
        done = self.expect(3, "claim", "run", "job", "--ttl", "1s", "--as", "me", "--",
                           "sh", "-c", script)
        self.assertIn('"label":"me"', done.stdout)
        self.assertEqual(self.out("state", "get", "job"), "job")
        self.assertEqual(self.json("claim", "ls")["claims"], [])
        # What can't be started, what others hold, and what a signal ends.
        self.expect(127, "claim", "run", "job", "--", "/no/such/program")
        self.expect(126, "claim", "run", "job", "--", "/etc/passwd")
        self.take("job")
        self.expect(4, "claim", "run", "job", "--", "true")
        self.expect(128 + 9, "claim", "run", "else", "--", "sh", "-c", "kill -9 $$")
        self.assertEqual(len(self.json("claim", "ls")["claims"]), 1)

    def test_run_ends_its_command_when_the_claim_is_lost(self):
        run = self.run_claimed("--ttl", "1s", "--", "sleep", "1000")
        self.until(lambda: self.json("claim", "ls")["claims"], "the claim")
        token = self.json("claim", "ls")["claims"][0]["token"]
        self.out("claim", "release", "job", "--token", str(token))
        self.assertEqual(run.wait(), 7)
        self.assertIn("the claim is lost", run.messages)

    def test_run_passes_a_signal_on_and_releases(self):
        for number in (signal.SIGTERM, signal.SIGQUIT):
            run = self.run_claimed("--", "sh", "-c", "ulimit -c 0; echo {}; exec sleep 1000")
            run.out.next(time.monotonic() + program.PATIENCE)  # the command runs
            run.signal(number)
            self.assertEqual(run.wait(), 128 + number)
            self.assertEqual(self.json("claim", "ls")["claims"], [])

    def test_an_agent_brings_its_token_by_itself_and_its_claims_go_with_it(self):
        bee, ada = self.attached_agent("bee"), self.attached_agent("ada", "--changes")
        bee.send({"op": "claim", "pattern": "plan/*", "ttl": "2s", "id": 1})
        claimed = bee.wait_for("claimed", id=1)
        self.assertEqual((claimed["ok"], claimed["ttl_ms"]), (True, 2000))
        ada.send({"op": "put", "key": "plan/x", "value": 1, "id": "ada"})
        refused = ada.wait_for("settled", id="ada")
        self.assertEqual((refused["code"], refused["reason"]), ("denied", "claimed"))
        bee.send({"op": "put", "key": "plan/x", "value": 2, "id": "bee"})
        self.assertTrue(bee.wait_for("settled", id="bee")["ok"])
        ada.send({"op": "put", "key": "plan/x", "value": 3, "token": claimed["token"], "id": "t"})
        self.assertTrue(ada.wait_for("settled", id="t")["ok"])
        ada.send({"op": "claim", "pattern": "plan/y", "wait": "1m", "id": 2})
        self.assertEqual(ada.wait_for("claim_waits", id=2)["place"], 1)
        bee.send({"op": "claim_renew", "pattern": "plan/*", "checkpoint": {"done": [1]}, "id": 3})
        self.assertTrue(bee.wait_for("claim_renewed", id=3)["ok"])
        time.sleep(3)  # longer than its time: it is renewed
        self.assertEqual(self.json("claim", "ls")["claims"][0]["holder"], "bee")
        bee.send({"op": "leave"})
        bee.wait()
        self.assertTrue(ada.wait_for("claimed", id=2)["ok"])
        left, = [c for c in self.json("claim", "ls")["claims"] if c["pattern"] == "plan/*"]
        self.assertEqual((left["held"], left["checkpoint"]["value"]), (False, {"done": [1]}))
        ada.send({"op": "claim_release", "pattern": "plan/y", "id": 4})
        self.assertTrue(ada.wait_for("claim_released", id=4)["ok"])

    def test_a_claim_is_handed_over_and_a_paused_holder_is_told(self):
        bee, ada = self.attached_agent("bee"), self.attached_agent("ada")
        bee.send({"op": "claim", "pattern": "leader/planner", "ttl": "2s", "id": 1})
        bee.wait_for("claimed", id=1)
        bee.send({"op": "claim_handover", "pattern": "leader/planner", "to": "nobody", "id": 2})
        self.assertEqual(bee.wait_for("claim_handed_over", id=2)["code"], "not_found")
        bee.send({"op": "claim_handover", "pattern": "leader/planner", "to": "ada", "id": 3,
                  "checkpoint": "in the middle"})
        self.assertTrue(bee.wait_for("claim_handed_over", id=3)["ok"])
        gained = ada.wait_for("claim_gained")
        self.assertEqual((gained["from"], gained["checkpoint"]["value"]), ("bee", "in the middle"))
        # Paused for longer than its time.
        ada.signal(signal.SIGSTOP)
        bee.send({"op": "claim", "pattern": "leader/planner", "wait": "1m", "id": 4})
        token = bee.wait_for("claimed", id=4)["token"]
        self.assertGreater(token, gained["token"])
        ada.signal(signal.SIGCONT)
        lost = ada.wait_for("claim_lost")
        self.assertEqual((lost["pattern"], lost["token"]), ("leader/planner", gained["token"]))
        ada.send({"op": "put", "key": "leader/planner", "value": 1, "token": gained["token"],
                  "id": 5})
        self.assertEqual(ada.wait_for("settled", id=5)["reason"], "stale_token")

    def test_wrong_words_are_refused(self):
        for words in (["take"], ["take", "*"], ["take", "~claim/x"], ["take", "k", "--ttl", "1ms"], ["take", "k", "--ttl", "0s"],
                      ["renew", "k"], ["release", "k", "--token", "0"], ["run", "k"],
                      ["handover", "k", "--token", "1"], ["take", "k", "--token", "3"]):
            self.expect(2, "claim", *words)
        self.expect(2, "state", "put", "k", "x", "--token", "soon")
        self.expect(1, "state", "put", "~claim/k", "x")
        bee = self.attached_agent("bee")
        for op, text in (({"op": "claim"}, "pattern"),
                         ({"op": "claim", "pattern": "*"}, "only wildcards"),
                         ({"op": "claim", "pattern": "k", "ttl": 5}, "duration"),
                         ({"op": "claim_release", "pattern": "k"}, "take it first"),
                         ({"op": "put", "key": "k", "value": 1, "token": 0}, "token"),
                         ({"op": "group", "entries": [
                             {"op": "put", "key": "k", "value": 1, "token": 5}]}, "whole group")):
            bee.send({**op, "id": text})
            self.assertIn(text, bee.wait_for("error", id=text)["text"])


if __name__ == "__main__":
    program.main()
