"""The real program with real processes, for the tests of this folder.

Every wait is bounded, every process is ended by its own pid, everything lies in a directory of its
own. Coordinators listen on port 0 and say where in their ready line.
"""

import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

PROGRAM = os.environ.get("WAGGLE_PROGRAM", "waggle")
PATIENCE = 40.0  # seconds; far above what is needed, for slow machines


def environment(**more):
    """Ours without the user's settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("WAGGLE_")}
    env.update({k: str(v) for k, v in more.items()})
    return env


class Stream:
    """The lines of a pipe, read by a thread."""

    def __init__(self, pipe):
        self.lines = []
        self._queue = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                self._queue.put(line)
        self._queue.put(None)

    def next(self, deadline):
        """The next line; None at the end."""
        try:
            line = self._queue.get(timeout=max(deadline - time.monotonic(), 0.001))
        except queue.Empty:
            raise AssertionError(f"no line in time; so far: {''.join(self.lines)}") from None
        if line is not None:
            self.lines.append(line)
        return line

    def rest(self):
        deadline = time.monotonic() + PATIENCE
        while self.next(deadline) is not None:
            pass
        return self.lines


class Process:
    """A command whose standard output is JSON lines."""

    def __init__(self, *arguments, cwd=None, env=None, group=None):
        self.process = subprocess.Popen(
            [PROGRAM, *map(str, arguments)], cwd=cwd, env=env or environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            process_group=group)
        self.out = Stream(self.process.stdout)
        self.err = Stream(self.process.stderr)
        self.events = []
        self._at = 0

    def next_event(self, deadline):
        line = self.out.next(deadline)
        if line is None:
            raise AssertionError(f"it ended with {self.process.wait()}; {self.out.lines} "
                                 f"{''.join(self.err.rest())}")
        event = json.loads(line)
        self.events.append(event)
        return event

    def wait_for(self, name, again=False, **fields):
        """The first event of that name with these fields behind the last one that was waited for,
        or with `again` of all."""
        deadline = time.monotonic() + PATIENCE
        at = 0 if again else self._at
        while True:
            while at < len(self.events):
                event = self.events[at]
                at += 1
                if event.get("event") == name and all(event.get(k) == v for k, v in fields.items()):
                    self._at = max(self._at, at)
                    return event
            self.next_event(deadline)

    def send(self, *operations):
        for one in operations:
            text = one if isinstance(one, str) else json.dumps(one)
            self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def close_input(self):
        self.process.stdin.close()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        code = self.process.wait(timeout=PATIENCE)
        for line in self.out.rest():
            pass
        self.events = [json.loads(line) for line in self.out.lines]
        self.err.rest()
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(timeout=PATIENCE)
        if self.process.stdin and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass

    @property
    def messages(self):
        return "".join(self.err.lines)


class Case(unittest.TestCase):
    """A test with a directory of its own; what it starts is ended with it."""

    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="waggle-cli-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.endpoint = None

    def start(self, *arguments, **options):
        process = Process(*arguments, cwd=self.directory, **options)
        self.addCleanup(process.end)
        return process

    def serve(self, *arguments, listen="tcp://127.0.0.1:0", config="", **options):
        """A coordinator that is ready; `endpoint` is its own from now on."""
        file = self.directory / "serve.toml"
        file.write_text('[timing]\nheartbeat = "200ms"\n' + config)
        if not any(a in ("--memory", "--data") for a in arguments):
            arguments = (*arguments, "--data", self.directory / "coordinator")
        process = self.start("serve", "--json", "--listen", listen, "--config", file, *arguments,
                             **options)
        process.ready = process.wait_for("ready")
        self.endpoint = process.ready["endpoint"]
        return process

    def agent(self, name, *arguments, **options):
        process = self.start("agent", "run", "--id", name, "--coordinator", self.endpoint,
                             *arguments, **options)
        process.wait_for("hello")
        return process

    def attached_agent(self, name, *arguments, **options):
        process = self.agent(name, *arguments, **options)
        process.wait_for("link", state="attached")
        return process

    def waggle(self, *arguments, input=None, env=None, coordinator=True, patient=False):
        """Runs one command to its end; `patient`: it must succeed, on however slow a machine."""
        where = {"WAGGLE_COORDINATOR": self.endpoint} if coordinator and self.endpoint else {}
        if patient:
            where["WAGGLE_TIMEOUT"] = f"{int(PATIENCE) - 5}s"
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)], cwd=self.directory, input=data or b"",
            env=env or environment(HOME=self.directory, **where), capture_output=True,
            timeout=PATIENCE)
        done.bytes = done.stdout
        done.stdout = done.stdout.decode(errors="replace")
        done.stderr = done.stderr.decode(errors="replace")
        return done

    def expect(self, code, *arguments, **options):
        quick = arguments[:1] in [("state",), ("delta",), ("status",), ("agent",)]
        done = self.waggle(*arguments, patient=code == 0 and quick, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def out(self, *arguments, **options):
        return self.expect(0, *arguments, **options).stdout

    def json(self, *arguments, code=0, **options):
        return json.loads(self.expect(code, *arguments, "--json", **options).stdout)

    def until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"not in time: {what}")
            time.sleep(0.02)


def main():
    unittest.main(verbosity=2)
