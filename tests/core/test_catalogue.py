"""docs/events.md is what the code says today."""

from pathlib import Path

from core.catalogue import catalogue

PAGE = Path(__file__).parents[2] / "docs" / "events.md"


def section(name: str) -> str:
    return catalogue().split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def test_the_catalogue_of_events_is_fresh() -> None:
    # Not a plain comparison: pytest would show pages of differences in place of what to do.
    fresh = PAGE.read_text() == catalogue()
    assert fresh, (
        "docs/events.md is out of date: run `./manage.py events catalogue > docs/events.md` and commit it"
    )


def test_an_event_is_described_with_its_fields_its_writers_and_its_readers() -> None:
    said = section("photo.step_failed.v1")
    assert "A step ended for good without a result" in said
    assert "| `step` | one of `previews`, `labels`" in said
    assert "Written by `photos.record_step_failed`." in said
    assert "`failures`" in said
    assert "Reactions: `reactions`" in section("photo.imported.v1")


def test_a_follow_up_counts_as_written_by_the_commands_that_lead_to_it() -> None:
    assert "`analysis.record_seen`, `photos.record_previews`" in section("photo.processed.v1")


def test_personal_fields_are_marked_also_in_parts() -> None:
    assert "| `root` | text |  | personal |" in section("library.added.v1")
    assert "| `in_place` | yes or no | `True` |  |" in section("library.added.v1")
    assert "### OriginalFile" in catalogue() and "| `path` | text |  | personal |" in catalogue()
