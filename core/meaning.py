"""The numbers by which pictures and words compare: two tables of pgvector's, beside the events and never in them.

A model makes as many numbers as it likes, so the columns say no number; only rows of one model are compared. What
was asked for is kept with its numbers, so that the same words are looked for at once the next time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_OID, UUID, uuid5

import structlog
from django.db import DatabaseError, connection, models, transaction

from core import vectors
from core.vectors import Vector

# Told when a text has been described, or cannot be.
CHANNEL = "filmroll_meaning"
LONGEST = 200
# Texts that are kept; those asked for longest ago go.
KEPT = 2000
_log = structlog.get_logger(__name__)

# Inline, a picture's numbers are one page away; beside the row, where they would go, four.
_TABLES = """
CREATE TABLE IF NOT EXISTS core_photo_meaning (
    photo_id uuid NOT NULL, model text NOT NULL, vector halfvec NOT NULL, PRIMARY KEY (photo_id, model));
ALTER TABLE core_photo_meaning ALTER COLUMN vector SET STORAGE PLAIN;
CREATE TABLE IF NOT EXISTS core_text_meaning (
    id uuid PRIMARY KEY, text text NOT NULL, model text NOT NULL, trouble text NOT NULL,
    asked_at timestamptz NOT NULL, vector vector);
CREATE INDEX IF NOT EXISTS core_text_meaning_asked ON core_text_meaning (asked_at);
"""
_PUT_PHOTO = """
INSERT INTO core_photo_meaning (photo_id, model, vector) VALUES (%s, %s, %s::real[]::halfvec)
ON CONFLICT (photo_id, model) DO UPDATE SET vector = excluded.vector
"""
_ASK = """
INSERT INTO core_text_meaning (id, text, model, trouble, asked_at) VALUES (%s, %s, '', '', now())
ON CONFLICT (id) DO UPDATE SET asked_at = now(), trouble = ''
"""
_TEXT = "SELECT id, text, model, trouble, vector::real[] FROM core_text_meaning WHERE id = %s"
_PUT_TEXT = """
UPDATE core_text_meaning SET model = %s, trouble = '', vector = %s::real[]::vector WHERE id = %s
"""
_FORGET_OTHERS = "UPDATE core_text_meaning SET model = '', vector = NULL WHERE model NOT IN ('', %s)"
_FORGET_OLD = """
DELETE FROM core_text_meaning WHERE asked_at < (
    SELECT asked_at FROM core_text_meaning ORDER BY asked_at DESC OFFSET %s LIMIT 1)
"""


class NumbersField(models.Field):  # type: ignore[type-arg]
    """A column of pgvector's, of as many numbers as a model makes; read and written by this module's own SQL."""

    def __init__(self, half: bool = False, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.half = half

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        name, path, _, options = super().deconstruct()
        return name, path, [self.half], dict(options)

    def db_type(self, connection: object) -> str:  # noqa: ARG002  # Django's signature
        return "halfvec" if self.half else "vector"


class PhotoMeaning(models.Model):
    """A picture's numbers, of unit length, by one model in one version."""

    pk = models.CompositePrimaryKey("photo_id", "model")
    photo_id = models.UUIDField()
    model = models.TextField()
    vector = NumbersField(True)

    class Meta:
        db_table = "core_photo_meaning"


class TextMeaning(models.Model):
    """What somebody asked for; `trouble` says in plain words why it could not be described."""

    id = models.UUIDField(primary_key=True)
    text = models.TextField()
    model = models.TextField(default="")
    trouble = models.TextField(default="")
    asked_at = models.DateTimeField()
    vector = NumbersField(null=True)

    class Meta:
        db_table = "core_text_meaning"
        indexes = [models.Index("asked_at", name="core_text_meaning_asked")]


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it is compared, and its numbers by a model, once there are any."""

    id: UUID
    text: str
    model: str = ""
    trouble: str = ""
    vector: tuple[float, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be waited for."""
        return bool(self.vector or self.trouble)


_seen: set[str] = set()
_told: dict[str, str] = {}


def has_tables() -> bool:
    """Whether the tables are there. Once seen, they are not looked for again."""
    database = str(connection.settings_dict["NAME"])
    if database not in _seen:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('core_photo_meaning'), to_regclass('core_text_meaning')")
            if all(cursor.fetchone()):
                _seen.add(database)
    return database in _seen and vectors.has_vectors()


def make_tables() -> bool:
    """Make the tables where pgvector can be had and they are not there yet; whether they are there."""
    if has_tables():
        return True
    if not vectors.make_tables():
        return False
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TABLES)
    except DatabaseError as error:  # a pgvector from before halfvec
        _log.warning("this pgvector is too old to search by meaning", error=str(error).strip())
        return False
    return True


def put_photo(photo: UUID, model: str, vector: Vector) -> None:
    """Keep a picture's numbers, and none of before."""
    if not make_tables():
        return
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_photo_meaning WHERE photo_id = %s AND model <> %s", [photo, model])
        cursor.execute(_PUT_PHOTO, [photo, model, _plain(vector)])
    _only(model)


def forget_photo(photo: UUID) -> None:
    """Keep nothing of a picture any more."""
    if has_tables():
        PhotoMeaning.objects.filter(photo_id=photo).delete()


def without_numbers(photos: Sequence[UUID]) -> set[UUID]:
    """Of these photos those whose numbers are not kept; none where there are no tables: nothing could be."""
    if not photos or not has_tables():
        return set()
    return set(photos) - set(PhotoMeaning.objects.filter(photo_id__in=photos).values_list("photo_id", flat=True))


def plainly(text: str) -> str:
    """A text as it is compared: models care neither for capitals nor for how much space there is between words."""
    return " ".join(text.replace("\0", "").casefold().split())[:LONGEST]


def ask(text: str) -> Text:
    """The text with what is known of it; from now on it can be described."""
    plain = plainly(text)
    identity = uuid5(NAMESPACE_OID, f"filmroll text: {plain}")
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [identity, plain])
    return text_of(identity) or Text(identity, plain)


def text_of(identity: UUID) -> Text | None:
    """One that was asked for; None when that is so long ago that it was forgotten."""
    if not has_tables():
        return None
    with connection.cursor() as cursor:
        cursor.execute(_TEXT, [identity])
        row = cursor.fetchone()
    return None if row is None else Text(row[0], row[1], row[2], row[3], tuple(row[4] or ()))


def put_text(identity: UUID, model: str, vector: Sequence[float]) -> None:
    """Keep a text's numbers, tell those who wait for them, and let go of what nobody asked for in a long time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PUT_TEXT, [model, _plain(vector), identity])
        cursor.execute(_FORGET_OLD, [KEPT - 1])
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    _only(model)


def put_trouble(identity: UUID, reason: str) -> None:
    """Tell those who wait for a text that it cannot be described."""
    with transaction.atomic():
        TextMeaning.objects.filter(id=identity).update(trouble=reason)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def _only(model: str) -> None:
    """Another model is used from now on: what a former one made of a text would find nothing that is new."""
    database = str(connection.settings_dict["NAME"])
    if _told.get(database) != model:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET_OTHERS, [model])
        transaction.on_commit(lambda: _told.update({database: model}))


def _plain(vector: Vector) -> list[float]:
    return [float(number) for number in vector]
