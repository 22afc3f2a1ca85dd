"""Proposals: `waggle propose`, `vote`, `proposal`, the operations of agents, writes that need one."""

import json
import signal

import program

CONFIG = """
[[policy]]
prefix = "plan/"
vote = "supermajority"

[[policy]]
prefix = "board/"
vote = 0.51
voters = ["ada", "bob"]

[[role]]
name = "expert"
agents = ["ada"]
weight = 2.0
"""


class Proposals(program.Case):
    def setUp(self):
        super().setUp()
        self.data = self.directory / "store"
        self.server = self.serve("--data", self.data, config=CONFIG)

    def propose(self, *words):
        return self.out("propose", *words).strip()

    def vote(self, agent, proposal, word):
        agent.send({"op": "vote", "proposal_id": proposal, "vote": word, "id": [proposal, word]})
        return agent.wait_for("settled", id=[proposal, word])

    def team(self):
        return [self.attached_agent(name, "--changes") for name in ("ada", "bob", "eve")]

    def outcome(self, agent, proposal):
        """The next change of a proposal that an agent is told in which it is closed."""
        while True:
            for change in agent.wait_for("change")["changes"]:
                if change["key"] == f"~proposal/{proposal}" and change["value"]["state"] != "open":
                    return change["value"]

    def test_a_bound_write_is_proposed_voted_on_and_committed_as_one(self):
        ada, bob, eve = self.team()
        refused = self.expect(7, "state", "put", "plan/goal", "north")
        self.assertIn("waggle propose --write plan/goal=VALUE", refused.stderr)
        self.expect(7, "propose", "weak", "--write", "plan/goal=north")
        self.assertIn("caps what a group counts for", self.expect(
            7, "propose", "capped", "--threshold", "supermajority", "--write", "plan/goal=north",
            "--cap", "0.1", "--label", "ada=x", "--label", "bob=x").stderr)
        proposal = self.propose("go north", "--threshold", "supermajority", "--write",
                                "plan/goal=north", "--body", '{"why":["food"]}')
        self.assertRegex(proposal, "^[0-9a-f]{16}$")
        self.assertTrue(self.vote(ada, proposal, "for")["changed"])
        self.assertEqual(self.json("proposal", "show", proposal)["votes"], {"ada": "for"})
        self.assertIn("go north", self.out("proposal", "ls"))
        self.assertTrue(self.vote(bob, proposal, "for")["ok"])
        self.assertEqual(self.outcome(eve, proposal)["state"], "approved")
        record = self.json("state", "get", "plan/goal")
        self.assertEqual((record["value"], record["metadata"]["proposal"], record["writer"]),
                         ("north", proposal, "~coordinator"))
        late = self.vote(eve, proposal, "against")
        self.assertEqual((late["code"], late["reason"]), ("denied", "closed"))
        shown = self.out("proposal", "show", proposal)
        for text in ("approved", "go north", '{"why":["food"]}', "plan/goal"):
            self.assertIn(text, shown)
        self.assertEqual(self.json("proposal", "ls")["proposals"], [])
        self.assertEqual(len(self.json("proposal", "ls", "--all")["proposals"]), 1)

    def test_an_agent_proposes_and_a_command_waits(self):
        ada, bob, _ = self.team()
        ada.send({"op": "propose", "proposal_id": "dinner", "id": 1,
                  "proposal": {"title": "soup?", "electorate": ["ada", "bob"], "of": "cast"}})
        self.assertEqual(ada.wait_for("queued", id=1)["proposal_id"], "dinner")
        self.assertTrue(ada.wait_for("settled", id=1)["ok"])
        waits = self.start("proposal", "watch", "dinner", "--json", "--coordinator", self.endpoint)
        self.vote(ada, "dinner", "for")
        self.vote(bob, "dinner", "against")
        self.assertEqual(waits.wait(), 4)
        self.assertEqual(self.json("proposal", "watch", "dinner", code=4)["state"], "rejected")
        # Only who proposed it takes it back.
        bob.send({"op": "propose", "proposal_id": "tea", "proposal": {"title": "tea?"}, "id": 2})
        bob.wait_for("settled", id=2)
        ada.send({"op": "cancel", "proposal_id": "tea", "id": 3})
        self.assertEqual(ada.wait_for("settled", id=3)["code"], "denied")
        self.expect(7, "proposal", "cancel", "tea")
        bob.send({"op": "cancel", "proposal_id": "tea", "id": 4})
        self.assertTrue(bob.wait_for("settled", id=4)["ok"])
        self.expect(4, "proposal", "watch", "tea")

    def test_who_is_away_votes_as_a_command_and_strangers_do_not(self):
        proposal = self.propose("small", "--electorate", "zoe,kim,lee", "--for", "20s", "--label",
                                "zoe=m1", "--label", "kim=m1", "--groups", "2", "--weight", "lee=2")
        self.assertIn("not in the electorate",
                      self.expect(7, "vote", proposal, "for", "--id", "max").stderr)
        self.expect(0, "vote", proposal, "for", "--id", "zoe", "--reason", "it is near")
        self.expect(0, "vote", proposal, "for", "--id", "kim")
        self.assertEqual(self.json("proposal", "show", proposal)["state"], "open")
        self.expect(0, "vote", proposal, "for", "--id", "lee")
        shown = self.json("proposal", "show", proposal)
        self.assertEqual((shown["state"], shown["tally"]["for"], shown["tally"]["groups"]),
                         ("approved", 4, 2))
        self.assertIn("max", shown["refused"])

    def test_open_proposals_survive_the_coordinator_and_reach_who_was_away(self):
        proposal = self.propose("later", "--electorate", "ada,bob", "--for", "1h")
        ada = self.attached_agent("ada", "--data", self.directory / "ada")
        self.vote(ada, proposal, "for")
        self.server.signal(signal.SIGKILL)
        self.server.wait()
        self.serve("--data", self.data, listen=self.endpoint, config=CONFIG)
        bob = self.attached_agent("bob", "--initial", "--changes")
        change, = [c for c in bob.wait_for("change")["changes"] if c["key"].startswith("~proposal/")]
        self.assertEqual((change["key"], change["value"]["state"]), (f"~proposal/{proposal}", "open"))
        self.vote(bob, proposal, "for")
        shown = self.json("proposal", "show", proposal)
        self.assertEqual((shown["state"], shown["votes"]),
                         ("approved", {"ada": "for", "bob": "for"}))

    def test_a_command_is_asked_for_the_vote(self):
        earlier = self.propose("before", "--electorate", "ada,bob", "--for", "1h")
        script = ("read -r line; case $line in *north*) echo for;; *silent*) ;; *wrong*) echo hm;;"
                  " *fail*) exit 3;; *) echo against $WAGGLE_AGENT;; esac")
        agents = [self.attached_agent(name, "--on-proposal", script) for name in ("ada", "bob")]
        self.assertEqual(self.json("proposal", "watch", earlier, code=4)["votes"]["ada"], "against")
        north = self.json("propose", "north", "--wait")
        self.assertEqual((north["state"], north["votes"]), ("approved", {"ada": "for", "bob": "for"}))
        self.expect(6, "propose", "silent", "--for", "300ms", "--wait")
        self.propose("wrong", "--id", "w")
        self.assertIn("abstain", agents[0].wait_for("on_proposal_failed", key="w")["text"])
        self.propose("fail", "--id", "f")
        self.assertEqual(agents[0].wait_for("on_proposal_failed", key="f")["exit"], 3)
        self.expect(2, "agent", "run", "--id", "eve", "--role", "observer", "--on-proposal", "true")

    def test_one_of_several_options_is_chosen_and_written(self):
        ada, bob, eve = self.team()
        proposal = self.propose("which way", "--option", "north", "--option", "south", "--option",
                                "stay", "--method", "runoff", "--threshold", "supermajority",
                                "--write-choice", "plan/way")
        self.vote(ada, proposal, "north")
        self.vote(bob, proposal, "south")
        for wrong in ("west", ["north", "north"], "for"):
            refused = self.vote(eve, proposal, wrong)
            self.assertEqual(refused["code"], "rejected")
            self.assertIn("north, south, stay", refused["text"])
        self.assertEqual(self.json("proposal", "show", proposal)["votes"],
                         {"ada": ["north"], "bob": ["south"]})
        self.assertTrue(self.vote(eve, proposal, ["stay", "south"])["ok"])
        closed = self.outcome(ada, proposal)
        self.assertEqual((closed["state"], closed["chosen"]), ("approved", "south"))
        self.assertEqual(closed["tally"]["runoff"], {"north": 1, "south": 2})
        self.assertEqual(closed["votes"]["eve"], ["stay", "south"])
        self.assertEqual(self.out("state", "get", "plan/way"), "south")
        self.assertIn("approved: south", self.out("proposal", "show", proposal))
        # By commands; approved by most, and a tie chooses nothing.
        for votes, state in ((("a,b", "b", "c"), "approved"), (("a", "b", "abstain"), "rejected")):
            waits = self.start("propose", "again", "--id", state, "--option", "a", "--option", "b",
                               "--option", "c", "--electorate", "x,y,z", "--wait", "--json",
                               "--coordinator", self.endpoint)
            self.until(lambda: self.json("proposal", "ls")["proposals"], "it is open")
            for agent, vote in zip("xyz", votes):
                self.out("vote", state, vote, "--id", agent)
            waits.wait()
            self.assertEqual(waits.events[0]["state"], state)
        self.assertEqual(self.json("proposal", "show", "approved")["chosen"], "b")

    def test_a_command_chooses_for_an_agent(self):
        eve = self.agent("eve", "--on-proposal", "echo go south,stay")
        self.until(lambda: self.json("agent", "ls")["agents"], "eve is there")
        done = self.expect(0, "propose", "which way", "--option", "go", "--option", "go south",
                           "--option", "stay", "--method", "runoff", "--electorate", "eve", "--wait")
        self.assertIn("approved: go south", done.stdout)
        self.propose("another", "--option", "a", "--option", "b", "--electorate", "eve")
        self.assertIn("of: a, b", eve.wait_for("on_proposal_failed")["text"])

    def test_who_has_a_role_votes(self):
        ada, _, _ = self.team()
        proposal = self.propose("is it deep?", "--role", "expert")
        self.vote(ada, proposal, "for")
        shown = self.json("proposal", "show", proposal)
        self.assertEqual((shown["state"], shown["electorate"]),
                         ("approved", {"ada": {"weight": 2}}))
        self.assertIn("there is no role 'cook'", self.expect(1, "propose", "x", "--role",
                                                             "cook").stderr)

    def test_time_is_over(self):
        self.expect(6, "propose", "quick", "--electorate", "nobody", "--for", "200ms", "--wait")
        self.expect(4, "propose", "nobody", "--wait")  # nobody is attached

    def test_wrong_words_are_refused(self):
        for words in (["propose"], ["propose", "x", "--threshold", "0"],
                      ["propose", "x", "--threshold", "1.5"], ["propose", "x", "--weight", "a=-1"],
                      ["propose", "x", "--weight", "a"], ["propose", "x", "--write", "k"],
                      ["propose", "x", "--id", "a/b"], ["propose", "x", "--for", "1ms"],
                      ["propose", "x", "--option", "one"], ["propose", "x", "--method", "runoff"],
                      ["propose", "x", "--option", "a", "--option", "a"],
                      ["propose", "x", "--option", "a,b", "--option", "c"],
                      ["propose", "x", "--write-choice", "k"], ["vote", "p", "for"],
                      ["propose", "--file", "x", "--cast"], ["propose", "x", "--file", "y"],
                      ["proposal", "show", "a b"]):
            self.expect(2, *words)
        self.expect(3, "proposal", "show", "none")
        self.expect(3, "proposal", "watch", "none")
        self.expect(3, "proposal", "cancel", "none")
        file = self.directory / "large.json"
        file.write_text(json.dumps({"title": "x", "body": "y" * 300_000}))
        self.assertIn("at most", self.expect(1, "propose", "--file", file).stderr)
        ada = self.attached_agent("ada")
        for op, text in (({"op": "propose"}, "proposal"),
                         ({"op": "propose", "proposal": {"title": "x", "cap": 2}}, "cap"),
                         ({"op": "vote", "vote": "for"}, "proposal_id"),
                         ({"op": "vote", "proposal_id": "p", "vote": 5}, "a list of options")):
            ada.send({**op, "id": text})
            self.assertIn(text, ada.wait_for("error", id=text)["text"])


if __name__ == "__main__":
    program.main()
