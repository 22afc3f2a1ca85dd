"""Backups with real processes: saved beside writes, checked, restored, and what agents are told."""

import json
import os
import signal
import subprocess
import time

import program


class Snapshots(program.Case):
    def setUp(self):
        super().setUp()
        self.file = self.directory / "bees.wsnap"
        self.store = self.directory / "coordinator"
        self.restored = self.directory / "restored"

    def save(self, *more, file=None):
        return self.json("snapshot", "save", file or self.file, "--store", self.store, *more)

    def restore(self, *more):
        return self.json("snapshot", "restore", self.file, "--store", self.restored, *more)

    def stop(self, coordinator):
        coordinator.signal(signal.SIGTERM)
        self.assertEqual(coordinator.wait(), 0, coordinator.messages)

    def serve_restored(self, **options):
        return self.serve("--data", self.restored, **options)

    def values(self):
        return {r["key"]: r["value"] for r in self.json("state", "ls")["records"]}

    def equal(self, agent):
        swarm = self.json("status")["swarms"][0]
        agent.send({"op": "status", "id": "look"})
        found = agent.wait_for("status", id="look")
        return (found["digest"], found["link"], found["outbox"]) == (swarm["digest"], "attached", 0)

    def fill(self, keys, size=4000):
        """So many keys that don't compress."""
        agent = self.attached_agent("filler")
        for begin in range(0, keys, 200):
            for i in range(begin, min(begin + 200, keys)):
                agent.send({"op": "put", "key": f"fill/{i}", "value": os.urandom(size // 2).hex(),
                            "id": i})
            for i in range(begin, min(begin + 200, keys)):
                agent.wait_for("settled", again=True, id=i)
            agent.events.clear()
            agent._at = 0
        agent.close_input()
        self.assertEqual(agent.wait(), 0)


class Commands(Snapshots):
    def test_a_running_coordinator_is_saved_checked_and_restored(self):
        coordinator = self.serve()
        self.out("state", "put", "plan", "north")
        self.out("state", "incr", "seen", "3")
        self.out("state", "rm", "plan")
        self.out("state", "put", "x", "1", "--swarm", "wasps")
        saved = self.save()
        self.assertTrue(saved["live"])
        self.assertEqual(saved["epoch"], coordinator.ready["epoch"])
        self.assertEqual([(s["swarm"], s["revision"], s["keys"]) for s in saved["swarms"]],
                         [("default", 3, 1), ("wasps", 1, 1)])
        self.assertEqual(saved["swarms"][0]["digest"], self.json("status")["swarms"][0]["digest"])

        self.out("state", "put", "plan", "lost")
        checked = self.json("snapshot", "verify", self.file)
        self.assertTrue(checked["ok"])
        self.assertEqual(checked["digest"], saved["digest"])
        self.assertEqual(checked["bytes"], self.file.stat().st_size)
        info = self.json("snapshot", "info", self.file)
        self.assertEqual({f["family"]: f["rows"] for f in info["families"]}["state"], 3)
        self.assertIn("default", self.out("snapshot", "info", self.file))
        self.assertIn("whole: ", self.out("snapshot", "verify", self.file))

        self.stop(coordinator)
        self.assertFalse((self.store / "snapshot.sock").exists())
        done = self.restore()
        again = self.serve_restored()
        self.assertNotEqual(again.ready["epoch"], coordinator.ready["epoch"])
        self.assertEqual(again.ready["epoch"], done["new_epoch"])
        self.assertEqual(self.values(), {"seen": 3})
        self.assertEqual(self.out("state", "get", "x", "--swarm", "wasps"), "1")
        self.assertEqual(self.out("state", "incr", "seen"), "4\n")
        found = self.json("delta", "--since", f"{coordinator.ready['epoch']}@2")
        self.assertEqual([c["key"] for c in found["changes"]], ["plan", "seen"])

    def test_a_store_that_nobody_holds_is_saved(self):
        coordinator = self.serve()
        self.out("state", "put", "k", "v")
        live = self.save()
        self.stop(coordinator)
        still = self.save(file=self.directory / "still")
        self.assertFalse(still["live"])
        self.assertEqual([s["digest"] for s in live["swarms"]],
                         [s["digest"] for s in still["swarms"]])
        self.expect(0, "doctor", "--store", self.store)

    def test_a_file_is_replaced_only_by_force(self):
        self.serve()
        self.save()
        self.out("state", "put", "k", "v")
        done = self.expect(1, "snapshot", "save", self.file, "--store", self.store)
        self.assertIn("--force", done.stderr)
        self.assertEqual(self.json("snapshot", "verify", self.file)["swarms"], [])
        self.save("--force")
        self.assertEqual(self.json("snapshot", "verify", self.file)["swarms"][0]["revision"], 1)
        self.assertEqual([p.name for p in self.directory.glob("*.part")], [])

    def test_a_snapshot_goes_through_a_pipe(self):
        self.serve()
        self.out("state", "put", "k", "v")
        self.file.write_bytes(self.expect(0, "snapshot", "save", "-", "--store", self.store).bytes)
        self.assertTrue(self.json("snapshot", "verify", self.file)["ok"])

    def test_where_no_store_is_nothing_is_saved(self):
        self.expect(3, "snapshot", "save", self.file, "--store", self.directory / "absent")
        self.assertFalse((self.directory / "absent").exists())
        self.assertFalse(self.file.exists())
        self.expect(3, "snapshot", "verify", self.file)
        self.expect(2, "snapshot", "save", "--store", self.directory)
        self.expect(2, "snapshot", "restore", self.file, "--store", "")

    def test_a_path_of_any_length_will_do(self):
        deep = self.directory / ("d" * 120) / ("e" * 120)
        deep.mkdir(parents=True)
        self.store = deep / "store"
        self.serve("--data", self.store)
        self.out("state", "put", "k", "v")
        self.assertTrue(self.save()["live"])

    def test_a_restored_store_takes_snapshots_of_its_own(self):
        self.stop(self.serve())
        self.save()
        self.restore()
        self.serve_restored()
        self.store = self.restored
        self.assertTrue(self.save("--force")["live"])

    def test_damage_is_named_with_its_place(self):
        self.serve()
        for i in range(20):
            self.out("state", "put", f"k{i}", f"value {i}")
        self.save()
        whole = self.file.read_bytes()
        bent = self.directory / "bent"
        for at in range(0, len(whole), 97):
            bent.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1:])
            done = self.expect(1, "snapshot", "verify", bent)
            self.assertIn(str(bent), done.stderr)
        bent.write_bytes(whole[:-1])
        self.assertIn("is cut short at byte", self.expect(1, "snapshot", "verify", bent).stderr)
        done = self.expect(1, "snapshot", "restore", bent, "--store", self.restored)
        self.assertIn("use another backup", done.stderr)
        self.assertFalse(self.restored.exists())

    def test_only_an_absent_or_empty_directory_is_restored_into(self):
        self.stop(self.serve())
        self.save()
        done = self.expect(1, "snapshot", "restore", self.file, "--store", self.store)
        self.assertIn("holds a store", done.stderr)
        self.restored.mkdir()
        self.restore()
        self.assertIn("holds a store", self.expect(
            1, "snapshot", "restore", self.file, "--store", self.restored).stderr)


