"""A TCP proxy that delays, stalls, cuts and resets what passes it.

It listens on another loopback address under the same ports as a coordinator, so that an agent that
dials it finds the broadcast socket behind it too.
"""

import selectors
import socket
import struct
import threading
import time

CHUNK = 16 << 10


class Pipe:
    """One direction of one connection."""

    def __init__(self, source, target, upwards):
        self.source, self.target, self.upwards = source, target, upwards
        self.held = []  # (when it may go on, bytes)

    def close(self, reset):
        for end in (self.source, self.target):
            if reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


class Proxy:
    """Passes everything on until it is told otherwise. One thread of its own."""

    def __init__(self, host, target_host, ports):
        self.delay = 0.0             # seconds that each piece waits
        self.stalled = set()         # of "up", "down": nothing passes, nothing is lost
        self.trickle = False         # a byte at a time
        self.refusing = False        # new connections are closed at once
        self.passed = 0
        self.connections = 0
        self._target_host = target_host
        self._selector = selectors.DefaultSelector()
        self._pipes = {}             # by source
        self._orders = []
        self._lock = threading.Lock()
        self._over = False
        for port in ports:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(64)
            listener.setblocking(False)
            self._selector.register(listener, selectors.EVENT_READ, port)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self, reset=False):
        """Ends every connection; who dials anew gets through."""
        with self._lock:
            self._orders.append(reset)

    def close(self):
        self._over = True
        self._thread.join(5)

    def _run(self):
        while not self._over:
            for key, _ in self._selector.select(0.005):
                if key.data is not None:
                    self._accept(key.fileobj, key.data)
                else:
                    self._read(key.fileobj)
            with self._lock:
                orders, self._orders = self._orders, []
            for reset in orders:
                for pipe in list(self._pipes.values()):
                    self._drop(pipe, reset)
            for pipe in list(self._pipes.values()):
                self._pass_on(pipe)
        for pipe in list(self._pipes.values()):
            self._drop(pipe, False)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _accept(self, listener, port):
        near, _ = listener.accept()
        if self.refusing:
            near.close()
            return
        try:
            far = socket.create_connection((self._target_host, port), timeout=2)
        except OSError:
            near.close()
            return
        self.connections += 1
        for source, target, upwards in ((near, far, True), (far, near, False)):
            source.setblocking(False)
            self._pipes[source] = Pipe(source, target, upwards)
            self._selector.register(source, selectors.EVENT_READ, None)

    def _read(self, source):
        pipe = self._pipes.get(source)
        if pipe is None:
            return
        # What is stalled stays in the kernel, so that the sender feels it.
        if ("up" if pipe.upwards else "down") in self.stalled or len(pipe.held) > 64:
            time.sleep(0.001)
            return
        try:
            data = source.recv(1 if self.trickle else CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(pipe, False)
            return
        pipe.held.append((time.monotonic() + self.delay, data))

    def _pass_on(self, pipe):
        while pipe.source in self._pipes and pipe.held and pipe.held[0][0] <= time.monotonic():
            when, data = pipe.held[0]
            try:
                sent = pipe.target.send(data)
            except BlockingIOError:
                return
            except OSError:
                self._drop(pipe, False)
                return
            self.passed += sent
            if sent < len(data):
                pipe.held[0] = (when, data[sent:])
                return
            pipe.held.pop(0)

    def _drop(self, pipe, reset):
        """Both directions of its connection."""
        if pipe.source not in self._pipes:
            return
        for end in (pipe.source, pipe.target):
            if self._pipes.pop(end, None) is not None:
                self._selector.unregister(end)
        pipe.close(reset)
