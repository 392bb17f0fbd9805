"""A sidecar that was uploaded is an original: Filmroll writes its own beside the picture."""

import hashlib
from pathlib import Path

import pytest
from django.core.management import call_command

from core.accounts import Account
from core.commands.edits import edit_photo
from core.commands.sidecars import ask_for_sidecar
from core.domain import edits
from core.readmodels.libraries import Library, library_by_id
from core.readmodels.photos import Photo
from core.readmodels.sidecars import Sidecar
from core.readmodels.uploads import UploadedFile
from core.storage import originals_folder
from events.reading import read_stream
from tests.web.conftest import jpeg
from tests.workers.files.conftest import work
from tests.workers.files.test_sidecars_kept import FOREIGN, foreign
from tests.workers.files.test_uploaded_together import XMP, upload
from workers import sidecarwriting
from workers.pipelines.xmp import read_xmp
from workers.scan import scan_folders

pytestmark = pytest.mark.django_db
# Without a date, so that none is written.
PICTURE = jpeg("of an upload")


@pytest.fixture
def olga(monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(sidecarwriting, "run_in_child", lambda _lane, function, *given, **_: function(*given))
    return Account.objects.create_user("olga", password="long enough for her")


def send(account: Account, name: str, data: bytes) -> None:
    upload(account, name, data)
    work()


def rate(stars: int) -> None:
    """Rate the photo and have its sidecar written."""
    photo = Photo.objects.get().id
    edit_photo(photo, [edits.PhotoRated(stars)], actor="account:1")
    ask_for_sidecar(photo, actor="account:1")
    work()


def uploads_as_they_came() -> bool:
    """Whether every uploaded file still has the content of its hash."""
    root = originals_folder() / Library.objects.get().root
    rows = UploadedFile.objects.values_list("path", "sha256")
    return all(hashlib.sha256((root / path).read_bytes()).hexdigest() == digest for path, digest in rows)


def own() -> bytes:
    """What Filmroll's own sidecar beside the picture holds."""
    photo = Photo.objects.get()
    return Path(originals_folder() / Library.objects.get().root / f"{photo.path}.xmp").read_bytes()


def look_through() -> int:
    """Look through the uploads as a rescan does; how many events of the photo came of it."""
    photo = Photo.objects.get().id
    before = len(read_stream(f"photo-{photo}"))
    scan_folders(library_by_id(Library.objects.get().id))
    work()
    return len(read_stream(f"photo-{photo}")) - before


def stars() -> tuple[int | None, list[tuple[int, str]]]:
    """What counts, and what others say instead."""
    fact = Photo.objects.get().facts["rating"]
    return fact["value"], [(one["value"], one["source"]) for one in fact.get("also", [])]


@pytest.mark.parametrize("first", ["picture", "sidecar"])
def test_the_uploaded_sidecar_stays_as_it_came_and_filmrolls_own_lies_beside_the_picture(
    olga: Account, first: str
) -> None:
    files = [("IMG_1.jpg", PICTURE), ("IMG_1.jpg.xmp", FOREIGN)]
    for name, data in files if first == "picture" else files[::-1]:
        send(olga, name, data)
    rate(5)
    assert uploads_as_they_came()
    assert dict(read_xmp(own()))["xmp:Rating"] == ["5"]
    assert foreign(own()) == foreign(FOREIGN), "what other programs had put into the uploaded one is kept"
    assert [look_through(), look_through()] == [0, 0]
    rate(1)
    assert (dict(read_xmp(own()))["xmp:Rating"], foreign(own())) == (["1"], foreign(FOREIGN))
    assert uploads_as_they_came() and look_through() == 0
    told = {row.written: row.sha256 for row in Sidecar.objects.all()}
    assert told == {
        False: hashlib.sha256(FOREIGN).hexdigest(),
        True: hashlib.sha256(own()).hexdigest(),
    }
    assert stars() == (1, [(2, "sidecar")])
    rows = list(Photo.objects.values()), list(Sidecar.objects.order_by("id").values())
    call_command("replay", verbosity=0)
    assert (list(Photo.objects.values()), list(Sidecar.objects.order_by("id").values())) == rows


def test_a_sidecar_uploaded_later_counts_more_than_what_was_written_and_is_what_the_next_one_begins_with(
    olga: Account,
) -> None:
    send(olga, "IMG_1.jpg", PICTURE)
    photo = Photo.objects.get().id
    edit_photo(photo, [edits.PhotoTitled("Lake")], actor="account:1")
    ask_for_sidecar(photo, actor="account:1")
    work()
    assert b'xmptk="Filmroll"' in own()
    for number in (2, 3, 4):
        send(olga, "IMG_1.jpg.xmp", XMP.format(number).encode())
        assert stars()[0] == number, "the last one of that name counts"
    send(olga, "IMG_1.xmp", XMP.format(1).encode())
    assert stars()[0] == 4, "the more special name counts more"
    send(olga, "IMG_1.jpg.xmp", FOREIGN)
    edit_photo(photo, [edits.PhotoTitled("Pond")], actor="account:1")
    ask_for_sidecar(photo, actor="account:1")
    work()
    assert foreign(own()) == foreign(FOREIGN)
    assert (dict(read_xmp(own()))["xmp:Rating"], dict(read_xmp(own()))["dc:title"]) == (["2"], ["Pond", "See"])
    assert uploads_as_they_came() and look_through() == 0
