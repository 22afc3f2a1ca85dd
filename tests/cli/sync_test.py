"""`waggle sync`: full synchronisations of real agents."""

import signal

import program


class Sync(program.Case):
    def test_without_agents_it_is_5(self):
        self.serve("--memory")
        self.out("state", "put", "k", "v")
        done = self.expect(5, "sync", "k")
        self.assertIn("no member of swarm 'default' is attached", done.stderr)

    def test_the_newest_offer_wins_and_the_others_are_told(self):
        self.serve("--memory")
        agents = [self.attached_agent(f"scout-{i}") for i in range(3)]
        for i, agent in enumerate(agents):
            agent.send({"op": "offer", "key": "site", "value": f"site {i}", "id": f"offer {i}"})
            agent.wait_for("offered", id=f"offer {i}")
        report = self.json("sync", "site")
        self.assertEqual((report["outcome"], report["exit"]), ("resolved", 0))
        self.assertEqual(sorted(report["answered"]), ["scout-0", "scout-1", "scout-2"])
        key = report["keys"][0]
        self.assertEqual((key["winner"], key["offers"], key["strategy"]), ("scout-2", 3, "lww"))
        for i, agent in enumerate(agents):
            settled = agent.wait_for("offer_settled", key="site")
            self.assertEqual((settled["took"], settled["id"]), (i == 2, f"offer {i}"))
        self.assertEqual(self.out("state", "get", "site"), "site 2")
        self.assertEqual(self.json("sync", "site")["outcome"], "unchanged")
        text = self.out("sync", "site", "other")
        self.assertIn("3 of 3 members answered", text)
        self.assertRegex(text, r"site +unchanged")

    def test_a_stopped_agent_makes_it_partial_and_is_named(self):
        self.serve("--memory", config='[[policy]]\nprefix = "q/"\nstrategy = "quorum"\n')
        agents = [self.attached_agent(name) for name in ("alive", "stopped")]
        agents[0].send({"op": "offer", "key": "q/site", "value": "north", "id": 1})
        agents[0].wait_for("offered", id=1)
        agents[1].signal(signal.SIGSTOP)
        # Its heartbeats stop too, so ask at once.
        done = self.expect(8, "sync", "q/site", "--timeout", "600ms")
        self.assertIn("stopped", done.stdout)
        self.assertIn("partial: stopped did not answer in time", done.stderr)
        agents[1].signal(signal.SIGCONT)

    def test_a_late_answer_amends_the_round_where_the_policy_gives_it_time(self):
        # A long beat, so that the stopped one keeps its session on a slow machine too.
        self.serve(config='[[policy]]\nprefix = "site/"\namend = "5m"\n',
                   env=program.environment(WAGGLE_HEARTBEAT="10s"))
        agents = [self.attached_agent(name) for name in ("early", "stopped")]
        for agent, key in [(a, k) for a in agents for k in ("site/a", "site/b", "other")]:
            agent.send({"op": "offer", "key": key, "value": agent.events[0]["agent"], "id": key})
            agent.wait_for("offered", id=key)
        agents[1].signal(signal.SIGSTOP)
        self.expect(8, "sync", "site/a", "site/b", "other", "--timeout", "1s")
        self.assertEqual(self.out("state", "get", "site/a"), "early")
        self.out("state", "put", "site/b", "written meanwhile")
        agents[1].signal(signal.SIGCONT)
        settled = agents[1].wait_for("offer_settled", key="site/a")
        self.assertTrue(settled["took"])
        record = self.json("state", "get", "site/a")
        self.assertEqual((record["value"], record["writer"]), ("stopped", "~coordinator"))
        self.assertEqual(record["metadata"]["offered_by"], "stopped")
        self.assertEqual(record["metadata"]["amends_revision"], "1")
        self.assertRegex(record["metadata"]["amends"], "^[0-9a-f]+$")
        self.assertEqual(self.out("state", "get", "site/b"), "written meanwhile")
        self.assertEqual(self.out("state", "get", "other"), "early")
        # The one that had been told otherwise sees it too.
        agents[0].send({"op": "get", "key": "site/a", "at_least": record["version"], "id": "now"})
        self.assertEqual(agents[0].wait_for("value", id="now")["value"], "stopped")
        checked = self.json("receipt", "verify", "site/a")
        self.assertTrue(checked["sound"] and checked["ends_at_head"])
        self.assertEqual([r["result"] for r in checked["receipts"]], ["holds", "holds"])

    def test_nobody_answers_in_time(self):
        self.serve("--memory")
        agent = self.attached_agent("stopped")
        agent.signal(signal.SIGSTOP)
        done = self.expect(6, "sync", "k", "--timeout", "300ms")
        self.assertIn("missing: stopped", done.stderr)
        agent.signal(signal.SIGCONT)

    def test_no_quorum_is_4(self):
        self.serve("--memory", config='[[policy]]\nprefix = "q/"\nstrategy = "quorum"\n')
        agents = [self.attached_agent(name) for name in ("a", "b")]
        for agent in agents:
            agent.send({"op": "offer", "key": "q/k", "value": agent.events[0]["agent"], "id": 1})
            agent.wait_for("offered", id=1)
        report = self.json("sync", "q/k", code=4)
        self.assertEqual(report["outcome"], "no_quorum")

    def test_periodic_ones_print_a_line_a_run(self):
        self.serve("--memory")
        self.attached_agent("a")
        lines = self.out("sync", "k", "j", "--every", "50ms", "--count", "3").splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\S+Z unchanged in .*: 1 of 1 member answered")
        process = self.start("sync", "k", "--every", "50ms", "--count", "4", "--json",
                             "--priority", "critical", "--coordinator", self.endpoint)
        self.assertEqual(process.wait(), 0)
        self.assertEqual([e["run"] for e in process.events], [1, 2, 3, 4])

    def test_periodic_ones_go_on_after_a_restart(self):
        serve = self.serve("--memory")
        process = self.start("sync", "k", "--every", "100ms", "--json", "--timeout", "300ms",
                             "--coordinator", self.endpoint)
        process.wait_for("sync", outcome="no_agents")
        serve.signal(signal.SIGKILL)
        serve.process.wait()
        self.until(lambda: "outcome" not in process.wait_for("sync"), "a run fails")
        self.serve("--memory", listen=self.endpoint)
        process.wait_for("sync", outcome="no_agents")
        process.signal(signal.SIGTERM)
        self.assertEqual(process.wait(), -signal.SIGTERM)  # a shell says 143


if __name__ == "__main__":
    program.main()