class Beside(Snapshots):
    """Beside writes, and with agents."""

    def test_every_write_that_was_acknowledged_before_is_in_it(self):
        coordinator = self.serve()
        writer = self.attached_agent("writer")
        sent = 0
        before = []
        for number in range(4):
            for _ in range(150):
                sent += 1
                writer.send({"op": "group", "id": sent, "entries": [
                    {"op": "put", "key": f"a/{sent}", "value": str(sent)},
                    {"op": "put", "key": f"b/{sent}", "value": str(sent)}]})
            writer.wait_for("settled", again=True, id=sent - 100)  # about 100 are on their way
            known = {e["id"] for e in writer.events
                     if e.get("event") == "settled" and e["code"] == "committed"}
            file = self.directory / f"{number}.wsnap"
            self.save(file=file)
            before.append((file, known))
        self.stop(coordinator)
        for number, (file, known) in enumerate(before):
            self.file = file
            self.restored = self.directory / f"restored-{number}"
            self.restore()
            again = self.serve_restored()
            values = self.values()
            for one in known:
                self.assertEqual(values.get(f"a/{one}"), str(one))
            for key, value in values.items():  # no half of a group
                self.assertEqual(values.get(("b" if key[0] == "a" else "a") + key[1:]), value)
            self.stop(again)

    def test_agents_reset_and_are_told_which_acknowledged_writes_are_gone(self):
        coordinator = self.serve()
        loser = self.attached_agent("loser")
        kept = self.attached_agent("kept", "--data", "kept")
        away = self.attached_agent("away", "--data", "away")
        for agent in (loser, kept, away):
            agent.send({"op": "incr", "key": "n", "id": 1})
            agent.wait_for("settled", id=1, code="committed")
        self.save()
        lost = []
        for name in (2, 3):
            loser.send({"op": "incr", "key": "n", "amount": 10, "id": name})
            lost.append(loser.wait_for("settled", id=name))
        away.send({"op": "put", "key": "gone", "value": "lost", "id": 2})
        away.wait_for("settled", id=2)
        self.stop(coordinator)
        # Not answered, so they are sent to the new one, once.
        for agent, amount in ((loser, 100), (away, 1000)):
            agent.send({"op": "incr", "key": "n", "amount": amount, "id": 9})
            agent.wait_for("queued", id=9)
        away.signal(signal.SIGKILL)
        away.process.wait()

        self.restore()
        again = self.serve_restored(listen=self.endpoint)
        told = loser.wait_for("writes_lost")
        self.assertEqual([(w["incarnation"], w["seq"]) for w in told["writes"]],
                         [(s["incarnation"], s["seq"]) for s in lost])
        settled = loser.wait_for("settled", again=True, id=9)
        self.assertEqual(settled["code"], "committed")
        away = self.attached_agent("away", "--data", "away")
        for agent in (loser, kept, away):
            self.until(lambda agent=agent: self.equal(agent), "equal digests")
        self.assertEqual(self.values(), {"n": 1103})
        self.assertFalse([e for e in kept.events if e["event"] == "writes_lost"])
        kept.send({"op": "incr", "key": "n", "id": 5})
        self.assertEqual(kept.wait_for("settled", id=5)["code"], "committed")
        self.assertEqual(self.values(), {"n": 1104})
        self.stop(again)

    def test_a_coordinator_that_is_killed_meanwhile_leaves_no_file(self):
        coordinator = self.serve()
        self.fill(1500)
        process = subprocess.Popen(
            [program.PROGRAM, "snapshot", "save", "-", "--store", self.store],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program.environment())
        process.stdout.read(1000)  # it is on its way, and waits for us
        coordinator.signal(signal.SIGKILL)
        coordinator.process.wait()
        rest, messages = process.communicate(timeout=program.PATIENCE)
        self.assertEqual(process.returncode, 5, messages)
        self.assertIn(b"the coordinator ended meanwhile", messages)
        self.serve()
        self.save()
        self.assertTrue(self.json("snapshot", "verify", self.file)["ok"])

    def test_a_caller_that_stops_reading_does_not_hold_back_writes(self):
        coordinator = self.serve()
        self.fill(1500)
        process = subprocess.Popen(
            [program.PROGRAM, "snapshot", "save", "-", "--store", self.store],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program.environment())
        process.stdout.read(1000)
        self.out("state", "put", "k", "v")
        self.assertEqual(self.out("state", "get", "k"), "v")
        self.stop(coordinator)  # nor the end
        process.kill()
        process.communicate(timeout=program.PATIENCE)


