"""Whose word counts on a fact, what a person may say, and how it is taken back."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from core.domain import edits, facts
from core.domain.clocks import offset_between
from core.domain.facts import Fact, resolve


def said(source: str, **values: Any) -> dict[str, Fact]:
    return {name: Fact(value, source) for name, value in values.items()}


def plain(*layers: facts.Layer) -> dict[str, tuple[Any, str]]:
    return {name: (one.value, one.source) for name, one in resolve(layers).items()}


@pytest.mark.parametrize("loser", ["sidecar", "takeout", "exif", "yolo", "file name", "file time"])
def test_the_users_word_wins_over_every_other(loser: str) -> None:
    found = resolve([said(loser, title="b"), said("user", title="a")])["title"]
    assert (found.value, found.source, found.also) == ("a", "user", (Fact("b", loser),))


def test_the_order_is_sidecar_takeout_file_machine_name_time() -> None:
    order = ["sidecar", "takeout", "xmp", "some model", "file name", "file time"]
    layers = [said(source, taken_at=f"20{at:02}-01-01T00:00:00") for at, source in enumerate(order)]
    found = resolve(layers[::-1])["taken_at"]
    assert [found.source, *(one.source for one in found.also)] == order


def test_of_equals_the_earlier_counts_and_agreement_is_no_difference() -> None:
    found = resolve([said("exif", caption="x"), said("xmp", caption="y"), said("iptc", caption="x")])["caption"]
    assert (found.value, found.also) == ("x", (Fact("y", "xmp"),))


def test_a_position_comes_whole_from_one_source() -> None:
    file = said("exif", latitude=48.0, longitude=2.0, altitude=35.0)
    moved = said("user", latitude=50.0, longitude=3.0)
    assert plain(file, moved) == {"latitude": (50.0, "user"), "longitude": (3.0, "user")}
    assert resolve([file, moved])["longitude"].also == (Fact(2.0, "exif"),)


def test_two_positions_of_one_latitude_are_two_positions() -> None:
    east = said("sidecar", latitude=48.0, longitude=2.0)
    assert resolve([east, said("exif", latitude=48.0, longitude=9.0)])["latitude"].also == (Fact(48.0, "exif"),)


def test_the_offset_belongs_to_its_time() -> None:
    file = said("exif", taken_at="2024-05-01T12:00:00.25", taken_offset="+02:00")
    assert plain(file, said("user", taken_at="2020-01-01T00:00:00")) == {
        "taken_at": ("2020-01-01T00:00:00", "user")
    }
    same = plain(file, said("sidecar", taken_at="2024-05-01T12:00:00"))
    assert same["taken_offset"] == ("+02:00", "exif")


def test_what_a_person_took_away_is_not_shown_whatever_others_say() -> None:
    assert plain(said("exif", latitude=1.0, longitude=2.0), said("user", latitude=None, longitude=None)) == {}
    assert plain(said("xmp", rating=3), said("user", rating=None)) == {}


GOOGLE = said("takeout", taken_utc="2024-05-01T10:00:00", taken_at="2024-05-01T10:00:00", taken_offset="+00:00")


def test_googles_moment_leaves_the_files_wall_time_and_tells_its_offset() -> None:
    found = plain(GOOGLE, said("exif", taken_at="2024-05-01T12:00:00"))
    assert found == {"taken_at": ("2024-05-01T12:00:00", "exif"), "taken_offset": ("+02:00", "takeout")}


def test_googles_moment_does_not_touch_a_recorded_offset_and_counts_over_a_guessed_one() -> None:
    wall = said("exif", taken_at="2024-05-01T12:00:00")
    assert plain(GOOGLE, {**wall, **said("exif", taken_offset="+03:00")})["taken_offset"] == ("+03:00", "exif")
    assert plain(GOOGLE, {**wall, **said("position", taken_offset="+03:00")})["taken_offset"] == (
        "+02:00",
        "takeout",
    )


def test_google_takes_wall_times_without_a_zone_for_utc_which_says_nothing() -> None:
    assert plain(GOOGLE, said("exif", taken_at="2024-05-01T10:00:00")) == {
        "taken_at": ("2024-05-01T10:00:00", "exif")
    }


def test_a_date_that_was_changed_in_google_photos_counts() -> None:
    found = plain(GOOGLE, said("exif", taken_at="1999-01-01T00:00:07"))
    assert found == {"taken_at": ("2024-05-01T10:00:00", "takeout"), "taken_offset": ("+00:00", "takeout")}
    assert plain(GOOGLE)["taken_at"] == ("2024-05-01T10:00:00", "takeout")


def test_clocks_that_are_to_agree_exactly_may_not_be_minutes_apart() -> None:
    from datetime import datetime

    local, utc = datetime(2024, 5, 1, 12, 1), datetime(2024, 5, 1, 10, 0)
    assert (offset_between(local, utc), offset_between(local, utc, exactly=True)) == ("+02:00", "")


# --- what a person says -------------------------------------------------------------------------------------


def history(*changes: object) -> list[tuple[UUID, object]]:
    return [(uuid4(), change) for change in changes]


def undo(past: list[tuple[UUID, object]], at: int) -> list[tuple[UUID, object]]:
    return [*past, *history(*edits.decide_undo(past, past[at][0]))]


def words(past: list[tuple[UUID, object]]) -> dict[str, Any]:
    said_by: dict[str, Any] = {}
    for _, fact in past:
        said_by = edits.apply(said_by, fact)  # type: ignore[arg-type]
    return said_by


def test_an_undone_change_leaves_what_was_said_before() -> None:
    past = history(edits.PhotoRated(2), edits.PhotoRated(5))
    assert words(undo(past, 1)) == {"rating": 2}


def test_undoing_the_first_word_leaves_the_fact_to_the_others() -> None:
    past = undo(history(edits.PhotoTitled("a")), 0)
    assert words(past) == {}
    assert past[-1][1] == edits.ChangeUndone(past[0][0], {}, ("title",))


def test_an_older_change_can_be_undone_without_the_newer_one() -> None:
    past = undo(history(edits.PhotoRated(2), edits.PhotoRated(5)), 0)
    assert words(past) == {"rating": 5}
    assert words(undo(past, 1)) == {}


def test_an_undoing_can_be_undone() -> None:
    past = undo(undo(history(edits.PhotoRated(2), edits.PhotoTitled("x"), edits.PhotoRated(4)), 2), 3)
    assert words(past) == {"rating": 4, "title": "x"}
    assert words(undo(past, 4)) == {"rating": 2, "title": "x"}


def test_what_is_no_change_or_undone_already_cannot_be_undone() -> None:
    past = undo(history(object(), edits.PhotoRated(2)), 1)
    for at in (0, 1):
        with pytest.raises(edits.NotUndoable):
            edits.decide_undo(past, past[at][0])
    with pytest.raises(edits.NotUndoable):
        edits.decide_undo(past, uuid4())


def test_saying_the_same_again_is_no_news() -> None:
    assert edits.decide_edit({"rating": 3}, edits.PhotoRated(3)) == []
    assert edits.decide_edit({}, edits.PhotoRated(None)) == [edits.PhotoRated(None)]


def test_keywords_are_tidied() -> None:
    [tidied] = edits.decide_edit({}, edits.KeywordsChanged((" a ", "", "b\x00", "a")))
    assert tidied == edits.KeywordsChanged(("a", "b"))


@pytest.mark.parametrize(
    "edit",
    [
        edits.PhotoRated(6),
        edits.PhotoRated(-1),
        edits.PhotoTitled("x" * 1001),
        edits.KeywordsChanged(tuple(map(str, range(201)))),
        edits.KeywordsChanged(("x" * 201,)),
        edits.PhotoPlaced(91, 0),
        edits.PhotoPlaced(0, 181),
        edits.PhotoPlaced(float("nan"), 0),
        edits.PhotoPlaced(1, None),
        edits.PhotoPlaced(1, 1, 1e9),
        edits.PhotoDated("yesterday"),
        edits.PhotoDated("2024-05-01T12:00:00+02:00"),
        edits.PhotoDated("2024-05-01T12:00:00", "CEST"),
    ],
)
def test_values_that_cannot_be_are_refused_in_words(edit: edits.Edit) -> None:
    with pytest.raises(edits.BadValue, match=r" .*\.$"):
        edits.decide_edit({}, edit)
