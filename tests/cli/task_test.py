"""Tasks: `waggle task`, the operations of agents, workers that die."""

import json
import os
import signal
import time

import program


class Tasks(program.Case):
    def setUp(self):
        super().setUp()
        self.data = self.directory / "store"
        self.server = self.serve("--data", self.data)

    def add(self, *words):
        return self.out("task", "add", *words).strip()

    def claim(self, *words):
        """The id and the token of a task that is taken."""
        return self.out("task", "claim", *words).split()

    def state(self, task):
        return self.json("task", "show", task)["state"]

    def under(self, token):
        return program.environment(HOME=self.directory, WAGGLE_COORDINATOR=self.endpoint,
                                   WAGGLE_FENCE_TOKEN=token)

    def worker(self, *words):
        return self.start("task", "run", "--coordinator", self.endpoint, *words)

    def test_a_task_is_added_claimed_and_done(self):
        task = self.add("count the words", "--needs", "math,python", "--priority", "-2",
                        "--body", '{"of":"book"}')
        self.assertRegex(task, "^[0-9a-f]{16}$")
        self.expect(3, "task", "claim", "--can", "math")
        taken = self.json("task", "claim", "--can", "math,python,c", "--as", "night shift")
        self.assertEqual((taken["task_id"], taken["task"]["body"]), (task, {"of": "book"}))
        listed, = self.json("task", "ls")["tasks"]
        self.assertEqual((listed["stage"], listed["label"], listed["priority"]),
                         ("held", "night shift", -2))
        for text in ("night shift", "count the words", "held"):
            self.assertIn(text, self.out("task", "ls"))
        self.assertIn("held under another token", self.expect(
            7, "task", "done", task, "--token", str(taken["token"] + 1)).stderr)
        self.out("task", "done", task, "--result", '{"n":7}', "--write", "words=7",
                 env=self.under(taken["token"]))
        self.assertEqual(self.out("state", "get", "words"), "7")
        shown = self.json("task", "show", task)
        self.assertEqual((shown["state"], shown["result"]), ("done", {"n": 7}))
        self.assertIn('result: {"n":7}', self.out("task", "show", task))
        self.assertEqual(self.json("task", "ls")["tasks"], [])
        self.assertEqual(len(self.json("task", "ls", "--all")["tasks"]), 1)
        self.assertEqual(self.json("claim", "ls")["claims"], [])
        for again in (("done", task, "--token", taken["token"]), ("retry", task)):
            self.assertIn("done already, and stays so", self.expect(7, "task", *again).stderr)
        self.assertEqual(shown["ended_by"], "night shift")

    def test_what_fails_is_tried_again_and_dead_letters_can_be(self):
        task = self.add("try", "--retries", "1", "--backoff", "0s")
        for _ in range(2):
            _, token = self.claim()
            self.out("task", "fail", task, "--why", "it rained", "--token", token)
        self.assertEqual(self.state(task), "dead")
        self.assertIn("it rained", self.out("task", "show", task))
        self.expect(3, "task", "claim")
        self.out("task", "retry", task)
        _, token = self.claim("--wait", "10s")
        self.out("task", "fail", task, "--no-retry", "--token", token)
        self.assertEqual(self.state(task), "dead")
        self.out("task", "cancel", task)
        self.assertEqual(self.state(task), "cancelled")

    def test_a_worker_waits_for_tasks_in_their_order(self):
        waits = self.start("task", "claim", "--wait", "1m", "--json", "--coordinator",
                           self.endpoint)
        self.assertIn('"place":1', waits.err.next(time.monotonic() + program.PATIENCE))
        first = self.add("first", "--id", "walls")
        self.assertEqual(waits.wait(), 0)
        taken, = waits.events
        token = str(taken["token"])
        self.assertEqual((first, taken["task_id"], taken["task"]["title"]),
                         ("walls", "walls", "first"))
        self.add("second", "--id", "roof", "--after", "walls")
        self.assertEqual([one["stage"] for one in self.json("task", "ls")["tasks"]],
                         ["held", "waits"])
        self.expect(3, "task", "claim")
        self.expect(4, "task", "cancel", "walls")
        self.out("task", "done", "walls", "--token", token)
        self.assertEqual(self.claim("--of", "r*")[0], "roof")
        self.expect(6, "task", "claim", "--wait", "100ms")

    def test_run_does_task_after_task(self):
        for n in range(3):
            self.add(f"word {n}", "--id", f"w{n}")
        bad = self.add("no", "--id", "bad", "--retries", "0")
        script = ('import json,os,subprocess,sys\n'
                  'task = json.load(sys.stdin); me = os.environ["WAGGLE_TASK"]\n'
                  'if me == "bad": sys.exit(3)\n'
                  'if me == "w1":\n'
                  f'  subprocess.check_call([{program.PROGRAM!r}, "task", "done", me, "--result",'
                  ' "by itself", "--write", "done/" + me + "=1"])\n'
                  'print(task["title"], flush=True)\n')
        done = self.expect(1, "task", "run", "--", "python3", "-c", script)
        self.assertEqual(done.stdout.splitlines(), ["word 0", "word 1", "word 2"])
        self.assertEqual({self.state(f"w{n}") for n in range(3)}, {"done"})
        self.assertEqual(self.json("task", "show", "w1")["result"], "by itself")
        self.assertEqual(self.state(bad), "dead")
        self.assertIn("exit code 3", self.json("task", "show", bad)["failures"][0]["why"])
        self.expect(3, "task", "run", "--", "true")
        self.add("one", "--id", "x1")
        self.add("two", "--id", "x2")
        self.expect(0, "task", "run", "--count", "1", "--", "true")
        self.assertEqual((self.state("x1"), self.state("x2")), ("done", "open"))
        self.out("task", "cancel", "x2")

    def test_a_worker_that_is_interrupted_gives_its_task_back(self):
        task = self.add("long")
        worker = self.worker("--", "sleep", "1000")
        self.until(lambda: self.json("claim", "ls")["claims"], "the claim")
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 128 + signal.SIGTERM)
        shown = self.json("task", "show", task)
        self.assertEqual((shown["state"], shown.get("attempts", 0)), ("open", 0))
        self.assertEqual(self.claim()[0], task)

    def test_a_worker_that_dies_loses_its_task_to_another(self):
        task = self.add("long", "--backoff", "0s")
        worker = self.worker("--ttl", "1s", "--", "sleep", "4")
        self.until(lambda: self.json("claim", "ls")["claims"], "the claim")
        worker.signal(signal.SIGKILL)
        worker.wait()
        got, token = self.claim("--wait", "1m")
        self.assertEqual(got, task)
        self.assertEqual(self.json("task", "show", task)["attempts"], 1)
        self.out("task", "done", task, "--token", token)

    def test_a_worker_whose_task_is_cancelled_is_ended(self):
        task = self.add("long")
        worker = self.worker("--ttl", "1s", "--json", "--", "sleep", "1000")
        self.until(lambda: self.json("claim", "ls")["claims"], "the claim")
        self.out("task", "cancel", task)
        self.assertEqual(worker.wait(), 1)
        self.assertIn('"outcome":"lost"', "".join(worker.err.lines))

    def test_a_waiter_that_stood_still_goes_on_waiting(self):
        waits = self.start("task", "claim", "--wait", "1m", "--ttl", "20s", "--json",
                           "--coordinator", self.endpoint)
        waits.err.next(time.monotonic() + program.PATIENCE)  # its place
        waits.signal(signal.SIGSTOP)
        task = self.add("one")
        # Beyond the five seconds for which it is kept for who does not say that it lives.
        self.until(lambda: not self.json("claim", "ls")["claims"], "the grant is over")
        waits.signal(signal.SIGCONT)
        self.assertEqual(waits.wait(), 0)
        taken, = waits.events
        held, = self.json("claim", "ls")["claims"]
        self.assertEqual((taken["task_id"], taken["token"]), (task, held["token"]))

    def test_tasks_go_on_after_the_coordinator_was_killed(self):
        held = self.add("held")
        _, token = self.claim("--ttl", "1h")
        ready = self.add("ready")
        self.server.signal(signal.SIGKILL)
        self.server.wait()
        self.serve("--data", self.data)
        self.out("task", "done", held, "--token", token)
        self.assertEqual(self.claim()[0], ready)
        self.assertEqual(self.state(held), "done")

    def test_an_agent_adds_takes_and_ends_tasks(self):
        ada = self.attached_agent("ada")
        bob = self.attached_agent("bob")
        ada.send({"op": "task_add", "task_id": "t", "task": {"title": "dig"}, "id": 1})
        self.assertEqual(ada.wait_for("queued", id=1)["task_id"], "t")
        self.assertTrue(ada.wait_for("settled", id=1)["ok"])
        bob.send({"op": "task_claim", "can": ["spade"], "wait": "1m", "id": 2})
        taken = bob.wait_for("claimed", id=2)
        self.assertEqual((taken["task_id"], taken["task"]["title"]), ("t", "dig"))
        bob.send({"op": "claim_renew", "pattern": "~task/t", "checkpoint": "half", "id": 3})
        self.assertTrue(bob.wait_for("claim_renewed", id=3)["ok"])
        bob.send({"op": "task_done", "task_id": "t", "result": [1],
                  "writes": [{"key": "hole", "value": "deep"}], "id": 4})
        self.assertTrue(bob.wait_for("settled", id=4)["ok"])
        self.assertEqual(self.out("state", "get", "hole"), "deep")
        # A team mate that dies: its work goes on elsewhere, where it was.
        ada.send({"op": "task_add", "task_id": "u", "task": {"title": "fill", "backoff_ms": 0},
                  "id": 5})
        ada.wait_for("settled", id=5)
        bob.send({"op": "task_claim", "ttl": "1s", "id": 6})
        bob.wait_for("claimed", id=6)
        bob.send({"op": "claim_renew", "pattern": "~task/u", "checkpoint": "half", "id": 7})
        bob.wait_for("claim_renewed", id=7)
        bob.signal(signal.SIGKILL)
        bob.wait()
        ada.send({"op": "task_claim", "wait": "1m", "id": 8})
        again = ada.wait_for("claimed", id=8)
        self.assertEqual((again["task_id"], again["checkpoint"]["value"]), ("u", "half"))
        ada.send({"op": "task_fail", "task_id": "u", "why": "rain", "retry": False, "id": 9})
        self.assertTrue(ada.wait_for("settled", id=9)["ok"])
        self.assertEqual(self.state("u"), "dead")
        ada.send({"op": "task_retry", "task_id": "u", "id": 10},
                 {"op": "task_cancel", "task_id": "u", "id": 11})
        self.assertTrue(ada.wait_for("settled", id=10)["ok"])
        self.assertTrue(ada.wait_for("settled", id=11)["ok"])
        for wrong, text in (({"op": "task_add", "task": {"title": ""}}, "title"),
                            ({"op": "task_done", "task_id": "a b"}, "the id of a task"),
                            ({"op": "task_done", "task_id": "u", "why": "x"}, "why"),
                            ({"op": "task_claim", "can": "x"}, "a list of strings")):
            ada.send(dict(wrong, id=[text]))
            self.assertIn(text, ada.wait_for("error", id=[text])["text"])

    def test_what_is_wrong_is_said_before_anybody_is_asked(self):
        usage = lambda *words: self.expect(2, "task", *words).stderr
        self.assertIn("say what is to be done", usage("add"))
        self.assertIn("from -1000 to 1000", usage("add", "t", "--priority", "2000"))
        self.assertIn("the id of a task", usage("add", "t", "--id", "a/b"))
        self.assertIn("NAME=VALUE", usage("done", "t", "--token", "1", "--write", "x"))
        self.assertIn("under which claim", usage("done", "t"))
        self.assertIn("time to live", usage("claim", "--ttl", "1ms"))
        self.assertIn("COMMAND", usage("run"))
        self.assertIn("not both", usage("add", "t", "--file", "x"))
        self.assertIn("leave out the other options", usage("add", "--file", "x", "--needs", "y"))
        self.assertIn("--of: expected a value", usage("claim", "--of", ""))
        self.out("task", "cancel", self.add("so that there is a swarm"))
        for words in (("show",), ("cancel",), ("retry",), ("done", "--token", "5")):
            self.assertIn("there is no task 'none'", self.expect(
                3, "task", words[0], "none", *words[1:]).stderr)
        document = self.directory / "task.json"
        document.write_text(json.dumps({"title": "t", "needs": ["x"], "backoff": 1}))
        self.assertIn('"backoff" is unknown', usage("add", "--file", str(document)))
        self.assertIn("no task of this swarm", self.expect(1, "task", "add", "t", "--after",
                                                           "none").stderr)
        self.assertEqual(self.json("task", "ls")["tasks"], [])
        self.assertFalse(os.path.exists("core"))


if __name__ == "__main__":
    program.main()
