"""The timeline: order, days, paging in both directions, months, and what keeps it fresh."""

import re
from collections import Counter
from uuid import UUID

import pytest
from django.test import Client

from core.accounts import Account
from core.commands.stacks import stack_photos
from core.domain.stacks import StackRule
from core.readmodels import remembered
from core.readmodels.photos import Photo, visible_photos
from core.readmodels.timeline import months, shown_photos
from core.web import timeline
from core.web.tiles import average_colour, days_of, ratio_of, tile_of
from tests.web.conftest import Shelf, minute

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def pages_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "PAGE", 4)


def tiles_in(answer) -> list[UUID]:  # type: ignore[no-untyped-def]
    return [UUID(text) for text in re.findall(r'id="p-([0-9a-f-]{36})"', answer.content.decode())]


def link(answer, words: str) -> str | None:  # type: ignore[no-untyped-def]
    found = re.search(rf'href="(/\?[^"]*)">{words}', answer.content.decode())
    return found.group(1).replace("&amp;", "&") if found else None


def test_photos_are_newest_first_under_the_heading_of_their_day(shelf: Shelf, page: Client) -> None:
    old = shelf.photo("old.jpg", taken="2020-05-16T10:00:00")
    late = shelf.photo("late.jpg", taken="2024-05-01T18:00:00")
    early = shelf.photo("early.jpg", taken="2024-05-01T07:00:00")
    answer = page.get("/")
    assert tiles_in(answer) == [late, early, old]
    headings = re.findall(r"<time[^>]*>([^<]*)</time>", answer.content.decode())
    assert headings == ["Wed, 1 May 2024", "Sat, 16 May 2020"]


def test_following_older_shows_every_photo_once(shelf: Shelf, page: Client, pages_of_four: None) -> None:
    made = [shelf.photo(f"{n}.jpg", taken=minute(n)) for n in range(10)]
    seen, address = [], "/"
    while address:
        answer = page.get(address)
        seen += tiles_in(answer)
        address = link(answer, "Older photos")
    assert seen == made[::-1]


def test_photos_of_the_very_same_moment_are_paged_through_without_loss(
    shelf: Shelf, page: Client, pages_of_four: None
) -> None:
    made = {shelf.photo(f"{n}.jpg", taken=minute(0)) for n in range(9)}
    seen, address = [], "/"
    while address:
        answer = page.get(address)
        seen += tiles_in(answer)
        address = link(answer, "Older photos")
    assert len(seen) == 9
    assert set(seen) == made


def test_following_newer_leads_back_to_the_newest(shelf: Shelf, page: Client, pages_of_four: None) -> None:
    made = [shelf.photo(f"{n}.jpg", taken=minute(n)) for n in range(10)]
    answer = page.get("/?from=2024-05-01")
    older = page.get(link(answer, "Older photos"))
    oldest = page.get(link(older, "Older photos"))
    assert tiles_in(oldest) == made[1::-1]
    newer = page.get(link(oldest, "Newer photos"))
    assert tiles_in(newer) == made[5:1:-1]
    newest = page.get(link(newer, "Newer photos"))
    assert tiles_in(newest) == made[:5:-1]
    assert link(newest, "Newer photos") is None


def test_a_day_that_the_page_would_cut_waits_for_the_next_page(
    shelf: Shelf, page: Client, pages_of_four: None
) -> None:
    first = [shelf.photo(f"a{n}.jpg", taken=f"2024-05-02T10:0{n}:00") for n in range(3)]
    second = [shelf.photo(f"b{n}.jpg", taken=f"2024-05-01T10:0{n}:00") for n in range(3)]
    answer = page.get("/")
    assert tiles_in(answer) == first[::-1]
    assert tiles_in(page.get(link(answer, "Older photos"))) == second[::-1]


def test_a_day_longer_than_a_page_has_one_heading(shelf: Shelf, page: Client, pages_of_four: None) -> None:
    for n in range(6):
        shelf.photo(f"{n}.jpg", taken=minute(n))
    answer = page.get("/")
    assert "1 May 2024" in answer.content.decode()
    assert "1 May 2024</time>" not in page.get(link(answer, "Older photos")).content.decode()


def test_a_fetched_stretch_is_only_the_stretch(shelf: Shelf, page: Client, pages_of_four: None) -> None:
    for n in range(10):
        shelf.photo(f"{n}.jpg", taken=minute(n))
    address = link(page.get("/"), "Older photos")
    fragment = page.get(address, headers=HTMX)
    assert "<html" not in fragment.content.decode()
    assert link(fragment, "Newer photos") is None
    assert link(fragment, "Older photos")
    assert "HX-Request" in fragment.headers["Vary"]


