"""More like this among a million photos: how soon, and how many of the true nearest are found.

Vectors are made up as those of photos lie: mixtures of a few hundred kinds of pictures, four shots of each scene,
never below zero. Photos are rows without files; three accounts may see 890,000, 100,000 and 10,000 of them.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from core.bits import BITS, bits_of
from core.means import mean_of
from tests.bench.bar import Bar
from tests.bench.installation import Installation, installed

Floats = NDArray[np.float32]

PHOTOS = int(os.environ.get("FILMROLL_BENCH_VECTORS", "1000000"))
_CHUNK, _SHOTS, _KINDS = 20_000, 4, 400
_ASKED, _TRUE, _TIMES = 40, 20, 200
_MODEL = "mobilenet-v1-embedding 1.0"
# Whose photos they are: the part of each library, its owner.
_SHARES = {"most": 0.89, "tenth": 0.10, "few": 0.01}
_MEAN = np.asarray(mean_of(_MODEL, 1024), np.float32)
_PHOTOS = """
INSERT INTO photo (
    id, library_id, sha256, kind, media, mime, name, folder_id, path, size, missing, hidden, revision,
    preview_state, taken_local, taken_offset, taken_source, thumbhash, method, camera, lens, favourite, said,
    facts, notes, labels_model, imported_at)
SELECT
    md5('photo ' || n)::uuid, %(library)s, md5(n::text), 'jpeg', 'image', 'image/jpeg', n || '.jpg', %(library)s,
    n || '.jpg', 1, false, '', 'r1', 'ready', '2024-01-01'::timestamp + n * interval '1 second',
    '', '', '', '', '', '', false, '{}', '{}', '[]', '', now()
FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""
_ANALYSED = """
INSERT INTO photo_analysis (photo_id, made, label_words, scene_words) SELECT id, %(made)s, '{}', '{}' FROM photo
"""
_ACCOUNTS = """
import django; django.setup()
import json, sys, uuid
from core.accounts import Account
from core.readmodels.libraries import Library
from django.utils import timezone
made = {}
for name in ("most", "tenth", "few"):
    account = Account.objects.create_user(name, password="x")
    library = uuid.uuid4()
    Library.objects.create(id=library, name=name, root=f"/{name}", owner_id=account.pk, added_at=timezone.now())
    made[name] = str(library)
print(json.dumps(made))
"""
_ASK = """
import django; django.setup()
import json, sys, time, psutil
from uuid import UUID
from core.accounts import Account
from core.readmodels.similar import similar_photos
asked = json.loads(sys.stdin.readline())
account = Account.objects.get(username="most")
before, started = psutil.Process().memory_info().rss, time.perf_counter()
similar_photos(account, UUID(asked["most"][0]))
told = {"first": time.perf_counter() - started, "memory": psutil.Process().memory_info().rss - before}
for name, photos in asked.items():
    account = Account.objects.get(username=name)
    found, times, busy = [], [], []
    for photo in photos:
        started, began = time.perf_counter(), time.process_time()
        seen = similar_photos(account, UUID(photo))
        times.append(time.perf_counter() - started)
        busy.append(time.process_time() - began)
        found.append([str(one.id) for one in seen.photos])
    told[name] = {"times": times, "found": found, "busy": sum(busy)}
print(json.dumps(told))
"""


def run() -> list[Bar]:
    """The bars of similar pictures."""
    with installed() as made:
        libraries = json.loads(made.python(_ACCOUNTS).splitlines()[-1])
        truth = _fill(made, libraries)
        for table in ("core_photo_code", "core_photo_vector"):
            size = made.value("SELECT pg_total_relation_size(%s)", table) / (1 << 20)
            print(f"  {table}: {size:,.0f} MiB", flush=True)
        return list(_bars(made, truth))


