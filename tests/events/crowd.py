"""A program that keeps a crowd of writers busy, and kills one of them again and again.

    python crowd.py CONNINFO WRITERS SEED      until standard input ends; then it prints how many it has killed

The writers use savepoints, abort, prepare, share streams, and get over every loss of the server.
"""

import os
import random
import select
import signal
import sys
import time
from contextlib import suppress
from uuid import uuid4

import psycopg

APPEND = "SELECT count(*) FROM event_append(%s, NULL, %b::uuid[], %b::text[], %b::int[], %b::text[], '{}')"
BULK_COPY = """
    COPY pg_temp.event_incoming (number, stream_id, expected, ordinal, event_id, type, schema_version, data)
    FROM STDIN
"""


def write(conninfo: str, name: str, chance: random.Random) -> None:
    """Transactions without end."""
    number = 0
    while True:
        with suppress(psycopg.Error), connect(conninfo, name) as connection:
            # What the server's death has kept it from ending; it may need those streams again.
            decide(connection, name)
            while True:
                number += 1
                transact(connection, f"{name}-{number}", chance)
        time.sleep(0.05)


def connect(conninfo: str, name: str) -> psycopg.Connection:
    return psycopg.connect(conninfo, autocommit=True, application_name=name)


def transact(connection: psycopg.Connection, name: str, chance: random.Random) -> None:
    connection.execute("BEGIN")
    # One shared stream at most, and first: so nobody waits for each other in a circle.
    append(connection, f"crowd-{chance.randrange(30)}", chance)
    for number in range(chance.randrange(3)):
        kept = chance.random() < 0.6
        connection.execute("SAVEPOINT s")
        if chance.random() < 0.1:
            append_bulk(connection, f"crowd-{name}-{number}", chance)
        else:
            append(connection, f"crowd-{name}-{number}", chance)
        connection.execute("RELEASE SAVEPOINT s" if kept else "ROLLBACK TO SAVEPOINT s")
    if chance.random() < 0.05:
        time.sleep(chance.random() * 0.05)
    ending = chance.random()
    if ending < 0.15:
        connection.execute("ROLLBACK")
    elif ending < 0.2:
        connection.execute(f"PREPARE TRANSACTION '{name}'")
        connection.execute(f"{chance.choice(['COMMIT', 'ROLLBACK'])} PREPARED '{name}'")
    else:
        connection.execute("COMMIT")


def append(connection: psycopg.Connection, stream_id: str, chance: random.Random) -> None:
    count = chance.choice([1, 1, 1, 10, 100, 300])
    ids = [uuid4() for _ in range(count)]
    connection.execute(APPEND, [stream_id, ids, ["test.done"] * count, [1] * count, ['{"n": 1}'] * count])


def append_bulk(connection: psycopg.Connection, stream_id: str, chance: random.Random) -> None:
    """By COPY, several new streams at once."""
    connection.execute("SELECT event_bulk_open()")
    with connection.cursor().copy(BULK_COPY) as rows:
        for number in range(chance.randint(1, 20)):
            for ordinal in range(1, chance.randint(2, 20)):
                rows.write_row(
                    (number, f"{stream_id}-{number:02}", 0, ordinal, uuid4(), "test.done", 1, '{"n": 1}')
                )
    connection.execute("SELECT event_append_bulk('{}')")


def start(conninfo: str, name: str, seed: int) -> int:
    child = os.fork()
    if child:
        return child
    write(conninfo, name, random.Random(seed))
    os._exit(1)


def decide(connection: psycopg.Connection, name: str) -> None:
    """End what a writer has prepared."""
    prepared = "SELECT gid FROM pg_prepared_xacts WHERE gid LIKE %s AND database = current_database()"
    for (gid,) in connection.execute(prepared, [f"{name}-%"]).fetchall():
        connection.execute(f"COMMIT PREPARED '{gid}'")


def bury(conninfo: str, dead: set[str]) -> None:
    """End what killed writers had prepared: nobody else would, and it would hold all readers back."""
    sessions = "SELECT FROM pg_stat_activity WHERE application_name = %s"
    with connect(conninfo, "undertaker") as connection:
        for name in sorted(dead):
            if connection.execute(sessions, [name]).rowcount:
                # The server has not noticed yet, and may be preparing still.
                continue
            decide(connection, name)
            dead.discard(name)


def main(conninfo: str, writers: int, seed: int) -> None:
    chance = random.Random(seed)
    kills = 0
    names = iter(range(1_000_000))
    children: dict[str, int] = {}
    dead: set[str] = set()

    def add() -> None:
        name = f"w{next(names)}x"
        children[name] = start(conninfo, name, chance.getrandbits(32))

    def kill(name: str) -> None:
        child = children.pop(name)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        dead.add(name)

    for _ in range(writers):
        add()
    while not select.select([sys.stdin], [], [], chance.uniform(0.1, 0.4))[0]:
        kill(chance.choice(sorted(children)))
        kills += 1
        add()
        with suppress(psycopg.Error):
            bury(conninfo, dead)
    for name in sorted(children):
        kill(name)
    while dead:
        bury(conninfo, dead)
        time.sleep(0.02)
    print(kills, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