def test_a_month_is_reached_from_its_last_day(shelf: Shelf, page: Client) -> None:
    shelf.photo("june.jpg", taken="2024-06-01T00:00:00")
    may = shelf.photo("may.jpg", taken="2024-05-31T23:59:59.999")
    april = shelf.photo("april.jpg", taken="2024-04-30T10:00:00")
    answer = page.get("/")
    assert 'href="/?from=2024-05-31"' in answer.content.decode()
    assert "May 2024" in answer.content.decode()
    assert tiles_in(page.get("/?from=2024-05-31")) == [may, april]


@pytest.mark.parametrize("place", ["before=x", "after=2024~", "from=2024-13-01", "before=2024-01-01~no-uuid"])
def test_a_place_that_is_none_is_not_found(place: str, page: Client) -> None:
    assert page.get(f"/?{place}").status_code == 404


def test_the_last_day_that_there_is_can_be_asked_for(shelf: Shelf, page: Client) -> None:
    photo = shelf.photo("far.jpg", taken="9999-12-31T23:59:59.999999")
    assert tiles_in(page.get("/?from=9999-12-31")) == [photo]
    assert 'href="/?from=9999-12-31"' in page.get("/").content.decode()


def test_failed_photos_do_not_clutter_the_timeline_but_are_counted(shelf: Shelf, page: Client) -> None:
    shown = shelf.photo("good.jpg")
    shelf.fail(shelf.photo("bad.jpg", ready=False))
    answer = page.get("/")
    assert tiles_in(answer) == [shown]
    assert "1 failure to look at" in answer.content.decode()


def test_a_photo_whose_preview_waits_stands_there_as_a_named_placeholder(shelf: Shelf, page: Client) -> None:
    shelf.photo("soon.jpg", ready=False)
    answer = page.get("/").content.decode()
    assert "tile-waiting" in answer
    assert "soon.jpg" in answer
    assert "1 to go" in answer


def test_waiting_tiles_are_given_when_they_are_ready_and_only_then(shelf: Shelf, page: Client) -> None:
    ready, waiting = shelf.photo("a.jpg"), shelf.photo("b.jpg", ready=False)
    assert tiles_in(page.get(f"/tiles/?ids={ready},{waiting}")) == [ready]
    shelf.render(waiting)
    assert set(tiles_in(page.get(f"/tiles/?ids={ready},{waiting}"))) == {ready, waiting}


def test_tiles_of_no_photos_are_not_found(page: Client) -> None:
    assert page.get("/tiles/?ids=nonsense").status_code == 404


def test_arrivals_say_how_many_photos_are_new_to_the_page(shelf: Shelf, page: Client) -> None:
    shelf.photo("a.jpg")
    assert 'hx-get="/arrivals/?shown=1"' in page.get("/").content.decode()
    assert "new photo" not in page.get("/arrivals/?shown=1").content.decode()
    shelf.photo("b.jpg")
    assert "1 new photo<" in page.get("/arrivals/?shown=1").content.decode()
    shelf.photo("c.jpg")
    assert "2 new photos<" in page.get("/arrivals/?shown=1").content.decode()
    assert "new photo" not in page.get("/arrivals/?shown=nonsense").content.decode()


def test_an_empty_library_says_what_will_be_here_and_how(page: Client) -> None:
    answer = page.get("/").content.decode()
    assert "Your photos will be here" in answer
    assert "manage.py import" in answer


def test_a_place_older_than_every_photo_says_so(shelf: Shelf, page: Client) -> None:
    shelf.photo()
    assert "No photo is as old as that" in page.get("/?from=1901-01-01").content.decode()


def test_a_library_of_which_nothing_can_be_shown_leads_to_the_reasons(shelf: Shelf, page: Client) -> None:
    shelf.fail(shelf.photo("bad.jpg", ready=False))
    shelf.skip("film.mp4")
    answer = page.get("/").content.decode()
    assert "No photo can be shown yet" in answer
    assert 'href="/failures/"' in answer
    assert 'href="/skipped/"' in answer


def test_a_tile_says_in_words_what_is_in_the_picture(shelf: Shelf) -> None:
    from core.domain.photos import Label

    plain = Photo.objects.get(id=shelf.photo("plain.jpg"))
    assert tile_of(plain).words == "plain.jpg, 1 May 2024, 12:00:00"
    seen = shelf.photo("seen.jpg")
    shelf.label(seen, *(Label(name, 0.9, (0, 0, 1, 1)) for name in ("dog", "dog", "cat")))
    assert tile_of(Photo.objects.get(id=seen)).words.startswith("dog, cat,")
    titled = Photo.objects.get(id=shelf.photo("t.jpg", title="Grandmother's garden"))
    assert tile_of(titled).words.startswith("Grandmother's garden,")