def _fill(made: Installation, libraries: dict[str, str]) -> dict[str, list[list[int]]]:
    """Everything but the index; and for the photos that are asked of, in each library, the true nearest there."""
    started = time.monotonic()
    for name, (first, last) in _ranges().items():
        made.bulk(_PHOTOS, {"library": libraries[name], "first": first, "last": last - 1})
    made.bulk(_ANALYSED, {"made": json.dumps({"similar": _MODEL})})
    print(f"  {PHOTOS:,} photos in {time.monotonic() - started:.0f} s", flush=True)
    started = time.monotonic()
    asked = {name: _asked(*bounds) for name, bounds in _ranges().items()}
    own = {name: _of(numbers) for name, numbers in asked.items()}
    nearest = {name: (np.zeros((_ASKED, 0), np.float32), np.zeros((_ASKED, 0), np.int64)) for name in asked}
    for start, vectors in _vectors():
        _copy(made, start, vectors, libraries)
        kept = _unit(vectors.astype(np.float16).astype(np.float32))
        for name, (first, last) in _ranges().items():
            inside = slice(max(0, first - start), max(0, min(len(kept), last - start)))
            alike = own[name] @ kept[inside].T
            numbers = np.broadcast_to(np.arange(start + inside.start, start + inside.stop), alike.shape)
            nearest[name] = _best(nearest[name], alike, numbers, np.asarray(asked[name]))
    made.rows("VACUUM ANALYZE photo, core_photo_code, core_photo_vector")
    print(f"  their vectors and bits in {time.monotonic() - started:.0f} s", flush=True)
    return {name: [[asked[name][at], *map(int, row)] for at, row in enumerate(nearest[name][1])] for name in asked}


