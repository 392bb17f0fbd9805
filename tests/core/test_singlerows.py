"""Single rows come and go as with Django itself, inside the same transaction, whatever their columns hold."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, models, transaction

from core import singlerows
from core.readmodels.duplicates import Look
from core.readmodels.failures import Failure
from core.readmodels.files import FileState, PhotoFile
from core.readmodels.libraries import Folder, Library
from core.readmodels.looks import Looked, PhotoColour, PhotoStyle
from core.readmodels.photos import Photo
from core.readmodels.places import PhotoPlace, Place
from core.readmodels.searching import PhotoExposure, PhotoWords, SearchTerm
from core.readmodels.stacks import StackMember

pytestmark = pytest.mark.django_db

FAILED = FileState.FAILED
NOW = datetime(2026, 7, 3, 4, 5, 6, 789, tzinfo=UTC)


def rows() -> list[models.Model]:
    """One of each table, with what is hard to keep: lists, objects, wall times, moments, other scripts."""
    one, two = uuid4(), uuid4()
    return [
        Photo(
            id=one,
            library_id=two,
            sha256="a" * 64,
            kind="jpeg",
            media="image",
            mime="image/jpeg",
            name='Grüße \'n "Küsse" 🌅 %s.jpg',
            folder_id=two,
            path="Ordner/%s\\x.jpg",
            size=2**40,
            taken_local=datetime(1601, 1, 1, 0, 0, 0, 123000),
            latitude=-0.1,
            said={"user": {"title": "ключ", "n": [1, None, 2.5]}},
            facts={"keywords": {"value": ["a", "b'"], "source": "user"}},
            notes=["one", "two"],
            labels=None,
            imported_at=NOW,
        ),
        PhotoFile(
            id=one,
            library_id=two,
            folder_id=two,
            photo_id=None,
            path="x",
            size=0,
            mtime_ns=-(2**62),
            state="failed",
        ),
        Library(id=one, name="Fotos", root="/x", added_at=NOW, ignore_rules=["*.tmp"], analyses_off=["faces"]),
        Folder(id=one, library_id=two, root="/y", added_at=NOW, offline_since=NOW),
        Look(photo_id=one, scope="s", likeness="0f" * 24, pieces=[-(2**31), 0, 2**31 - 1]),
        Look(photo_id=two, scope="s", likeness="0f" * 24, pieces=[]),
        Looked(photo_id=one, model="pixels", model_version="1", colours=True),
        StackMember(photo_id=one, stack_id=two, rule="names"),
        PhotoPlace(photo_id=one, latitude=1.5, longitude=-2.5, asked=7, waiting=False, found={"country": "Å"}),
        Place(id=one, parent_id=None, kind="country", name="Österreich"),
        PhotoExposure(photo_id=one, aperture=2.8, iso=100),
        SearchTerm(id=one, library_id=two, kind="lens", text="50 mm", plain="50 mm", value="50 mm"),
        Failure(id=one, library_id=two, folder_id=two, failed_at=NOW, job=2**40),
    ]


@pytest.mark.parametrize("row", rows(), ids=lambda row: type(row).__name__)
def test_a_row_that_is_added_is_found_as_django_finds_it(row: models.Model) -> None:
    model = type(row)
    assert singlerows.find(model, row.pk) is None
    singlerows.add(row)

    stored, found = model._default_manager.get(pk=row.pk), singlerows.find(model, row.pk)
    assert found is not None
    for field in model._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(stored, field.attname) == getattr(row, field.attname)
        assert singlerows.one_value(model, row.pk, field.attname) == getattr(row, field.attname)
        assert type(getattr(found, field.attname)) is type(getattr(stored, field.attname))
    assert not found._state.adding
    assert found == stored

    singlerows.remove(model, row.pk)
    assert not model._default_manager.filter(pk=row.pk).exists()
    assert singlerows.one_value(model, row.pk, model._meta.concrete_fields[0].attname) is None


def test_a_row_is_put_in_place_of_another_one_whole_or_in_part() -> None:
    one, two = uuid4(), uuid4()
    file = {
        "library_id": two,
        "folder_id": two,
        "size": 1,
        "mtime_ns": 1,
        "state": FileState.INDEXED,
        "kind": "png",
    }
    singlerows.put(PhotoFile(id=one, path="a", name="kept", **file))
    singlerows.put(PhotoFile(id=one, path="b", name="other", **{**file, "size": 5}), "path", "size")
    assert PhotoFile.objects.values_list("path", "name", "size").get(id=one) == ("b", "kept", 5)
    singlerows.put(PhotoFile(id=one, path="c", name="new", **file))
    assert PhotoFile.objects.values_list("path", "name", "size").get(id=one) == ("c", "new", 1)


def test_all_rows_of_one_value_are_found() -> None:
    photo, other = uuid4(), uuid4()
    file = {"library_id": other, "folder_id": other, "size": 1, "mtime_ns": 1, "state": FAILED, "kind": "png"}
    rows = [PhotoFile(id=uuid4(), path=name, photo_id=photo, **file) for name in ("a", "b")]
    singlerows.add_all([*rows, PhotoFile(id=uuid4(), path="c", photo_id=other, **file)])
    found = singlerows.find_all(PhotoFile, "photo_id", photo)
    assert {one.id: one.path for one in found} == {one.id: one.path for one in rows}
    assert singlerows.find_all(PhotoFile, "photo_id", uuid4()) == []


def test_a_change_touches_one_row_and_the_named_columns_alone() -> None:
    one, two = (Look(photo_id=uuid4(), scope="s", likeness="00" * 24, pieces=[1]) for _ in range(2))
    singlerows.add_all([one, two])
    singlerows.change(Look, one.photo_id, pieces=[2, 3], group_id=two.photo_id)
    singlerows.change(Look, uuid4(), scope="nobody")
    assert [*Look.objects.order_by("spread", "group_id").values_list("scope", "pieces", "group_id")] == [
        ("s", [2, 3], two.photo_id),
        ("s", [1], None),
    ]


def test_rows_without_a_key_of_their_own_are_added_together_and_words_are_searched() -> None:
    photo = uuid4()
    shade = {"photo_id": photo, "mean": "#102030", "light": 0.1, "green_red": 0.0, "blue_yellow": -0.1}
    singlerows.add_all([PhotoColour(colour=name, share=0.5, **shade) for name in ("red", "blue")])
    singlerows.add_all([PhotoStyle(photo_id=photo, style="vivid", measured={"mean": 0.5})])
    singlerows.put(PhotoWords(photo_id=photo, words=["it's", "a & b", "camera:x"]))
    assert PhotoColour.objects.filter(photo_id=photo).count() == 2
    assert PhotoStyle.objects.get(photo_id=photo).measured == {"mean": 0.5}
    assert PhotoWords.objects.filter(words__matches="'it''s' & 'a & b'").exists()


def test_a_key_that_is_taken_is_an_error_or_left_as_it_is() -> None:
    known = Place(id=UUID(int=7), kind="country", name="Peru")
    singlerows.add(known)
    with pytest.raises(IntegrityError), transaction.atomic():
        singlerows.add(Place(id=known.id, kind="country", name="Chile"))
    new = Place(id=UUID(int=8), kind="country", name="Chile")
    singlerows.add_all([Place(id=known.id, kind="country", name="Chile"), new], unless_known=True)
    assert set(Place.objects.values_list("name", flat=True)) == {"Peru", "Chile"}


def test_more_rows_than_one_statement_takes_are_added() -> None:
    library = uuid4()
    words = {"library_id": library, "kind": "keyword", "plain": "x", "value": "x"}
    many = [SearchTerm(id=uuid4(), text=str(at), **words) for at in range(11_000)]
    singlerows.add_all(many, unless_known=True)
    assert SearchTerm.objects.filter(library_id=library).count() == 11_000


def test_what_is_written_goes_with_the_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        singlerows.add(Place(id=UUID(int=9), kind="country", name="Peru"))
        raise RuntimeError
    assert singlerows.find(Place, UUID(int=9)) is None
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            singlerows.find(Place, UUID(int=9))
