"""Colours and styles: recorded once, shown in the viewer, found by the picker and by programs, replayed alike."""

import io
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from core.accounts import Account
from core.commands.libraries import switch_analyses
from core.commands.log import load_photo
from core.commands.looks import record_looks
from core.commands.photos import record_rendered
from core.domain import photos
from core.domain.analysis import Analysis
from core.domain.colours import Colour
from core.domain.looks import LooksFound, Shade, StyleFound
from core.readmodels.looks import NoSuchLook, PhotoColour, PhotoStyle, looks_of_photo, photos_with
from core.readmodels.photos import history_of
from core.storage import preview_path
from events.replay import replay
from tests.web.conftest import Shelf, minute
from tests.web.test_viewer import text_of
from workers import looking, tasks

pytestmark = pytest.mark.django_db


def looked(photo: UUID, *shades: tuple[str, float, str], styles: tuple[str, ...] = (), version: str = "1") -> None:
    found = LooksFound(
        load_photo(photo).sha256,
        "pixels",
        version,
        tuple(Shade(*one) for one in shades),
        tuple(StyleFound(one, {"shutter": 2.5}) for one in styles),
    )
    record_looks(photo, found, actor="worker:looks")


def rows() -> list[tuple[object, ...]]:
    colours = PhotoColour.objects.order_by("photo_id", "colour").values_list("photo_id", "colour", "share", "mean")
    return [
        *colours,
        *PhotoStyle.objects.order_by("photo_id", "style").values_list("photo_id", "style", "measured"),
    ]


def tiles(answer) -> list[str]:  # type: ignore[no-untyped-def]
    return [part.split('"', 1)[0] for part in answer.content.decode().split('id="p-')[1:]]


