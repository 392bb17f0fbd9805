"""How soon a small photo that is copied into a watched folder has its tile, on an idle installation."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psycopg
from PIL import Image

from tests.bench.bar import Bar
from tests.bench.bench_jobs import _databases, _environment

_PHOTOS, _SECONDS = 25, 60
_READY = "SELECT count(*) FROM photo WHERE preview_state = 'ready'"


def run() -> list[Bar]:
    """One photo after the other, each written as `cp` writes it."""
    with tempfile.TemporaryDirectory(prefix="filmroll-watch-") as name, _databases() as (url, _):
        folder = Path(name)
        waits = sorted(_waits(folder, url))
    print(f"  a copied photo has its tile after {median(waits):.3f} s at the median, {waits[-1]:.3f} s at most")
    return [Bar("watch-copied-to-tile-p50", round(median(waits), 3), "<=", 0.5, "s")]


def _waits(folder: Path, url: str) -> list[float]:
    photos = folder / "photos"
    photos.mkdir()
    env = {
        **_environment(url),
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "FILMROLL_DATA_DIR": str(folder / "data"),
    }
    for command in (["migrate", "--verbosity", "0"], ["import", str(photos)]):
        subprocess.run([sys.executable, "manage.py", *command], check=True, env=env, stdout=subprocess.DEVNULL)
    with psycopg.connect(url, autocommit=True) as database, _running(env, "worker"), _running(env, "watch"):
        _until(database, "SELECT count(*) FROM library_folder WHERE device IS NOT NULL", 1)
        _until(database, "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')", 0)
        return [_wait(database, photos, number) for number in range(_PHOTOS + 1)][1:]


def _wait(database: psycopg.Connection, photos: Path, number: int) -> float:
    made = io.BytesIO()
    Image.effect_noise((800, 600), 60).convert("RGB").save(made, "JPEG", quality=85)
    started = time.monotonic()
    (photos / f"{number}.jpg").write_bytes(made.getvalue())
    _until(database, _READY, number + 1)
    took = time.monotonic() - started
    time.sleep(0.3)  # idle again
    return took


def _until(database: psycopg.Connection, query: str, expected: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while database.execute(query).fetchone() != (expected,):  # type: ignore[call-overload]
        if time.monotonic() > deadline:
            raise RuntimeError(f"not in {_SECONDS} s: {query}")
        time.sleep(0.005)


@contextlib.contextmanager
def _running(env: dict[str, str], command: str) -> Iterator[None]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, os.fspath("manage.py"), command], env=env, **quiet) as process:  # type: ignore[call-overload]
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
