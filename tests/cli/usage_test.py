"""What the command line refuses, and how it says so. No coordinator is needed."""

import json
import os

import program


class Usage(program.Case):
    def refused(self, *arguments, says, **options):
        done = self.expect(2, *arguments, **options)
        self.assertEqual(done.stdout, "")
        self.assertIn(says, done.stderr)

    def test_a_wrong_line_ends_with_2_and_a_hint(self):
        self.refused(says="a command is needed")
        self.refused("serv", says="did you mean 'serve'?")
        self.refused("xyzzy", says="expected one of: serve, agent, state")
        self.refused("state", "gte", says="unknown command 'state gte', did you mean 'get'?")
        # Of agents only, and never taken for a slip of the pen.
        for verb in ("reserve", "release", "handover"):
            self.refused("state", verb, "fuel", "2", "ada",
                         says='write {"op":"%s",...} to waggle agent run' % verb)
        self.refused("reserve", "fuel", "2", says="unknown command 'reserve'")
        self.refused("state", says="needs a command: get, put")
        self.refused("state", "get", says="KEY is required")
        self.refused("state", "get", "a", "b", says="takes no 'b' here")
        self.refused("serve", "--lisen", "x", says="did you mean '--listen'?")
        self.refused("state", "get", "k", "--jsn", says="did you mean '--json'?")
        self.refused("status", "--timeout", "5", says="'5' is no duration")
        self.refused("status", "--timeout", "0s", says="no time to wait")
        self.refused("sync", says="name the keys to synchronise, or --all")
        self.refused("sync", "k", "--all", says="not both")
        self.refused("sync", "k", "--count", "2", says="needs --every")
        self.refused("sync", "k", "--priority", "urgent", says="critical|high|normal")
        self.refused("agent", "run", says="--id is required")
        self.refused("agent", "run", "--id", "a b", says="--id")
        self.refused("state", "put", "k", "v", "--if-version", "x", says="--if-version")
        self.refused("state", "put", "k", "v", "--if-version", "1", "--if-absent", says="excludes")
        self.refused("status", "--coordinator", "localhost", says="--coordinator")
        self.refused("status", "--swarm", "a b", says="--swarm")
        self.refused("serve", "--memory", "--data", "x", says="excludes")
        self.refused("help", "sttae", says="did you mean 'state'?")

    def test_with_json_an_error_is_one_json_line(self):
        done = self.expect(2, "state", "gte", "--json")
        error = json.loads(done.stderr)
        self.assertEqual((error["event"], error["code"], error["exit"]), ("error", "usage", 2))

    def test_help_and_version_are_data(self):
        self.assertIn("Exit codes: 0 done", self.out("--help"))
        self.assertIn("Usage: waggle state put", self.out("help", "state", "put"))
        self.assertEqual(self.out("help", "state", "put"), self.out("state", "put", "--help"))
        self.assertRegex(self.out("version"), r"^waggle \d+\.\d+\.\d+\n$")
        self.assertEqual(self.out("version"), self.out("--version"))
        self.assertEqual(self.json("version")["contract"], 1)

    def test_nobody_there_is_5_and_names_the_endpoint(self):
        self.endpoint = "tcp://127.0.0.1:1"
        for command in (["state", "get", "k"], ["state", "put", "k", "v"], ["state", "ls"],
                        ["status"], ["agent", "ls"], ["sync", "k"], ["delta", "--since", "0"],
                        ["tail"], ["clear", "--yes"], ["compact"]):
            done = self.expect(5, *command, "--timeout", "200ms")
            self.assertEqual(done.stdout, "")
            self.assertIn("no coordinator answers at tcp://127.0.0.1:1", done.stderr)
            self.assertIn("waggle serve", done.stderr)
        done = self.expect(5, "state", "get", "k", "--timeout", "200ms", "--json")
        self.assertEqual(json.loads(done.stderr)["code"], "unavailable")

    def test_a_full_or_closed_output_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            import subprocess
            done = subprocess.run([program.PROGRAM, "version"], stdout=full, stderr=subprocess.PIPE,
                                  env=program.environment())
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"can't be written", done.stderr)


class Configuration(program.Case):
    def file(self, text):
        path = self.directory / "waggle.toml"
        path.write_text(text)
        return path

    def test_an_unknown_key_is_named_with_line_and_nearest(self):
        path = self.file("# one\n[coordinator]\nlisen = \"x\"\n")
        for command in (["config", "check", path], ["serve", "--config", path],
                        ["status", "--config", path]):
            done = self.expect(2, *command)
            self.assertIn(f"{path}:3: unknown key 'lisen' in [coordinator], did you mean 'listen'?",
                          done.stderr)

    def test_a_wrong_type_is_named_with_line_and_both_types(self):
        path = self.file("[timing]\nheartbeat = 5\n")
        self.assertIn(f"{path}:2: timing.heartbeat: expected a duration",
                      self.expect(2, "config", "check", path).stderr)

    def test_the_default_file_checks(self):
        path = self.file(self.out("config", "default"))
        self.assertIn("fine", self.out("config", "check", path))
        self.assertEqual(self.json("config", "check", path)["ok"], True)

    def test_flags_before_environment_before_file(self):
        path = self.file('[client]\ncoordinator = "tcp://127.0.0.1:2"\n')
        env = program.environment(HOME=self.directory, WAGGLE_CONFIG=path)
        command = ("status", "--timeout", "100ms")
        self.assertIn("127.0.0.1:2", self.expect(5, *command, env=env).stderr)
        env["WAGGLE_COORDINATOR"] = "tcp://127.0.0.1:3"
        self.assertIn("127.0.0.1:3", self.expect(5, *command, env=env).stderr)
        self.assertIn("127.0.0.1:4", self.expect(5, *command, "--coordinator", "tcp://127.0.0.1:4",
                                                 env=env).stderr)
        env["WAGGLE_TIMEOUT"] = "soon"
        self.assertIn("WAGGLE_TIMEOUT", self.expect(2, "status", env=env).stderr)

    def test_the_default_place_is_used_when_it_is_there(self):
        folder = self.directory / ".config" / "waggle"
        os.makedirs(folder)
        (folder / "waggle.toml").write_text("[nope]\n")
        self.assertIn("unknown section [nope]",
                      self.expect(2, "status", coordinator=False).stderr)


if __name__ == "__main__":
    program.main()
