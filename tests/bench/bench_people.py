"""People: 100,000 faces grouped from nothing, one face added to them, and how many pairs came out right.

The vectors are made up as the face model's lie: two of one person have a cosine of about 0.57, two of different
persons of about 0.02, and as spread as those of real faces. Few people are in most photos.
"""

import json
import os
import struct
from uuid import UUID, uuid5

import numpy as np
import psycopg
from numpy.typing import NDArray

from tests.bench.bar import Bar
from tests.bench.installation import Installation, installed

Floats = NDArray[np.float32]

FACES = int(os.environ.get("FILMROLL_BENCH_FACES", "100000"))
_PEOPLE, _ADDED, _PAIRS = FACES // 5, 200, 400_000
_NUMBERS, _WITHIN, _BETWEEN = 256, 0.57, 0.02
# So many of the numbers really tell people apart; the rest are near zero, as in the model.
_TELLING, _REST = 100, 0.05
_OWNER = UUID(int=7)
_MODEL = "made up 1"
_LIBRARY = """
INSERT INTO library
    (id, name, root, owner_id, added_at, removed, ignore_rules, watching, write_sidecars, analyses_off)
VALUES (%(owner)s, 'Bench', '/bench', %(owner)s, now(), false, '[]', true, false, '[]')
"""
_PHOTOS = """
INSERT INTO photo (
    id, library_id, sha256, kind, media, mime, name, folder_id, path, size, missing, hidden, revision,
    preview_state, taken_local, taken_offset, taken_source, thumbhash, method, camera, lens, favourite, said,
    facts, notes, labels_model, imported_at)
SELECT DISTINCT
    photo_id, %(owner)s::uuid, '', 'jpeg', 'image', 'image/jpeg', 'one.jpg', %(owner)s::uuid, 'one.jpg', 1, false,
    '', 'r1', 'ready', '2024-01-01'::timestamp, '', '', '', '', '', '', false, '{}'::jsonb, '{}'::jsonb,
    '[]'::jsonb, '', now()
  FROM core_face_vector
"""
_ROWS = """
INSERT INTO face (id, photo_id, box, size, worth, clear, model, current, words, by_hand, former)
SELECT face, photo_id, '[0.4, 0.4, 0.6, 0.6]', 150, 0.5 + (hashtext(face::text) %% 1000) / 3000.0, true, model,
       true, '[]', false, '{}'
  FROM core_face_vector
"""
_GROUP = """
import django; django.setup()
import json, resource, sys, time
from uuid import UUID
from workers.regrouping import regroup_all
begun = time.perf_counter()
people = regroup_all(UUID(int=7))
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
from workers import children
children.stop()
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = sum(one.ru_utime + one.ru_stime for one in used)
print(json.dumps({"people": people, "seconds": time.perf_counter() - begun, "cpu": cpu}))
"""
_ADD = """
import django; django.setup()
import json, sys, time
from uuid import UUID
from workers.grouping import group_photo
times, cpu = [], []
for photo in json.loads(sys.stdin.readline()):
    begun, used = time.perf_counter(), time.process_time()
    group_photo(UUID(photo))
    times.append(time.perf_counter() - begun)
    cpu.append(time.process_time() - used)
print(json.dumps({"times": times, "cpu": cpu}))
"""


def run() -> list[Bar]:
    """The bars of people."""
    vectors, who, photo = _faces(FACES + _ADDED)
    with installed() as made:
        made.rows(_LIBRARY.replace("%(owner)s", f"'{_OWNER}'"))
        _copy(made, vectors[:FACES], photo[:FACES], 0)
        _fill(made)
        before = made.cpu_seconds()
        told = json.loads(made.python(_GROUP).splitlines()[-1])
        cpu = told["cpu"] + made.cpu_seconds() - before
        joined, apart = _right(made, who[:FACES])
        print(
            f"  {FACES:,} faces of {len(set(who)):,} people from nothing: {told['people']:,} groups in "
            f"{told['seconds']:.0f} s, {cpu:.0f} s of processor time; of pairs of one person {joined:.2%} are "
            f"together, of two people {apart:.4%} apart",
            flush=True,
        )
        added = _add(made, vectors[FACES:], photo[FACES:])
        # The server does most of it; what it takes stands beside the clock, which others on the machine disturb.
        return [
            Bar("people-from-nothing", round(cpu / 60, 2), "<=", 5, "min of processor time"),
            Bar("people-joined", round(joined, 4), ">=", 0.95),
            Bar("people-apart", round(apart, 6), ">=", 0.999),
            Bar("people-add-one", round(added, 1), "<=", 50, "ms of processor time"),
        ]


def _fill(made: Installation) -> None:
    made.rows(_PHOTOS.replace("%(owner)s", f"'{_OWNER}'"))
    made.rows(_ROWS.replace("%%", "%"))
    made.rows("VACUUM ANALYZE face, core_face_vector, photo")