def _best(
    before: tuple[Floats, NDArray[np.int64]], alike: Floats, numbers: NDArray[np.int64], own: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    both, who = np.concatenate([before[0], alike], 1), np.concatenate([before[1], numbers], 1)
    both = np.where(who == own[:, None], -2, both)
    order = np.argsort(-both, axis=1)[:, :_TRUE]
    return np.take_along_axis(both, order, 1), np.take_along_axis(who, order, 1)


def _bars(made: Installation, truth: dict[str, list[list[int]]]) -> Iterator[Bar]:
    chance = np.random.default_rng(3)
    wanted = {
        name: [_photo(row[0]) for row in truth[name]]
        + [_photo(int(number)) for number in chance.integers(*bounds, _TIMES - _ASKED)]
        for name, bounds in _ranges().items()
    }
    before = made.cpu_seconds()
    told = json.loads(made.python(_ASK, json.dumps(wanted)).splitlines()[-1])
    server = (made.cpu_seconds() - before) / len(_SHARES) / _TIMES * 1000
    own = sum(told[name]["busy"] for name in _SHARES) / len(_SHARES) / _TIMES * 1000
    print(
        f"  processor: {own:.0f} ms in the program, {server:.0f} ms in the database for each question", flush=True
    )
    memory = told["memory"] / (1 << 20)
    print(f"  the first answer of a process after {told['first']:.1f} s, {memory:.0f} MiB for it", flush=True)
    yield Bar("similar-first-seconds", round(told["first"], 2), "<=", 10, "s")
    for name, (first, last) in _ranges().items():
        times = [1000 * seconds for seconds in told[name]["times"]]
        p95 = quantiles(times, n=20)[18]
        recall = np.mean(
            [
                len({_photo(one) for one in row[1:]} & set(found[:_TRUE])) / _TRUE
                for row, found in zip(truth[name], told[name]["found"], strict=False)
            ]
        )
        fewest = min(map(len, told[name]["found"]))
        print(
            f"  {last - first:,} of {PHOTOS:,} may be seen: median {median(times):.0f} ms, p95 {p95:.0f} ms; "
            f"{recall:.1%} of the true {_TRUE} nearest; {fewest} photos at least",
            flush=True,
        )
        yield Bar(f"similar-{name}-p95", round(p95, 1), "<=", 100, "ms")
        yield Bar(f"similar-{name}-recall", round(float(recall), 3), ">=", 0.95)
        yield Bar(f"similar-{name}-found", fewest, ">=", 60)


# --- made-up vectors ----------------------------------------------------------------------------------------


def _ranges() -> dict[str, tuple[int, int]]:
    """The numbers of each library's photos: from, to."""
    edges = [0, *(round(PHOTOS * part) for part in np.cumsum(list(_SHARES.values())))]
    return {name: (edges[at], edges[at + 1]) for at, name in enumerate(_SHARES)}


def _asked(first: int, last: int) -> list[int]:
    return [int(number) for number in np.linspace(first, last - 1, _ASKED)]


def _of(numbers: list[int]) -> Floats:
    """What makes these differ, of length 1."""
    chunks = {at: _chunk(at) for at in sorted({number // _CHUNK for number in numbers})}
    return _unit(np.stack([chunks[number // _CHUNK][number % _CHUNK] for number in numbers]))


def _unit(vectors: Floats) -> Floats:
    rest = vectors - _MEAN
    return np.asarray(rest / np.linalg.norm(rest, axis=1, keepdims=True), np.float32)


def _vectors() -> Iterator[tuple[int, Floats]]:
    for at in range(-(-PHOTOS // _CHUNK)):
        yield at * _CHUNK, _chunk(at)[: PHOTOS - at * _CHUNK]


def _kinds() -> Floats:
    chance = np.random.default_rng(1)
    return np.maximum(chance.normal(_MEAN, 0.75, (_KINDS, 1024)), 0).astype(np.float32)


def _chunk(at: int) -> Floats:
    """Scenes beside one another in time, as they are imported, with their shots."""
    chance, kinds = np.random.default_rng([7, at]), _kinds()
    scenes = _CHUNK // _SHOTS
    weights = chance.dirichlet([0.6] * 4, scenes).astype(np.float32)
    mixed = np.einsum("sk,skd->sd", weights, kinds[chance.integers(0, _KINDS, (scenes, 4))])
    mixed += 0.26 * chance.standard_normal((scenes, 1024), np.float32)
    shots = np.repeat(mixed, _SHOTS, axis=0)
    return np.maximum(shots + 0.16 * chance.standard_normal(shots.shape, np.float32), 0)


def _photo(number: int) -> str:
    return str(UUID(hashlib.md5(f"photo {number}".encode(), usedforsecurity=False).hexdigest()))


_HEAD, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def _copy(made: Installation, start: int, vectors: Floats, libraries: dict[str, str]) -> None:
    """Both tables' rows in PostgreSQL's own binary format: a million in minutes."""
    model = _MODEL.encode()
    ids = np.frombuffer(b"".join(UUID(_photo(start + at)).bytes for at in range(len(vectors))), "V16")
    numbers = _rows(len(vectors), ("id", "V16"), ("model", f"S{len(model)}"), ("vector", "V2052"))
    numbers["id"], numbers["model"] = ids, model
    sent = np.zeros(len(vectors), [("length", ">i2"), ("unused", ">i2"), ("values", ">f2", 1024)])
    sent["length"], sent["values"] = 1024, vectors
    numbers["vector"] = sent.view("V2052").ravel()
    fields = (("id", "V16"), ("model", f"S{len(model)}"), ("library", "V16"), ("made", ">i2"), ("code", "V68"))
    rows = _rows(len(vectors), *fields)
    rows["id"], rows["model"], rows["made"] = ids, model, 1
    for name, (first, last) in _ranges().items():
        inside = slice(max(0, first - start), max(0, min(len(vectors), last - start)))
        rows["library"][inside] = np.frombuffer(UUID(libraries[name]).bytes, "V16")[0]
    bits = np.zeros(len(vectors), [("length", ">i4"), ("bits", "u1", 64)])
    bits["length"], bits["bits"] = BITS, np.packbits(bits_of(_MODEL, vectors), axis=1)
    rows["code"] = bits.view("V68").ravel()
    with psycopg.connect(made.url, autocommit=True) as connection, connection.cursor() as cursor:
        for table, block in (
            ("core_photo_vector (photo_id, model, vector)", numbers),
            ("core_photo_code (photo_id, model, library_id, made, code)", rows),
        ):
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(_HEAD + block.tobytes() + _END)


def _rows(count: int, *fields: tuple[str, str]) -> NDArray[Any]:
    """Rows as COPY wants them: how many fields, and each with its length before it."""
    parts: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in fields:
        parts += [(f"{name}_length", ">i4"), (name, kind)]
    made = np.zeros(count, parts)
    made["fields"] = len(fields)
    for name, kind in fields:
        made[f"{name}_length"] = np.dtype(kind).itemsize
    return made
