"""Writers that abort and are killed, on a server that dies: a million events, and none is missed or doubled."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, connection

from core import database
from tests.events.elsewhere import admin, new_server
from tests.events.following import until
from tests.events.readers import NaiveReader, Reader, Verdict, judge, recorded
from tests.events.test_faults import conninfo

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = Path(__file__).with_name("crowd.py")


class Observed:
    """A fence reader and a naive one, that get over every loss of the server."""

    def __init__(self) -> None:
        self.fenced = Reader(0, limit=5_000)
        self.naive = NaiveReader(admin(), 0)

    def read(self) -> bool:
        """Whether the server answered both."""
        try:
            self.fenced.read()
            self.naive.read()
        except (DatabaseError, psycopg.Error):
            connection.close()
            self.naive.connection.close()
            try:
                self.naive.connection = admin()
            except psycopg.Error:
                time.sleep(0.05)
            return False
        return True


def crash(server: database.Embedded) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait(20)
    # When its children have noticed.
    server.have_running()


@pytest.mark.parametrize(
    ("events", "crashes"),
    [
        pytest.param(2_000, 1, marks=pytest.mark.slow),
        pytest.param(1_000_000, 5, marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
)
def test_a_crowd_of_dying_writers_on_a_dying_server_is_read_with_nothing_missed_or_doubled(
    events: int, crashes: int, tmp_path: Path
) -> None:
    with new_server(tmp_path, max_prepared_transactions="20") as server:
        observed = Observed()
        command = [sys.executable, str(CROWD), conninfo(), "6", "1"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
            assert crowd.stdin is not None and crowd.stdout is not None
            try:
                for crashed in range(1, crashes + 2):
                    while len(observed.fenced.seen) < events * crashed / (crashes + 1):
                        observed.read()
                    if crashed <= crashes:
                        crash(server)
            finally:
                crowd.stdin.close()
                kills = int(crowd.stdout.read() or -1)
        with admin() as watcher:
            last = watcher.execute("SELECT max(position) FROM event").fetchone()
            until(lambda: observed.read() and observed.fenced.checkpoint >= last[0], 60)
            log = recorded(watcher)
        observed.naive.connection.close()
    verdict, control = judge(observed.fenced.seen, log), judge(observed.naive.seen, log)
    print(f"{len(log):,} events of {last[0]:,} positions, {kills} writers killed, {crashes} crashes of the server")
    print(f"by the fence: {verdict}; by the naive reader: {control}")
    assert verdict == Verdict(missed=0, doubled=0, misordered=0)
    assert len(log) >= events and kills > 0
    assert control.missed > 0, "there was something to miss"