def test_a_tile_has_the_shape_of_the_upright_picture_before_there_is_a_preview(shelf: Shelf) -> None:
    upright = shelf.photo("lying.jpg", ready=False, width=6000, height=4000, orientation=6)
    assert ratio_of(Photo.objects.get(id=upright)) == pytest.approx(2 / 3)
    unknown = shelf.photo("unknown.jpg", ready=False)
    assert ratio_of(Photo.objects.get(id=unknown)) == 1.5


def test_a_strip_of_a_picture_keeps_to_what_a_row_can_hold(shelf: Shelf) -> None:
    photo = shelf.photo("strip.jpg", size=(2000, 10))
    assert ratio_of(Photo.objects.get(id=photo)) == 4.0


def test_the_average_colour_is_that_of_the_thumbhash_library() -> None:
    import base64

    import fast_thumbhash

    text = "1QcSHQRnh493V4dIh4eXh1h4kJUI"
    expected = fast_thumbhash.thumb_hash_to_average_rgba(base64.b64decode(text))
    ours = average_colour(text)
    got = [int(ours[at : at + 2], 16) for at in (1, 3, 5)]
    scale = 255 if max(expected[:3]) <= 1 else 1
    assert got == pytest.approx([part * scale for part in expected[:3]], abs=2)
    assert average_colour("") == ""


def test_a_name_from_the_disk_cannot_write_into_the_page(shelf: Shelf, page: Client) -> None:
    shelf.photo('"><img src=x onerror=alert(1)>.jpg', ready=False)
    answer = page.get("/").content.decode()
    assert "<img src=x" not in answer
    assert "&quot;&gt;&lt;img" in answer


def test_a_page_asks_the_database_the_same_however_many_photos(
    shelf: Shelf, page: Client, django_assert_max_num_queries: object
) -> None:
    for n in range(12):
        shelf.photo(f"{n}.jpg", taken=minute(n))
    for address, most in (("/", 9), ("/?from=2024-05-01", 10)):
        with django_assert_max_num_queries(most):  # type: ignore[operator]
            assert len(tiles_in(page.get(address))) == 12


def test_months_count_what_is_shown_and_nothing_else(shelf: Shelf, owner: Account) -> None:
    shelf.photo("old.jpg", taken="2020-02-03T10:00:00")
    shelf.fail(shelf.photo("broken.jpg", taken="2020-02-04T10:00:00", ready=False))
    kept = shelf.photo("kept.jpg")
    made = {name: shelf.photo(name) for name in ("waits.jpg", "both.jpg", "again.jpg", "again2.jpg", "alone.jpg")}
    shelf.fail(shelf.photo("gone.jpg", taken="2021-01-01T10:00:00", ready=False))
    together = dict.fromkeys((kept, made["both.jpg"], made["again2.jpg"]), StackRule.HAND)
    stack_photos(UUID(int=9), together, actor=f"account:{owner.pk}")
    for name in ("again.jpg", "again2.jpg", "both.jpg"):
        Photo.objects.filter(id=made[name]).update(duplicate_of=kept)
    Photo.objects.filter(id=made["alone.jpg"]).update(duplicate_of=UUID(int=7))  # of which nothing is shown
    shown = Counter(photo.taken_local.strftime("%Y-%m") for photo in shown_photos(owner) if photo.taken_local)
    found = months(owner, visible_photos(owner))
    assert [(f"{one.first_day:%Y-%m}", one.count) for one in found] == sorted(shown.items(), reverse=True)
    assert shown == {"2024-05": 2, "2020-02": 1}


def test_counts_of_very_many_photos_are_remembered_for_a_while_and_of_few_never(
    owner: Account, stranger: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "_TIMES", 1e12)
    for many, expected in ((5, [3, 4, 3]), (2, [3, 3, 3])):
        monkeypatch.setattr(remembered, "MANY", many)
        asked = [
            remembered.remembered("few", one, lambda n=n: n, int)
            for n, one in ((3, owner), (4, owner), (3, stranger))
        ]
        assert asked == expected


def test_days_of_different_photos_know_the_sum_of_their_ratios(shelf: Shelf, owner: Account) -> None:
    wide = Photo.objects.get(id=shelf.photo("w.jpg", size=(400, 200)))
    tall = Photo.objects.get(id=shelf.photo("t.jpg", size=(200, 400)))
    [day] = days_of([wide, tall])
    assert day.ratios == "2.500"
