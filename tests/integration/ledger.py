"""What a test asked for and what came of it, kept beside the program that is tested.

`Ledger` knows each write by its number (incarnation, seq), over the lives of an agent: one that was
killed may leave writes whose outcome a later process of it tells. `Readings` collects what readers
were shown and finds what can't be of one history.
"""


class Write:
    def __init__(self, life, name, kind, **what):
        self.life = life
        self.name = name
        self.kind = kind
        self.what = what
        self.number = len(life.writes) + 1  # seqs are counted from 1, in the order of the input
        self.queued = False
        self.outcome = None

    @property
    def committed(self):
        return self.outcome is not None and self.outcome["ok"]

    @property
    def open(self):
        return self.outcome is None

    def __repr__(self):
        return (f"{self.kind} {self.name} {self.what} of {self.life.agent}, seq {self.number} of "
                f"{self.life.incarnation}, queued {self.queued}, outcome {self.outcome}")


class Life:
    """One process of an agent."""

    def __init__(self, agent):
        self.agent = agent
        self.incarnation = None
        self.writes = []
        self.killed = False  # output may be lost

    def unsettled(self):
        return sum(1 for write in self.writes if write.open)


class Ledger:
    def __init__(self):
        self.lives = []
        self.named = {}

    def new_life(self, agent):
        self.lives.append(Life(agent))
        return self.lives[-1]

    def write(self, life, name, kind, **what):
        write = Write(life, name, kind, **what)
        life.writes.append(write)
        self.named[name] = write
        return write

    def writes(self, kind=None):
        return [w for life in self.lives for w in life.writes if kind in (None, w.kind)]

    def on_queued(self, life, event):
        write = self.named[event["id"]]
        life.incarnation = life.incarnation or event["incarnation"]
        check(write.life is life and not write.queued, "queued once, by whom it was asked", write)
        check((event["incarnation"], event["seq"]) == (life.incarnation, write.number),
              "numbered in the order of the input", (write, event))
        write.queued = True

    def on_settled(self, life, event):
        """The write, settled now."""
        write = self._settled_write(life, event)
        check(write.open, "settled only once", (write, event))
        check(event["code"] in ("committed", "conflict", "parked", "rejected"), "a final outcome",
              (write, event))
        write.outcome = event
        return write

    def _settled_write(self, life, event):
        number = (event["incarnation"], event["seq"])
        if not event.get("earlier"):
            write = self.named[event["id"]]
            check(write.queued and number == (life.incarnation, write.number),
                  "settled under the number it was queued with", (write, event))
            return write
        of = [one for one in self.lives
              if one.agent == life.agent and one.incarnation == event["incarnation"]]
        check(len(of) == 1 and of[0] is not life, "of an earlier life of this agent", event)
        check(event["seq"] <= len(of[0].writes), "a write that was asked for", event)
        return of[0].writes[event["seq"] - 1]


class Readings:
    def __init__(self):
        self._values = {}   # (key, version) -> what it was
        self._cursors = {}  # reader -> (epoch, revision)

    def value(self, reader, record):
        """A committed record: one version of a key is the same for everybody."""
        what = None if record.get("deleted") else record["value"]
        at = (record["key"], record["version"])
        known, who = self._values.setdefault(at, (what, reader))
        check(known == what, f"{at} is one value for everybody",
              f"{who} saw {known!r}, {reader} {what!r}")

    def known(self, key, version):
        return self._values.get((key, version), (None, None))[0]

    def cursor(self, reader, text):
        """A reader never goes back within an epoch. Returns the revision."""
        epoch, revision = text.split("@")
        revision = int(revision)
        before_epoch, before = self._cursors.get(reader, (epoch, 0))
        check(epoch != before_epoch or revision >= before, f"{reader} never goes back",
              f"from {before_epoch}@{before} to {text}")
        self._cursors[reader] = (epoch, revision)
        return revision

    @property
    def count(self):
        return len(self._values)


def check(holds, rule, found):
    if not holds:
        raise AssertionError(f"{rule}: {found}")
