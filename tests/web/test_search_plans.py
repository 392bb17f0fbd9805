"""Searches among a hundred thousand photos: how many pages of the tables each of them reads."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from core.accounts import Account
from core.readmodels.filters import asked_in
from core.readmodels.found import found_photos
from core.readmodels.suggesting import suggestions

PHOTOS = 100_000
MOST_PAGES = 10_000
LIBRARY = UUID(int=7)
RARE, COMMON = UUID(int=1001), UUID(int=1002)
BY_HAND, BY_RULE = UUID(int=2001), UUID(int=2002)
FILL = f"""
INSERT INTO library (id, name, root, owner_id, added_at, removed, ignore_rules, watching, write_sidecars,
    analyses_off)
VALUES ('{LIBRARY}', 'Photos', '/p', %s, now(), false, '[]', false, false, '[]');
CREATE TEMP TABLE n AS SELECT i, md5(i::text)::uuid AS id FROM generate_series(1, {PHOTOS}) i;
INSERT INTO photo (id, library_id, sha256, kind, media, mime, name, folder_id, path, size, missing, hidden, width,
    height, taken_local, taken_offset, taken_source, preview_state, revision, tile_width, tile_height, thumbhash,
    method, camera, lens, favourite, said, facts, notes, labels_model, imported_at, latitude, longitude)
SELECT id, '{LIBRARY}', md5(i::text), 'jpeg', 'image', 'image/jpeg', 'IMG_' || i || '.jpg', '{LIBRARY}', i::text,
    1000, false, '', 6000, 4000, timestamp '2000-01-01' + i * interval '2 hours', '', 'exif', 'ready', 'r', 300,
    200, '', '', 'Canon', '', false, '{{}}', '{{}}', '[]', '', now(), 48, 2 FROM n;
INSERT INTO photo_words SELECT id, array_to_tsvector(array['img' || i, 'jpg', 'kind:image', 'kind:jpeg',
    'camera:' || CASE WHEN i %% 10 = 0 THEN 'leica' ELSE 'canon' END, 'word' || (i %% 5000),
    'keyword:k' || (i %% 100),
    'path:2021', 'path:folder' || (i %% 200),
    'day:' || to_char(timestamp '2000-01-01' + i * interval '2 hours', 'MM-DD'), 'stars:' || (i %% 6)]
    || CASE WHEN i %% 4380 < 36 THEN array['note:christmas'] ELSE '{{}}' END) FROM n;
INSERT INTO photo_exposure SELECT id, CASE WHEN i %% 2 = 0 THEN 2.8284 WHEN i %% 1000 = 1 THEN 0.95 ELSE 8 END,
    CASE WHEN i %% 500 = 1 THEN 30 ELSE 1.0 / (60 + i %% 200) END, 100 * 2 ^ (i %% 8), 24 + i %% 50 FROM n
    WHERE i %% 5 > 0;
INSERT INTO album (id, owner_id, name, rule, removed)
VALUES ('{BY_HAND}', %s, 'By hand', NULL, false), ('{BY_RULE}', %s, 'By rule', '[["label", "person"]]', false);
INSERT INTO album_photo SELECT '{BY_HAND}', id FROM n WHERE i %% 100 = 0;
INSERT INTO search_term SELECT md5('k' || i)::uuid, '{LIBRARY}', 'keyword', 'k' || i, 'k' || i, 'k' || i
FROM generate_series(0, 20000) i;
INSERT INTO photo_place (photo_id, latitude, longitude, asked, waiting, by_hand, sea, zone, country_id, city_id)
SELECT id, 48, 2, 1, false, false, false, '', '{COMMON}', CASE WHEN i %% 2000 = 0 THEN '{RARE}'::uuid END FROM n;
INSERT INTO place (id, name, kind) VALUES ('{COMMON}', 'France', 'country'), ('{RARE}', 'Nice', 'city');
INSERT INTO photo_analysis (photo_id, made, label_words, scene_words) SELECT id, '{{}}',
    CASE WHEN i %% 3 = 0 THEN array['person'] WHEN i %% 1000 = 1 THEN array['zebra', 'animal'] ELSE '{{}}' END,
    CASE WHEN i %% 50 = 0 THEN array['beach'] ELSE '{{}}' END FROM n;
DROP TABLE n;
"""
SEARCHES: dict[str, dict[str, list[str]]] = {
    "nothing but the kind, which all have": {"kind": ["image"]},
    "a camera of nine in ten": {"camera": ["canon"]},
    "one file name": {"q": ["img4711"]},
    "some twenty photos of a word": {"q": ["word77"]},
    "the beginning of all names": {"q": ["img"]},
    "nothing at all": {"q": ["nowhere"]},
    "a thing of every third": {"label": ["person"]},
    "a rare thing": {"label": ["zebra"]},
    "a place of all": {"place": [str(COMMON)]},
    "a rare place": {"place": [str(RARE)]},
    "a month long ago": {"date": ["2001-05"]},
    "every Christmas": {"date": ["christmas"]},
    "stars": {"rating": ["5"]},
    "several together": {"label": ["person"], "keyword": ["k7"], "place": [str(COMMON)], "rating": ["3"]},
    "several that exclude one another": {"label": ["zebra"], "scene": ["beach"]},
    "an aperture of every second": {"aperture": ["1.4..2.8"]},
    "a rare aperture": {"aperture": ["..1"]},
    "a long exposure": {"shutter": ["1.."]},
    "high ISO": {"iso": ["6400.."]},
    "short lenses wide open at low ISO": {"focal": ["24..35"], "aperture": ["2.8"], "iso": ["..200"]},
    "a focal length that none has": {"focal35": ["24"]},
    "a word of all paths": {"path": ["2021"]},
    "a folder": {"path": ["folder77 2021"]},
    "an album by hand": {"album": [str(BY_HAND)]},
    "an album by rule": {"album": [str(BY_RULE)], "rating": ["3"]},
    "no preview": {"state": ["no-preview"]},
    "something failed": {"state": ["failed"]},
}


@pytest.fixture
def many(owner: Account) -> Iterator[Account]:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [owner.pk] * 3)
        cursor.execute("ANALYZE")
    yield owner


def pages_read(found: QuerySet[Any]) -> int:
    sql, params = found.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}", params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    buffers = re.search(r"Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?", plan)
    return sum(int(pages) for pages in (buffers.groups() if buffers else ()) if pages)


@pytest.mark.slow
def test_no_search_reads_a_tenth_of_what_there_is(many: Account) -> None:
    """Looking at every photo and its words takes four pages each: 400,000."""
    read = {
        name: pages_read(found_photos(many, asked_in(given)).order_by("-taken_local", "-id")[:121])
        for name, given in SEARCHES.items()
    }

    assert {name: pages for name, pages in read.items() if pages > MOST_PAGES} == {}


@pytest.mark.slow
def test_suggestions_count_what_is_rare_and_know_what_is_common(many: Account) -> None:
    """Every hundredth photo has one of a hundred keywords, and none has any of the 19,900 others."""
    with CaptureQueriesContext(connection) as asked:
        told = [one for one in suggestions(many, "k") if one.filter == "keyword"]

    assert len(told) == 4
    assert all(800 <= (one.photos or 0) <= 1200 for one in told)
    assert len(asked) <= 20