def _add(made: Installation, vectors: Floats, photo: NDArray[np.int64]) -> float:
    """Milliseconds of processor time that one more face takes, in this program and in the server."""
    _copy(made, vectors, photo, FACES)
    new = made.rows("SELECT face, photo_id FROM core_face_vector AS v WHERE face NOT IN (SELECT id FROM face)")
    made.rows(
        _PHOTOS.replace("%(owner)s", f"'{_OWNER}'") + " WHERE photo_id NOT IN (SELECT id FROM photo)",
    )
    made.rows(_ROWS.replace("%%", "%") + " WHERE face NOT IN (SELECT id FROM face)")
    made.rows("VACUUM ANALYZE")
    made.rows("CHECKPOINT")
    before = made.cpu_seconds()
    told = json.loads(made.python(_ADD, json.dumps([str(row[1]) for row in new])).splitlines()[-1])
    server = made.cpu_seconds() - before
    times = sorted(1000 * one for one in told["times"][10:])
    used = 1000 * (sum(told["cpu"]) + server) / len(new)
    print(
        f"  one face to {FACES:,}: {used:.0f} ms of processor time; by the clock median "
        f"{times[len(times) // 2]:.0f} ms, p95 {times[len(times) * 95 // 100]:.0f} ms",
        flush=True,
    )
    return used


def _right(made: Installation, who: NDArray[np.int64]) -> tuple[float, float]:
    """Of random pairs: of one person together, of two people apart."""
    group = dict(made.rows("SELECT id, person_id FROM face"))
    found = [group[_face(at)] for at in range(len(who))]
    chance = np.random.default_rng(11)
    sets = {}
    for at, person in enumerate(who.tolist()):
        sets.setdefault(person, []).append(at)
    several = [members for members in sets.values() if len(members) > 1]
    # Each person counts by their pairs: whoever is in most photos has most of them.
    weights = np.array([len(one) * (len(one) - 1) for one in several], float)
    chosen = chance.choice(len(several), _PAIRS // 4, p=weights / weights.sum())
    same = [chance.choice(several[at], 2, replace=False) for at in chosen]
    together = [found[one] is not None and found[one] == found[other] for one, other in same]
    pairs = [pair for pair in chance.integers(0, len(who), (_PAIRS, 2)) if who[pair[0]] != who[pair[1]]]
    apart = [found[one] is None or found[one] != found[other] for one, other in pairs]
    return float(np.mean(together)), float(np.mean(apart))


def _faces(count: int) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Unit vectors, whose each is, and the number of its photo: nobody is in a photo twice."""
    chance = np.random.default_rng(5)
    scale = np.where(np.arange(_NUMBERS) < _TELLING, 1, _REST).astype(np.float32)
    people = _unit(chance.standard_normal((_PEOPLE, _NUMBERS), np.float32) * scale)
    common = _unit(chance.standard_normal((1, _NUMBERS), np.float32) * scale)
    people = _unit((1 - _BETWEEN) ** 0.5 * people + _BETWEEN**0.5 * common)
    often = 1 / np.arange(1, _PEOPLE + 1) ** 0.9
    who = chance.choice(_PEOPLE, count, p=often / often.sum())
    within = np.clip(chance.normal(_WITHIN, 0.08, (count, 1)), 0.3, 0.85).astype(np.float32)
    rest = _unit(chance.standard_normal((count, _NUMBERS), np.float32) * scale)
    photo = chance.integers(0, count, count)
    _, first = np.unique(photo * _PEOPLE + who, return_index=True)
    again = np.setdiff1d(np.arange(count), first)
    photo[again] = count + np.arange(len(again))
    return _unit(within**0.5 * people[who] + (1 - within) ** 0.5 * rest), who, photo


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _face(number: int) -> UUID:
    return uuid5(_OWNER, f"face {number}")


def _copy(made: Installation, vectors: Floats, photo: NDArray[np.int64], start: int) -> None:
    """Rows of vectors in PostgreSQL's own binary format."""
    header = struct.pack(">hh", _NUMBERS, 0)
    with psycopg.connect(made.url, autocommit=True) as connection, connection.cursor() as cursor:
        statement = "COPY core_face_vector (face, photo_id, model, vector) FROM STDIN (FORMAT binary)"
        with cursor.copy(statement) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for at, vector in enumerate(vectors.astype(">f4")):
                fields = (_face(start + at).bytes, uuid5(_OWNER, f"photo {photo[at]}").bytes, _MODEL.encode())
                row = [*fields, header + vector.tobytes()]
                copy.write(struct.pack(">h", 4) + b"".join(struct.pack(">i", len(one)) + one for one in row))
            copy.write(b"\xff\xff")
