"""Albums as rules: given changes, when one more is wanted, then these events; and what undoing means."""

from uuid import UUID, uuid4

import pytest

from core.domain import albums
from core.domain.albums import Album, AlbumMade, Wanted
from core.domain.edits import BadValue, NotUndoable

OWNER, ONE, TWO, THREE = (UUID(int=number) for number in range(1, 5))
CATS = (Wanted("label", "cat"),)


def history(*facts: object) -> list[tuple[UUID, object]]:
    return [(uuid4(), fact) for fact in facts]


def test_an_album_has_a_clean_name_and_a_rule_has_a_filter() -> None:
    assert albums.decide_made(OWNER, "  Summer\n at sea ") == [AlbumMade(OWNER, "Summer at sea")]
    assert albums.decide_made(OWNER, "Cats", [*CATS, *CATS]) == [AlbumMade(OWNER, "Cats", CATS)]
    with pytest.raises(BadValue, match="has a name"):
        albums.decide_made(OWNER, " \n")
    with pytest.raises(BadValue, match="200 letters"):
        albums.decide_made(OWNER, "x" * 201)
    with pytest.raises(BadValue, match="one filter at least"):
        albums.decide_made(OWNER, "Cats", [])
    with pytest.raises(BadValue, match="20 filters at most"):
        albums.decide_made(OWNER, "Cats", [Wanted("q", str(number)) for number in range(21)])


def test_only_what_is_new_is_put_in_and_only_what_is_there_is_taken_out() -> None:
    album = albums.fold([AlbumMade(OWNER, "A"), albums.PhotosAddedToAlbum((ONE, TWO))])
    assert albums.decide_added(album, [TWO, THREE, THREE]) == [albums.PhotosAddedToAlbum((THREE,))]
    assert albums.decide_added(album, [ONE]) == []
    assert albums.decide_taken(album, [THREE, ONE]) == [albums.PhotosTakenFromAlbum((ONE,))]
    assert albums.decide_taken(album, [THREE]) == []
    with pytest.raises(BadValue, match="Choose a photo"):
        albums.decide_added(album, [])
    with pytest.raises(BadValue, match="1,000 photos at most"):
        albums.decide_added(album, [uuid4() for _ in range(1001)])


def test_what_is_so_already_is_no_news() -> None:
    album = Album(OWNER, "A", CATS, cover=ONE, removed=True)
    assert albums.decide_renamed(album, " A ") == []
    assert albums.decide_rule(album, CATS) == []
    assert albums.decide_cover(album, ONE) == []
    assert albums.decide_removed(album) == []


def test_an_album_is_filled_by_its_rule_or_by_hand_and_never_by_both() -> None:
    with pytest.raises(BadValue, match="follow from its rule"):
        albums.decide_added(Album(OWNER, "A", CATS), [ONE])
    with pytest.raises(BadValue, match="filled by hand"):
        albums.decide_rule(Album(OWNER, "A"), CATS)


def test_a_change_that_is_undone_is_as_if_it_had_never_been_made_whatever_came_after_it() -> None:
    made, first, out, second = known = history(
        AlbumMade(OWNER, "A"),
        albums.PhotosAddedToAlbum((ONE, TWO)),
        albums.PhotosTakenFromAlbum((ONE,)),
        albums.PhotosAddedToAlbum((THREE,)),
    )
    assert list(albums.album_of(known).photos) == [TWO, THREE]
    [undone] = albums.decide_undo(known, out[0])
    back = [*known, (uuid4(), undone)]
    assert list(albums.album_of(back).photos) == [ONE, TWO, THREE]
    # The undoing may be undone as well, and the first change alone.
    [again] = albums.decide_undo(back, back[-1][0])
    assert list(albums.album_of([*back, (uuid4(), again)]).photos) == [TWO, THREE]
    [without] = albums.decide_undo(back, first[0])
    assert list(albums.album_of([*back, (uuid4(), without)]).photos) == [THREE]
    assert {made[0], second[0]} <= albums.counting_changes(back)


def test_names_rules_covers_and_removals_are_taken_back() -> None:
    known = history(
        AlbumMade(OWNER, "A", CATS),
        albums.AlbumRenamed("B"),
        albums.AlbumRuleChanged((Wanted("label", "dog"),)),
        albums.AlbumCoverChosen(ONE),
        albums.AlbumRemoved(),
    )
    for identity, _ in known[1:]:
        known += [(uuid4(), fact) for fact in albums.decide_undo(known, identity)]
    assert albums.album_of(known) == Album(OWNER, "A", CATS)


def test_to_undo_that_an_album_was_made_is_to_remove_it_and_nothing_is_undone_twice() -> None:
    known = history(AlbumMade(OWNER, "A"))
    assert albums.decide_undo(known, known[0][0]) == [albums.AlbumRemoved()]
    known += history(albums.AlbumRemoved())
    with pytest.raises(NotUndoable, match="already"):
        albums.decide_undo(known, known[0][0])
    known += [(uuid4(), fact) for fact in albums.decide_undo(known, known[1][0])]
    assert not albums.album_of(known).removed
    with pytest.raises(NotUndoable, match="already"):
        albums.decide_undo(known, known[1][0])
    with pytest.raises(NotUndoable, match="not a change"):
        albums.decide_undo(known, uuid4())
