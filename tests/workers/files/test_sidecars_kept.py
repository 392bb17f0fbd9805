"""What other programs have put into a sidecar is still there after Filmroll has written into it."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from django.db import connection, transaction

from core.commands.edits import edit_photo
from core.commands.libraries import switch_sidecars
from core.domain import edits
from core.readmodels.libraries import Folder
from core.readmodels.photos import Photo
from events.reading import read_stream
from tests.workers.files.conftest import Home
from workers import sidecarwriting
from workers.imports import import_found
from workers.pipelines.xmp import read_xmp
from workers.pipelines.xmpwriting import merge_xmp

FOREIGN = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 5.5.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:ns7="http://reserved.example/"
    xmlns:my="http://my.example/notes/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    crs:Exposure2012="+0.35" crs:HasCrop="True" my:mood="calm" ns7:odd="kept" xmp:Label="Red" xmp:Rating="2">
   <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Ada</rdf:li><rdf:li>Grace</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
   <crs:ToneCurvePV2012><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurvePV2012>
   <mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li>
     <rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face"/></rdf:li></rdf:Bag>
   </mwg-rs:RegionList></mwg-rs:Regions>
   <my:story xml:lang="en">It was  a <my:b>long</my:b> day.</my:story>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Lake</rdf:li>
    <rdf:li xml:lang="de">See</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
  <rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/">
   <tiff:Make>Leica</tiff:Make></rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()
_OURS = {"{http://purl.org/dc/elements/1.1/}title", "{http://purl.org/dc/elements/1.1/}subject"}
_RATING = "{http://ns.adobe.com/xap/1.0/}Rating"


def foreign(packet: bytes) -> list[object]:
    """Everything in a packet but what Filmroll was told to write, in a form that can be compared."""
    return _shape(ElementTree.fromstring(packet.decode().partition("?>")[2].rpartition("<?")[0]))


def _shape(element: Element) -> list[object]:
    attributes = {name: value for name, value in element.attrib.items() if name != _RATING}
    below = [_shape(one) for one in element if one.tag not in _OURS]
    words = [(text or "").strip() for text in (element.text, *(one.tail for one in element))]
    return [element.tag, sorted(attributes.items()), " ".join(filter(None, words)), below]


def test_foreign_namespaces_people_regions_and_settings_stay_as_they_were() -> None:
    merged = merge_xmp(FOREIGN, {"rating": 5, "title": "Lake", "keywords": ["water"]})
    assert foreign(merged) == foreign(FOREIGN)
    told = dict(read_xmp(merged))
    assert (told["xmp:Rating"], told["dc:subject"]) == (["5"], ["water"])
    for prefix in (b"xmlns:Iptc4xmpExt=", b"xmlns:crs=", b"xmlns:my=", b"xmlns:mwg-rs="):
        assert prefix in merged, "other programs' names for their namespaces stay"
    # And a second time, with other facts.
    again = merge_xmp(merged, {"rating": 1})
    assert foreign(again) == foreign(FOREIGN)


def test_a_title_in_other_languages_stays_beside_the_one_that_is_written() -> None:
    merged = merge_xmp(FOREIGN, {"title": "Lake"})
    assert b'<rdf:li xml:lang="de">See</rdf:li>' in merged
    assert merge_xmp(merged, {"title": "Pond"}).count(b"See") == 1
    assert b"See" not in merge_xmp(merged, {"rating": 1}), "a title that was taken away is gone in each language"


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'write_sidecar' AND status = 'todo'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def photo(home: Home, monkeypatch: pytest.MonkeyPatch) -> Photo:
    monkeypatch.setattr(sidecarwriting, "run_in_child", lambda _lane, function, *given, **_: function(*given))
    home.put("one.jpg", 1)
    import_found(Folder.objects.get(), "one.jpg")
    switch_sidecars(home.library, on=True, actor="cli")
    return Photo.objects.get()


@pytest.mark.django_db
def test_many_changes_of_one_photo_wait_in_one_job(photo: Photo) -> None:
    with transaction.atomic():
        edit_photo(photo.id, [edits.PhotoRated(3), edits.PhotoTitled("Lake")], actor="account:1")
        edit_photo(photo.id, [edits.PhotoCaptioned("At noon")], actor="account:1")
    assert waiting() == 1


@pytest.mark.django_db
def test_two_jobs_of_one_photo_at_once_leave_a_whole_sidecar_and_need_no_second_run(
    photo: Photo, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_photo(photo.id, [edits.PhotoRated(3)], actor="account:1")
    merge, met = merge_xmp, []

    def merge_while_the_other_writes(*given: object) -> bytes:
        if not met:
            met.append(1)
            edit_photo(photo.id, [edits.PhotoTitled("Lake")], actor="account:1")
            sidecarwriting.write_sidecar(Photo.objects.get())
        return merge(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(sidecarwriting, "merge_xmp", merge_while_the_other_writes)
    assert sidecarwriting.write_sidecar(photo) == "nothing new"
    told = dict(read_xmp((home.root / "one.jpg.xmp").read_bytes()))
    assert (told["xmp:Rating"], told["dc:title"]) == (["3"], ["Lake"])
    assert [e.type for e in read_stream(f"photo-{photo.id}")].count("photo.sidecar_written") == 1