class Killed(Snapshots):
    """SIGKILL at several moments: at parts of the time that one takes when it is left alone."""

    PARTS = 8

    def setUp(self):
        super().setUp()
        self.coordinator = self.serve()
        self.fill(800)
        self.head = self.json("status")["swarms"][0]

    def begin(self, *arguments):
        process = subprocess.Popen([program.PROGRAM, *map(str, arguments)], cwd=self.directory,
                                   env=program.environment(), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: process.poll() is not None or process.kill())
        return process

    def run_and_kill(self, seconds, *arguments):
        process = self.begin(*arguments)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def moments(self, run):
        started = time.monotonic()
        run()
        whole = time.monotonic() - started
        return [whole * part / self.PARTS for part in range(self.PARTS + 1)]

    def kill_while(self, path, *arguments):
        """Killed while that path is there; false: it was too quick."""
        process = self.begin(*arguments)
        while process.poll() is None and not path.exists():
            time.sleep(0.0005)
        process.send_signal(signal.SIGSTOP)
        found = path.exists()
        process.kill()
        process.wait()
        return found

    def test_a_save_leaves_a_whole_file_or_none(self):
        arguments = ("snapshot", "save", self.file, "--store", self.store)
        moments = self.moments(self.save)
        for seconds in moments:
            self.file.unlink(missing_ok=True)
            self.run_and_kill(seconds, *arguments)
            if self.file.exists():
                self.assertTrue(self.json("snapshot", "verify", self.file)["ok"])
        first = self.save("--force")
        self.out("state", "put", "k", "v")
        for seconds in moments:
            self.run_and_kill(seconds, *arguments, "--force")
            found = self.json("snapshot", "verify", self.file)
            self.assertIn(found["swarms"][0]["revision"] - first["swarms"][0]["revision"], (0, 1))
        self.save("--force")
        self.assertEqual(self.out("state", "get", "k"), "v")
        self.assertEqual(list(self.directory.glob("*.part")), [])

    def test_a_coordinator_that_is_killed_while_it_is_saved_loses_nothing(self):
        for seconds in self.moments(self.save):
            self.file.unlink(missing_ok=True)
            process = self.begin("snapshot", "save", self.file, "--store", self.store, "--timeout",
                                 "100ms")
            time.sleep(seconds)
            self.coordinator.signal(signal.SIGKILL)
            self.coordinator.process.wait()
            code = process.wait(timeout=program.PATIENCE)
            self.assertIn(code, (0, 5))
            self.assertEqual(self.file.exists(), code == 0)
            self.coordinator = self.serve()
            self.assertEqual(self.json("status")["swarms"][0]["digest"], self.head["digest"])

    def test_a_restore_leaves_a_whole_store_or_none(self):
        self.save()
        self.stop(self.coordinator)
        for number, seconds in enumerate(self.moments(self.restore)):
            self.restored = self.directory / f"restored-{number}"
            self.run_and_kill(seconds, "snapshot", "restore", self.file, "--store", self.restored)
            self.cut_short_or_whole()
        for number in range(20):
            self.restored = self.directory / f"again-{number}"
            if self.kill_while(self.restored / "db.restore", "snapshot", "restore", self.file,
                               "--store", self.restored):
                break
        self.assertTrue(self.cut_short_or_whole())
        self.serve_restored()
        self.assertEqual(self.json("status")["swarms"][0]["digest"], self.head["digest"])


    def cut_short_or_whole(self):
        """Whole in the end; true: it was cut short at first."""
        cut_short = (self.restored / "db.restore").exists()
        self.assertFalse(cut_short and (self.restored / "db").exists())
        if cut_short:
            done = self.expect(1, "serve", "--listen", "tcp://127.0.0.1:0", "--data", self.restored)
            self.assertIn("a restore of a snapshot was cut short", done.stderr)
            self.expect(1, "doctor", "--store", self.restored)
        if not (self.restored / "db").exists():
            self.restore()
        found = self.json("doctor", "--store", self.restored)
        self.assertEqual(found["findings"], [])
        self.assertEqual([(s["revision"], s["digest"]) for s in found["swarms"]],
                         [(self.head["revision"], self.head["digest"])])
        return cut_short


