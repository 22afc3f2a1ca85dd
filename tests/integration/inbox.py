"""The events of many processes in one queue, in the order in which they were read.

A test that drives several agents can't wait for one of them: it takes what comes next from anybody.
Bounded by what the processes print; each process has one reading thread, which ends with it.
"""

import json
import pathlib
import queue
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import program  # the real program with real processes

LONG = 3600.0  # seconds; longer than any test


class Inbox:
    def __init__(self):
        self._queue = queue.Queue()

    def follow(self, process):
        threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def _read(self, process):
        while (line := process.out.next(time.monotonic() + LONG)) is not None:
            if line.endswith("\n"):  # a killed process may leave a part of a line
                self._queue.put((process, json.loads(line)))
        self._queue.put((process, None))

    def take(self, seconds):
        """(process, event), with the event None at the end of its output; None: nothing came."""
        try:
            return self._queue.get(timeout=seconds) if seconds > 0 else self._queue.get_nowait()
        except queue.Empty:
            return None