def test_a_photos_looks_are_recorded_once_and_shown_with_where_they_lead(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    assert "Nobody has looked at the colours" in text_of(page.get(f"/photos/{photo}/"))
    looked(photo, ("azure", 0.61, "#3d8be8"), ("white", 0.39, "#fafafa"), styles=("long exposure",))
    looked(photo, ("red", 1.0, "#ff0000"))  # a second result of the same version is no news
    shown = text_of(page.get(f"/photos/{photo}/"))
    assert "azure 61 % white 39 % long exposure" in shown
    assert "Colours: azure 61 %, white 39 %" in shown
    assert 'href="/looks/?colour=azure"' in page.get(f"/photos/{photo}/").content.decode()
    assert [event.type for event in history_of(shelf.owner, photo)].count("photo.looks_found") == 1
    assert [one.style for one in looks_of_photo(photo).styles or []] == ["long exposure"]


def test_previews_and_looks_are_recorded_together_and_each_alone_where_the_other_is_known(shelf: Shelf) -> None:
    def record(photo: UUID, content: str = "") -> list[str]:
        content = content or load_photo(photo).sha256
        part = photos.Rendition(4, 3, 99)
        made = photos.PreviewsRendered(1, "r1", 40, 30, part, part, "aGk=", "decoded")
        looks = LooksFound(content, "pixels", "1", (Shade("red", 1.0, "#ff0000"),), ())
        record_rendered(photo, made, looks, actor="worker:previews", content=content)
        kinds = ("photo.previews_rendered", "photo.looks_found")
        return [one.type for one in history_of(shelf.owner, photo) if one.type in kinds]

    new, shown, seen, other = (shelf.photo(f"{n}.jpg", ready=n == 1) for n in range(4))
    assert record(new) == ["photo.previews_rendered", "photo.looks_found"]
    assert record(new) == ["photo.previews_rendered", "photo.looks_found"], "twice is once"
    assert record(shown) == ["photo.previews_rendered", "photo.looks_found"]
    looked(seen, ("blue", 1.0, "#0000ff"))
    assert record(seen) == ["photo.looks_found", "photo.previews_rendered"]
    assert record(other, content="of before") == []
    assert [one.colour for one in looks_of_photo(seen).colours or []] == ["blue"]
    assert [one.colour for one in looks_of_photo(new).colours or []] == ["red"]


def test_what_was_seen_in_another_content_comes_too_late_and_goes_with_it(shelf: Shelf) -> None:
    photo = shelf.photo()
    record_looks(photo, LooksFound("of before", "pixels", "1", (), ()), actor="test")
    assert looks_of_photo(photo).colours is None
    looked(photo, ("red", 1.0, "#ff0000"), styles=("vivid",))
    known = load_photo(photo)
    [file] = known.files.values()
    found = photos.PhotoImported(shelf.library, file, "f" * 64, "jpeg", "image", "image/jpeg")
    from core.commands.photos import replace_content

    replace_content(photo, found, photos.MetadataRead(1, {}), actor="test")
    assert (looks_of_photo(photo).colours, looks_of_photo(photo).styles) == (None, None)
    # The new content has a result of its own, of the same version.
    looked(photo, ("blue", 1.0, "#0000ff"))
    assert [one.colour for one in looks_of_photo(photo).colours or []] == ["blue"]


def test_what_is_switched_off_is_not_looked_for_and_what_was_found_before_stays(shelf: Shelf) -> None:
    photo = shelf.photo()
    looked(photo, ("red", 1.0, "#ff0000"), styles=("vivid",))
    content = load_photo(photo).sha256
    record_looks(photo, LooksFound(content, "pixels", "2", (Shade("blue", 1.0, "#0000ff"),), None), actor="test")
    record_looks(photo, LooksFound(content, "pixels", "3", None, None), actor="test")
    known = looks_of_photo(photo)
    assert [one.colour for one in known.colours or []] == ["blue"]
    assert [one.style for one in known.styles or []] == ["vivid"]
    assert known.model_version == "2"


def test_photos_are_found_by_name_and_by_any_colour_the_largest_share_first(shelf: Shelf, page: Client) -> None:
    little = shelf.photo("1.jpg", taken=minute(3))
    much = shelf.photo("2.jpg", taken=minute(1))
    navy = shelf.photo("3.jpg", taken=minute(2))
    hardly = shelf.photo("4.jpg")
    looked(little, ("azure", 0.2, "#3d8be8"), ("gray", 0.8, "#808080"))
    looked(much, ("azure", 0.9, "#4488e0"), styles=("minimal",))
    looked(navy, ("blue", 0.5, "#101060"), ("white", 0.5, "#ffffff"), styles=("minimal",))
    looked(hardly, ("azure", 0.03, "#3d8be8"), ("white", 0.2, "#ffffff"))
    assert tiles(page.get("/looks/?colour=azure")) == [str(much), str(little)]
    assert tiles(page.get("/looks/?colour=%233f8ae6")) == [str(much), str(little)]
    assert tiles(page.get("/looks/?colour=%23101060")) == [str(navy)]
    assert tiles(page.get("/looks/?colour=white")) == [str(navy)]  # a fifth of white is in nearly every picture
    assert tiles(page.get("/looks/?style=minimal")) == [str(navy), str(much)]
    assert tiles(page.get("/looks/?style=minimal&colour=azure")) == [str(much)]
    assert "No photo has this colour in this style" in text_of(page.get("/looks/?style=minimal&colour=red"))
    assert set(photos_with(colour="azure")) == {little, much}
    assert set(photos_with(colour="azure", style="minimal")) == {much}
    assert set(photos_with(style="minimal")) == {much, navy}
    assert set(photos_with()) == {little, much, navy, hardly}


def test_a_photo_with_a_colour_under_two_names_is_there_once(shelf: Shelf, page: Client) -> None:
    both, other = shelf.photo("1.jpg"), shelf.photo("2.jpg")
    looked(both, ("azure", 0.3, "#1f6cf2"), ("blue", 0.4, "#1c5cf0"))
    looked(other, ("azure", 0.35, "#1f6cf2"))
    assert tiles(page.get("/looks/?colour=%231e66f1")) == [str(both), str(other)]


def test_what_is_no_colour_no_style_and_no_place_is_not_there(page: Client) -> None:
    for asked in ("colour=pinkish", "colour=%2312", "style=nice", "colour=red&behind=x"):
        assert page.get(f"/looks/?{asked}").status_code == 404


def test_a_long_list_goes_on_where_it_ended(shelf: Shelf, page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.web.looks.PAGE", 2)
    made = [shelf.photo(f"{n}.jpg", taken=minute(n)) for n in range(5)]
    for number, photo in enumerate(made):
        looked(photo, ("red", 0.5 if number < 3 else 0.7, "#e01010"), styles=("vivid",))
    for asked in ("colour=red", "style=vivid", "colour=%23e01010"):
        seen, address = [], f"/looks/?{asked}"
        while address:
            answer = page.get(address, headers={"HX-Request": "true"})
            seen += tiles(answer)
            _, more, rest = answer.content.decode().partition('hx-get="')
            address = rest.split('"', 1)[0].replace("&amp;", "&") if more else ""
        assert sorted(seen) == sorted(map(str, made))
        assert len(tiles(answer)) == 1


def test_nobody_finds_what_they_may_not_see(
    shelf: Shelf, page: Client, stranger: Account, make_shelf: Callable[[Account], Shelf]
) -> None:
    theirs = make_shelf(stranger).photo("theirs.jpg")
    looked(theirs, ("red", 1.0, "#ff0000"), styles=("vivid",))
    for asked in ("colour=red", "colour=%23ff0000", "style=vivid"):
        assert tiles(page.get(f"/looks/?{asked}")) == []
        assert page.get(f"/api/v1/looks?{asked}").json()["photos"] == []


def test_the_picker_shows_all_names_and_every_style_with_its_rule(admin_client: Client) -> None:
    answer = admin_client.get("/looks/?colour=teal")
    # Once in the bar, and once in the menu that a phone has in its place.
    assert answer.content.decode().count('href="/looks/" aria-current="page"') == 2
    assert all(f">{colour}</span>" in answer.content.decode() for colour in Colour)
    assert 'href="/looks/?colour=teal&amp;style=sepia" title="One warm tint' in answer.content.decode()
    assert answer.content.decode().count('aria-current="true"') == 1


def test_programs_ask_the_same_questions(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo()
    assert page.get(f"/api/v1/photos/{photo}").json()["colours"] is None
    looked(photo, ("red", 0.8, "#ff0000"), styles=("vivid",))
    known = page.get(f"/api/v1/photos/{photo}").json()
    assert known["colours"] == [{"name": "red", "share": 0.8, "colour": "#ff0000"}]
    assert known["styles"] == [{"style": "vivid", "measured": {"shutter": 2.5}, "by_hand": False}]
    found = page.get("/api/v1/looks?colour=red&style=vivid").json()
    assert found == {"photos": [{"photo": str(photo), "share": 0.8}], "next": None}
    assert page.get("/api/v1/looks?style=vivid").json()["photos"] == [{"photo": str(photo), "share": None}]
    for wrong in ("colour=pinkish", "style=nice", "", "colour=red&behind=x"):
        assert page.get(f"/api/v1/looks?{wrong}").status_code == 422
    with pytest.raises(NoSuchLook):
        photos_with(style="nice")


@pytest.mark.django_db(transaction=True)
def test_a_replay_gives_the_same_rows(shelf: Shelf) -> None:
    photo, other = shelf.photo("1.jpg"), shelf.photo("2.jpg")
    looked(photo, ("red", 0.8, "#ff0000"), styles=("vivid", "macro"))
    looked(photo, ("blue", 0.7, "#0000ff"), styles=("macro",), version="2")
    looked(other, ("white", 0.8, "#ffffff"))
    before = rows()
    assert len(before) == 3
    replay(["looks"])
    assert rows() == before


def test_photos_of_before_are_looked_at_again_on_demand_from_their_tile(shelf: Shelf) -> None:
    old, new, waiting = shelf.photo("1.jpg"), shelf.photo("2.jpg"), shelf.photo("3.jpg", ready=False)
    looked(new, ("red", 1.0, "#ff0000"))
    tile = preview_path(old, "r1", "tile")
    Image.new("RGB", (600, 400), "#1e6fd8").save(Path(tile), "WEBP")
    said = io.StringIO()
    call_command("looks", stdout=said)
    assert said.getvalue() == "1 photo will be looked at again.\n"
    assert tasks.find_looks(str(old)) == "1 colours, 0 styles"
    assert tasks.find_looks(str(waiting)).startswith("there is no preview yet")
    assert [one.colour for one in looks_of_photo(old).colours or []] == ["azure"]
    assert looking.queue_again(shelf.library, older=True) == 0
    with pytest.raises(CommandError, match="no library 'Nowhere'"):
        call_command("looks", library="Nowhere")


def test_what_a_library_does_without_is_neither_found_nor_missed(shelf: Shelf) -> None:
    photo = shelf.photo()

    def again() -> tuple[int, object, object]:
        queued = looking.queue_again(shelf.library, older=False)
        if queued:
            tasks.find_looks(str(photo))
        known = looks_of_photo(photo)
        return queued, known.colours, known.styles

    switch_analyses(shelf.library, [Analysis.COLOURS, Analysis.STYLES], actor="test")
    assert again() == (0, None, None)
    tasks.find_looks(str(photo))
    assert [event.type for event in history_of(shelf.owner, photo)].count("photo.looks_found") == 0
    switch_analyses(shelf.library, [Analysis.COLOURS], actor="test")
    assert again() == (1, None, [])
    assert again() == (0, None, [])
    switch_analyses(shelf.library, [], actor="test")
    queued, colours, styles = again()
    assert queued == 1 and colours and styles == []
    assert again()[0] == 0


def test_a_persons_word_on_a_style_stands_above_what_is_measured_and_is_taken_back(
    shelf: Shelf, page: Client
) -> None:
    photo, twin = shelf.photo("1.jpg"), shelf.photo("2.jpg")
    looked(photo, styles=("vivid", "macro"))
    looked(twin, styles=("vivid",))

    def styles() -> list[tuple[str, bool]]:
        return [(one.style, bool(one.by_hand)) for one in looks_of_photo(photo).styles or []]

    def say(style: str, has: str = "") -> None:
        sent = {"fact": "style", "value": style, "has": has, "seen": "999"}
        assert page.post(f"/photos/{photo}/edit/", sent).status_code == 302

    say("vivid")
    say("sepia", "on")
    assert styles() == [("sepia", True), ("macro", False)]
    assert tiles(page.get("/looks/?style=vivid")) == [str(twin)]
    assert [one["id"] for one in page.get("/api/v1/search?style=sepia").json()["photos"]] == [str(photo)]
    shown = text_of(page.get(f"/photos/{photo}/"))
    assert "sepia yours" in shown and "Style taken off vivid" in shown
    # A newer version of the rules, and another content: the word stays.
    looked(photo, styles=("vivid", "pastel"), version="2")
    assert styles() == [("sepia", True), ("pastel", False)]
    [file] = load_photo(photo).files.values()
    from core.commands.photos import replace_content

    new = photos.PhotoImported(shelf.library, file, "e" * 64, "jpeg", "image", "image/jpeg")
    replace_content(photo, new, photos.MetadataRead(1, {}), actor="test")
    assert styles() == [("sepia", True)]
    looked(photo, styles=("vivid",), version="2")
    assert styles() == [("sepia", True)]
    # Taken back in the history, what is measured counts again.
    acts = {event.data["style"]: event.event_id for event in history_of(shelf.owner, photo) if "has" in event.data}
    for act in acts.values():
        page.post(f"/photos/{photo}/undo/{act}/")
    assert styles() == [("vivid", False)]
    changed = page.patch(f"/api/v1/photos/{photo}", {"styles": {"vivid": False}}, content_type="application/json")
    assert changed.json()["styles"] == []
    assert (
        page.patch(
            f"/api/v1/photos/{photo}", {"styles": {"cubism": True}}, content_type="application/json"
        ).status_code
        == 422
    )
    before = list(PhotoStyle.objects.order_by("pk").values())
    replay(["looks"])
    assert list(PhotoStyle.objects.order_by("pk").values()) == before