class Doctor(Snapshots):
    def test_a_healthy_store(self):
        coordinator = self.serve()
        self.out("state", "put", "k", "v")
        done = self.expect(5, "doctor", "--store", self.store)
        self.assertIn(f"the process with pid {coordinator.process.pid}", done.stderr)
        self.assertIn("waggle snapshot save", done.stderr)
        self.stop(coordinator)
        self.assertIn("healthy", self.out("doctor", "--store", self.store))
        found = self.json("doctor", "--store", self.store)
        self.assertTrue(found["healthy"])
        self.assertEqual((found["kind"], found["format"], found["epoch"]),
                         ("coordinator", 2, coordinator.ready["epoch"]))
        self.serve()
        self.assertEqual(self.out("state", "get", "k"), "v")

    def test_findings_name_file_and_remedy(self):
        coordinator = self.serve()
        for i in range(30):
            self.out("state", "put", f"k{i}", "v")
        self.stop(coordinator)
        log = max((self.store / "db").glob("*.log"), key=lambda f: f.stat().st_size)
        whole = log.read_bytes()
        log.write_bytes(whole[:len(whole) // 2])
        done = self.expect(1, "doctor", "--store", self.store)
        self.assertIn(f"damage: {self.store}/HEAD: the store lost acknowledged commits",
                      done.stdout)
        self.assertIn("what to do: restore a backup", done.stdout)
        log.write_bytes(whole.replace(b"k15", b"k16", 1))
        found = self.json("doctor", "--store", self.store, code=1)
        self.assertFalse(found["healthy"])
        self.assertEqual(found["findings"][0]["file"], str(log))
        self.assertIn("--accept-rollback", found["findings"][0]["remedy"])
        log.write_bytes(whole)
        self.expect(0, "doctor", "--store", self.store)

    def test_an_agents_store_and_none_at_all(self):
        self.serve()
        agent = self.attached_agent("a", "--data", "agent")
        agent.send({"op": "put", "key": "k", "value": "v", "id": 1})
        agent.wait_for("settled", id=1)
        agent.close_input()
        self.assertEqual(agent.wait(), 0)
        self.assertEqual(self.json("doctor", "--store", self.directory / "agent")["kind"], "agent")
        self.expect(3, "doctor", "--store", self.directory / "absent")
        done = self.expect(1, "snapshot", "save", self.file, "--store", self.directory / "agent")
        self.assertIn("kind 'agent', expected 'coordinator'", done.stderr)

    def test_too_little_space_is_a_finding(self):
        self.stop(self.serve())
        (self.directory / "c.toml").write_text('[coordinator]\ndisk_reserve = "1000000GiB"\n')
        found = self.json("doctor", "--store", self.store, "--config", self.directory / "c.toml",
                          code=1)
        self.assertEqual([f["severity"] for f in found["findings"]], ["warning"])


if __name__ == "__main__":
    program.main()
