"""Files that were uploaded together belong together by their own names, not by the hashes under which they lie."""

import hashlib
import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from PIL import Image

from core.accounts import Account
from core.domain.uploads import Announced, NotWanted
from core.readmodels.failures import Failure
from core.readmodels.files import PhotoFile
from core.readmodels.photos import Photo
from core.readmodels.sidecars import Sidecar
from core.readmodels.stacks import StackMember
from core.readmodels.uploads import UploadedFile
from core.receiving import keep_at_once
from core.uploads import Upload
from tests.workers.files.conftest import work

pytestmark = pytest.mark.django_db
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{0}"/></rdf:RDF></x:xmpmeta>"""
MOMENT = "2024:05:01 12:00:00"


@pytest.fixture
def olga() -> Account:
    return Account.objects.create_user("olga", password="long enough for her")


def shot(shade: int, moment: str = MOMENT) -> bytes:
    """A photo of one camera, taken at a moment."""
    exif, made = Image.Exif(), io.BytesIO()
    exif[0x010F], exif[0x0110] = "Leica", "M11"
    exif.get_ifd(0x8769)[0x9003] = moment
    exif.get_ifd(0x8769)[0x9291] = "250"
    Image.new("RGB", (64, 48), (shade, 90, 160)).save(made, "JPEG", exif=exif)
    return made.getvalue()


def google(description: str) -> bytes:
    return json.dumps({"title": "x", "description": description, "photoTakenTime": {"timestamp": "1"}}).encode()


def upload(account: Account, name: str, data: bytes) -> Upload:
    announced = Announced(name, len(data), hashlib.sha256(data).hexdigest(), None)
    return keep_at_once(account, announced, [data], actor=f"account:{account.pk}")


def test_two_files_of_one_shot_are_stacked_by_the_names_that_they_were_uploaded_with(olga: Account) -> None:
    for name, data in (
        ("IMG_1.jpg", shot(1)),
        ("IMG_1-edited.jpg", shot(2)),
        ("IMG_2.jpg", shot(3)),
        ("IMG_1.jpg", shot(4, "2025:01:01 12:00:00")),  # another year's, of the same name
    ):
        upload(olga, name, data)
    work()
    members = StackMember.objects.values_list("photo_id", flat=True)
    assert sorted(Photo.objects.filter(id__in=members).values_list("name", flat=True)) == [
        "IMG_1-edited.jpg",
        "IMG_1.jpg",
    ]
    assert Photo.objects.get(id=StackMember.objects.get(tucked=False).photo_id).name == "IMG_1-edited.jpg"


@pytest.mark.parametrize("first", ["picture", "sidecar"])
def test_a_sidecar_finds_the_photo_that_it_came_with_whichever_is_first(olga: Account, first: str) -> None:
    upload(olga, "IMG_1.jpg", shot(1))
    work()
    older = Photo.objects.get()
    UploadedFile.objects.update(uploaded_at=F("uploaded_at") - timedelta(hours=1))
    files = [("IMG_1.jpg", shot(2)), ("IMG_1.jpg.xmp", XMP.format(4).encode())]
    for name, data in files if first == "picture" else files[::-1]:
        told = upload(olga, name, data)
        assert (told.photo_id is None) == name.endswith("xmp")
        work()
    upload(olga, "IMG_1.jpg", shot(3))  # and yet another one of this name, later
    work()
    newer = Photo.objects.get(id=Sidecar.objects.get().photo_id)
    assert newer.id != older.id
    assert (newer.rating, Photo.objects.get(id=older.id).rating) == (4, None)
    assert list(Photo.objects.filter(rating=4)) == [newer]
    listed = PhotoFile.objects.get(state="skipped")
    assert (listed.code, listed.known_as) == ("sidecar", "IMG_1.jpg.xmp")


def test_the_same_words_for_two_photos_are_two_sidecars_and_sent_twice_they_are_one(olga: Account) -> None:
    for number in (1, 2):
        upload(olga, f"IMG_{number}.jpg", shot(number))
        upload(olga, f"IMG_{number}.xmp", XMP.format(5).encode())
    work()
    assert Photo.objects.filter(rating=5).count() == 2
    assert upload(olga, "IMG_2.xmp", XMP.format(5).encode()).was_there


def test_googles_notes_are_taken_and_other_json_and_broken_sidecars_are_refused_with_their_reasons(
    olga: Account,
) -> None:
    upload(olga, "IMG_1.jpg", shot(1))
    upload(olga, "IMG_1.jpg.supplemental-metadata.json", google("at the lake"))
    work()
    assert Photo.objects.get().facts["caption"] == {"value": "at the lake", "source": "takeout"}
    for name, data in (
        ("package.json", b'{"name": "x"}'),
        ("IMG_1.jpg.json", b"{broken"),
        ("IMG_1.xmp", b"no xml"),
        ("notes.txt", b"words"),
        ("metadata.json", b'{"title": "Summer", "access": "protected", "date": {}}'),
    ):
        with pytest.raises(NotWanted):
            upload(olga, name, data)


def test_an_upload_that_failed_is_listed_by_its_own_name(olga: Account) -> None:
    upload(olga, "Oma am See.jpg", shot(1)[:400])
    work()
    failure = Failure.objects.get()
    assert failure.name == "Oma am See.jpg"
    client = Client()
    client.force_login(olga)
    page = client.get("/failures/").content.decode()
    assert "Oma am See.jpg" in page
    assert failure.path not in page
    rows = list(Failure.objects.values()), list(PhotoFile.objects.order_by("id").values())
    call_command("replay", verbosity=0)
    assert (list(Failure.objects.values()), list(PhotoFile.objects.order_by("id").values())) == rows
