"""How soon a photo is seen: behind a backlog, and from a watched folder."""

import shutil
import time
from pathlib import Path
from statistics import median

from tests.bench import photoset
from tests.bench.bar import Bar
from tests.bench.installation import Installation, installed

_WAITING, _URGENT, _COPIED = 100_000, 5, 15
_SHOWN = "SELECT count(*) FROM photo WHERE preview_state = 'ready'"
# Import jobs of files that are known: each reads and hashes its file and finds nothing new.
_BACKLOG = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args)
SELECT 'files', 'import_file', 10, j.args
  FROM (SELECT args, row_number() OVER () AS number FROM procrastinate_jobs WHERE task_name = 'import_file') AS j
  JOIN generate_series(0, %s) AS n ON n %% (SELECT count(*) FROM procrastinate_jobs
                                            WHERE task_name = 'import_file') + 1 = j.number
"""


def run() -> list[Bar]:
    """The bars of waiting."""
    with installed() as filmroll, filmroll.started("web"), filmroll.started("worker"):
        with filmroll.started("watch"):
            bars = [_watched(filmroll)]
        # Without the watcher, which would find the urgent photos too and queue them behind the others.
        return [*bars, _behind_a_backlog(filmroll)]


def _watched(filmroll: Installation) -> Bar:
    """From the end of the copying to the tile, on an idle system."""
    folder, spare = filmroll.folder / "watched", filmroll.folder / "spare"
    photoset.make_small(folder, 4)
    filmroll.manage("import", str(folder))
    filmroll.until(_SHOWN, 4)
    time.sleep(2)  # until the watcher watches the new library
    waits = []
    for number, photo in enumerate(photoset.make_small(spare, _COPIED)):
        shutil.copyfile(photo, folder / f"new{number}.jpg")
        begun = time.perf_counter()
        filmroll.until(_SHOWN, 5 + number, every=0.002)
        waits.append(time.perf_counter() - begun)
        time.sleep(0.5)
    print(f"  copied → tile: {min(waits):.2f} to {max(waits):.2f} s, median {median(waits):.2f}")
    return Bar("import-watched-to-tile", round(median(waits), 3), "<=", 0.5, "s")


def _behind_a_backlog(filmroll: Installation) -> Bar:
    """From the queueing of an urgent photo to its tile, while the workers work on the rest."""
    filmroll.rows(_BACKLOG, _WAITING - 1)
    filmroll.rows("VACUUM ANALYZE procrastinate_jobs")
    urgent = photoset.make(filmroll.folder / "watched" / "urgent", _URGENT)
    waits = []
    for photo in urgent:
        shown = filmroll.value(_SHOWN)
        begun = time.perf_counter()
        _queue_first(filmroll, photo)
        filmroll.until(_SHOWN, shown + 1, every=0.005)
        waits.append(time.perf_counter() - begun)
    left = filmroll.value("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
    print(f"  behind {left:,} jobs → tile: {min(waits):.2f} to {max(waits):.2f} s")
    return Bar("import-urgent-to-tile", round(median(waits), 3), "<=", 2, "s")


def _queue_first(filmroll: Installation, photo: Path) -> None:
    """As an upload is queued: before what the machine found by itself."""
    filmroll.rows(
        """INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args)
           SELECT 'files', 'import_file', 60,
                  args || jsonb_build_object('path', %s::text, 'file', gen_random_uuid())
             FROM procrastinate_jobs WHERE task_name = 'import_file' LIMIT 1""",
        f"{photo.parent.name}/{photo.name}",
    )
