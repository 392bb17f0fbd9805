"""What a rescan of unchanged files costs beside `find`, the least that any program must do."""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from uuid import UUID

from tests.bench.bar import Bar
from tests.bench.bench_jobs import _databases, _environment

_FILES, _PER_FOLDER, _ROUNDS = 100_000, 500, 5


def run() -> list[Bar]:
    """Both in turns over the same files; the files are known, as after an import."""
    with tempfile.TemporaryDirectory(prefix="filmroll-rescan-") as name, _databases() as (url, _):
        root = Path(name) / "photos"
        _make(root)
        command = ["python", "-m", "tests.bench.bench_rescan", str(root)]
        env = {**_environment(url), "DJANGO_SETTINGS_MODULE": "core.settings"}
        subprocess.run(["python", "manage.py", "migrate", "--verbosity", "0"], check=True, env=env)
        told = subprocess.run(command, check=True, env=env, capture_output=True, text=True).stdout
    scan, find = (float(word) for word in told.split()[-2:])
    print(f"  {_FILES:,} unchanged files: a rescan takes {scan:.2f} s, find {find:.2f} s")
    return [Bar("rescan-unchanged-to-find", round(scan / find, 2), "<=", 3, "x")]


def _make(root: Path) -> None:
    for number in range(_FILES):
        folder = root / f"{2000 + number // 20_000}" / f"{number // _PER_FOLDER:04}"
        if number % _PER_FOLDER == 0:
            folder.mkdir(parents=True)
        (folder / f"IMG_{number:06}.jpg").write_bytes(b"x" * (number % 7))


def _measure(root: Path) -> None:
    """In a process of its own, with Django: register the files as known, then scan and find in turns."""
    import django

    django.setup()
    from core.commands.libraries import add_library
    from core.domain.files import file_id
    from core.readmodels.files import FileState, PhotoFile
    from core.readmodels.libraries import library_by_id
    from workers.ignoring import Rules
    from workers.scan import scan_folders, walk_files

    library = add_library(root, actor="bench")
    rows = [
        PhotoFile(
            id=file_id(library, path),
            library_id=library,
            folder_id=library,
            photo_id=UUID(int=number),
            path=path,
            size=size,
            mtime_ns=mtime_ns,
            state=FileState.INDEXED,
        )
        for number, (path, size, mtime_ns) in enumerate(walk_files(root, Rules([]), []))
    ]
    PhotoFile.objects.bulk_create(rows, batch_size=5000)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE photo_file")
    known = library_by_id(library)
    scan_folders(known)
    times = [(_time(lambda: _checked(scan_folders(known))), _time(lambda: _find(root))) for _ in range(_ROUNDS)]
    print(median(scan for scan, _ in times), median(find for _, find in times))


def _checked(told: dict[str, object]) -> None:
    if (told["files"], told["queued"], told["missing"]) != (_FILES, 0, 0):
        raise RuntimeError(f"this was no rescan of unchanged files: {told}")


def _find(root: Path) -> None:
    # Into a pipe that is read, as a program that wants the answer does.
    subprocess.run(["find", os.fspath(root), "-printf", "%s %T@ %p\n"], check=True, stdout=subprocess.PIPE)


def _time(act) -> float:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    import sys

    _measure(Path(sys.argv[1]))
