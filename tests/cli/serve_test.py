"""`waggle serve`: start, stop, refuse, restart."""

import os
import signal
import socket
import subprocess

import program


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


class Serve(program.Case):
    def test_it_needs_no_configuration(self):
        env = program.environment(HOME=self.directory)
        process = self.start("serve", "--listen", "tcp://127.0.0.1:0", env=env)
        line = process.out.next(program.time.monotonic() + program.PATIENCE)
        data = self.directory / ".local/share/waggle/coordinator"
        self.assertRegex(line, rf"^waggle \S+ ready on tcp://127.0.0.1:\d+ after .*, data {data}, "
                               r"epoch [0-9a-f]{16}, level durable, no swarm yet\n$")
        self.assertTrue(data.is_dir())
        process.signal(signal.SIGTERM)
        self.assertEqual(process.process.wait(timeout=program.PATIENCE), 0)

    def test_the_ready_line_tells_what_was_recovered(self):
        first = self.serve()
        self.assertEqual(first.ready["swarms"], [])
        self.out("state", "put", "a", "1")
        self.out("state", "put", "b", "2")
        self.out("state", "put", "c", "3", "--swarm", "other")
        first.signal(signal.SIGTERM)
        self.assertEqual(first.wait(), 0)
        second = self.serve()
        self.assertEqual(second.ready["swarms"], [{"swarm": "default", "revision": 2, "keys": 2},
                                                  {"swarm": "other", "revision": 1, "keys": 1}])
        self.assertEqual(second.ready["epoch"], first.ready["epoch"])
        self.assertEqual(self.out("state", "get", "b"), "2")

    def test_int_and_hup_end_it_cleanly_too(self):
        for number in (signal.SIGINT, signal.SIGHUP):
            process = self.serve("--memory")
            process.signal(number)
            self.assertEqual(process.wait(), 0)
            self.assertIn("stopped", process.messages)

    def test_a_second_coordinator_on_the_directory_is_refused_with_the_pid(self):
        first = self.serve()
        done = self.expect(5, "serve", "--listen", "tcp://127.0.0.1:0", "--data",
                           self.directory / "coordinator")
        self.assertEqual(done.stdout, "")
        self.assertIn(f"pid {first.process.pid}", done.stderr)
        self.out("state", "put", "still", "there")

    def test_an_address_in_use_is_refused(self):
        self.serve()
        done = self.expect(5, "serve", "--listen", self.endpoint, "--memory")
        self.assertIn(self.endpoint, done.stderr)

    def test_a_data_directory_that_is_a_file_is_refused(self):
        (self.directory / "file").write_text("mine")
        for path in ("file", "file/below"):
            done = self.expect(1, "serve", "--data", path, "--listen", "tcp://127.0.0.1:0")
            self.assertIn("file", done.stderr)
        self.assertEqual((self.directory / "file").read_text(), "mine")

    def test_other_machines_are_let_in_only_on_request(self):
        done = self.expect(7, "serve", "--memory", "--listen", "tcp://0.0.0.0:0")
        self.assertIn("--insecure-listen", done.stderr)
        process = self.serve("--memory", "--insecure-listen", listen="tcp://0.0.0.0:0")
        process.signal(signal.SIGTERM)
        process.wait()
        self.assertIn("WARNING", process.messages)

    def test_memory_says_so_in_every_answer(self):
        process = self.serve("--memory")
        self.assertEqual((process.ready["data"], process.ready["level"]), (None, "memory"))
        done = self.expect(0, "state", "put", "k", "v")
        self.assertIn("memory only", done.stderr)
        self.assertEqual(self.json("state", "put", "k", "w")["level"], "memory")

    def test_written_is_a_level_of_its_own(self):
        process = self.serve(config='[coordinator]\ndurability = "written"\n')
        self.assertEqual(process.ready["level"], "written")
        self.assertEqual(self.json("state", "put", "k", "w")["level"], "written")

    def test_it_listens_on_a_unix_socket(self):
        self.serve("--memory", listen=f"ipc://{self.directory}/w.sock")
        self.out("state", "put", "k", "v")
        agent = self.attached_agent("a")
        agent.send({"op": "get", "key": "k", "id": 1})
        self.assertEqual(agent.wait_for("value", id=1)["value"], "v")

    def test_it_lives_without_a_reader_and_without_an_input(self):
        port = free_port()
        for closing in ("| true", "<&- >&-"):
            shell = subprocess.Popen(
                ["sh", "-c", f'"$1" serve --memory --listen "$2" {closing}', "sh", program.PROGRAM,
                 port], env=program.environment(), stderr=subprocess.DEVNULL,
                start_new_session=True)
            try:
                self.endpoint = port
                self.until(lambda: self.waggle("state", "put", "k", "v").returncode == 0, "a write")
                self.assertEqual(self.out("state", "get", "k"), "v")
            finally:
                os.killpg(shell.pid, signal.SIGTERM)
                shell.wait(timeout=program.PATIENCE)

    def test_an_empty_data_directory_is_not_memory(self):
        self.expect(2, "serve", "--data", "")
        self.expect(2, "agent", "run", "--id", "a", "--data", "")

    def test_the_supervisor_is_told(self):
        path = self.directory / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(path))
            listener.settimeout(program.PATIENCE)
            process = self.serve("--memory", env=program.environment(NOTIFY_SOCKET=path))
            self.assertIn(b"READY=1", listener.recv(4096))
            process.signal(signal.SIGTERM)
            self.assertEqual(listener.recv(4096), b"STOPPING=1")
            self.assertEqual(process.wait(), 0)

    def test_what_was_acknowledged_survives_kill_9(self):
        process = self.serve()
        for i in range(20):
            self.out("state", "incr", "n")
        process.signal(signal.SIGKILL)
        process.process.wait()
        self.serve()
        self.assertEqual(self.out("state", "get", "n"), "20\n")

    def test_policies_of_the_file_hold(self):
        self.serve("--memory", config='[[policy]]\nprefix = "n/"\ntype = "counter"\n')
        done = self.expect(1, "state", "put", "n/a", "text")
        self.assertIn("counter", done.stderr)
        self.out("state", "incr", "n/a")


if __name__ == "__main__":
    program.main()
