"""The embedded database starts, stops, and gets over what a power cut leaves behind."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from core import database


@pytest.fixture
def no_database_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    tmp_path.chmod(0o755)
    return tmp_path


def test_a_cluster_left_behind_by_a_power_cut_starts_again(no_database_url: Path) -> None:
    with database.running(no_database_url):
        with psycopg.connect(database.conninfo(no_database_url)) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (1)")
        server = database.Embedded(no_database_url)
        subprocess.run(["pkill", "-9", "-f", str(server.cluster)], check=False)
    # What a power cut leaves: a pid file whose number now belongs to somebody else.
    pid_file = no_database_url / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join(["1", *lines[1:]]))
    with database.running(no_database_url), psycopg.connect(database.conninfo(no_database_url)) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_data_folder_with_a_long_path_still_gets_a_socket(no_database_url: Path) -> None:
    folder = no_database_url / ("d" * 100)
    folder.mkdir()
    with database.running(folder), psycopg.connect(database.conninfo(folder)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
