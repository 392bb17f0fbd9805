"""Random schedules of writers that begin, append, use savepoints, prepare, commit, abort and die, step by step.

Everything happens in one thread, so a seed gives the same schedule again. A reader's own statements are steps
of the schedule too: writers go on between them.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from events.fence import safe_position
from tests.events.readers import NaiveReader, Reader, Verdict, append_by, interrupted, judge, recorded

Connect = Callable[[], psycopg.Connection]
Append = Callable[["Writer"], object]


def append_through_function(writer: "Writer") -> None:
    append_by(writer.connection, writer.stream, writer.chance.randint(1, 3))


@dataclass
class Writer:
    """One writer's session. Each has a stream of its own: in one thread nobody may wait for a lock."""

    connect: Connect
    chance: random.Random
    name: str
    append: Append
    killer: psycopg.Connection
    prepares: int = 1
    connection: psycopg.Connection = field(init=False)
    open: bool = False
    savepoints: int = 0
    prepared: list[str] = field(default_factory=list)
    count: int = 0
    drawn: int | None = None

    def __post_init__(self) -> None:
        self.connection = self.connect()

    @property
    def stream(self) -> str:
        # A prepared transaction still holds its stream's lock.
        return f"test-{self.name}-{self.count}"

    def step(self) -> None:
        """Do one thing that is possible now."""
        names, weights = zip(*self._possible(), strict=True)
        getattr(self, f"_{self.chance.choices(names, weights)[0]}")()

    def finish(self) -> None:
        """End what is open, one way or the other."""
        while self.prepared:
            self._decide()
        if self.open:
            self.chance.choice([self._commit, self._abort])()

    def _possible(self) -> list[tuple[str, int]]:
        possible = [("append", 6)]
        if self.prepared:
            possible.append(("decide", 4))
        if not self.open:
            return [*possible, ("begin", 6)]
        possible += [("commit", 4), ("abort", 2), ("savepoint", 2), ("die", 1)]
        if self.savepoints:
            possible += [("undo", 2), ("release", 1)]
        if self.prepares:
            possible.append(("prepare", self.prepares))
        return possible

    def _append(self) -> None:
        self.append(self)

    def _begin(self) -> None:
        self.connection.execute("BEGIN")
        self.open, self.savepoints = True, 0

    def _commit(self) -> None:
        self.connection.execute("COMMIT")
        self.open = False

    def _abort(self) -> None:
        self.connection.execute("ROLLBACK")
        self.open, self.drawn = False, None

    def _savepoint(self) -> None:
        self.savepoints += 1
        self.connection.execute(f"SAVEPOINT s{self.savepoints}")

    def _undo(self) -> None:
        self.connection.execute(f"ROLLBACK TO SAVEPOINT s{self.savepoints}")

    def _release(self) -> None:
        self.connection.execute(f"RELEASE SAVEPOINT s{self.savepoints}")
        self.savepoints -= 1

    def _prepare(self) -> None:
        self.count += 1
        gid = f"{self.name}-{self.count}"
        self.connection.execute(f"PREPARE TRANSACTION '{gid}'")
        self.prepared.append(gid)
        self.open = False

    def _decide(self) -> None:
        gid = self.prepared.pop(self.chance.randrange(len(self.prepared)))
        ending = self.chance.choice(["COMMIT", "COMMIT", "ROLLBACK"])
        self.killer.execute(f"{ending} PREPARED '{gid}'")

    def _die(self) -> None:
        # Without waiting for the end: to a reader it may come a moment later.
        self.killer.execute("SELECT pg_terminate_backend(%s)", [self.connection.info.backend_pid])
        self.connection.close()
        self.connection = self.connect()
        self.open, self.drawn = False, None


@dataclass(frozen=True)
class Played:
    """How a schedule ended."""

    fence: Verdict
    naive: Verdict
    events: int


def play(
    seed: int,
    connect: Connect,
    *,
    writers: int = 4,
    steps: int = 80,
    append: Append = append_through_function,
    reader: Callable[[int], Reader] = Reader,
    prepares: int = 1,
) -> Played:
    """Play the schedule of a seed from its first step to its last, with a fence reader and a naive one."""
    chance = random.Random(seed)
    # The name is new for each play: streams and prepared transactions outlive one.
    watcher = connect()
    everybody = [Writer(connect, chance, f"{seed}-{n}", append, watcher, prepares) for n in range(writers)]
    start = safe_position()
    fenced, naive = reader(start), NaiveReader(watcher, start)

    def go_on() -> None:
        for _ in range(chance.choice([0, 0, 1, 2])):
            chance.choice(everybody).step()

    with interrupted(go_on):
        for _ in range(steps):
            chance.choice(everybody).step()
            match chance.randrange(4):
                case 0:
                    fenced.read()
                case 1:
                    naive.read()
    for writer in everybody:
        writer.finish()
    safe_position(wait=10)
    fenced.read()
    naive.read()
    log = recorded(watcher, start)
    for connection in [watcher, *(writer.connection for writer in everybody)]:
        connection.close()
    return Played(judge(fenced.seen, log), judge(naive.seen, log), len(log))


def wrong(played: Sequence[Played]) -> Verdict:
    """What the fence readers of several schedules got wrong, together."""
    return Verdict(
        missed=sum(one.fence.missed for one in played),
        doubled=sum(one.fence.doubled for one in played),
        misordered=sum(one.fence.misordered for one in played),
    )
