"""What lies in people's logs can be read for ever: an example of each event in each version ever shipped."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from core.domain import codec, lifts
from events.rows import recorded
from tests.core import golden

FILES = sorted(golden.FOLDER.glob("*.json"))


def as_stored(path: Path, data: dict[str, Any]) -> Any:
    """The event as a reader of the log gets it, lifted."""
    name, _, version = path.stem.rpartition(".v")
    text = json.dumps(data)
    return recorded("x-1", name, int(version), {}, 1, 1, uuid4(), datetime.now(UTC), text, b"", b"")


def test_every_event_in_every_version_has_a_golden_file() -> None:
    missing = [
        f"{name}.v{version}" for name, version in golden.wanted() if not golden.file_of(name, version).exists()
    ]
    assert not missing, f"no golden file for {', '.join(missing)}: run `{golden.COMMAND}`, look at it, commit it"


def test_no_golden_file_ever_changes_or_goes() -> None:
    sums = {path.name: golden.sum_of(path) for path in FILES}
    known = golden.known_sums()
    assert {name: sums.get(name) for name in known} == known, (
        "a golden file stands for what lies in people's logs: restore it; for another shape write a lift "
        "(core/domain/lifts.py) and a golden file of the next version"
    )
    assert not sums.keys() - known.keys(), f"not in SHA256SUMS: write golden files by `{golden.COMMAND}`"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_lifted_and_understood_and_keys_of_other_programs_stay(path: Path) -> None:
    data = json.loads(path.read_text())
    event = as_stored(path, {**data, "of another program": [1]})
    assert event.schema_version == codec.newest_version(event.type)
    assert event.data["of another program"] == [1]
    fact = codec.decode(event)
    assert type(fact) is codec.TYPES[event.type]
    # What was written down is what is understood: nothing of it is lost on the way to today's shape.
    again = codec._adapter(event.type).dump_python(fact, mode="json")
    assert {key: again[key] for key in event.data if key in again} == {
        key: value for key, value in event.data.items() if key in again
    }
    assert event.data.keys() - again.keys() == {"of another program"}


def test_a_new_version_is_written_lifted_and_asks_for_its_golden_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.commands import log
    from core.domain.libraries import LibraryAdded

    monkeypatch.setitem(lifts.LIFTS, ("library.added", 1), lambda data: {**data, "name": data["name"].upper()})
    assert log._new(LibraryAdded("Photos", "/photos"), ()).schema_version == 2
    with pytest.raises(AssertionError, match=r"no golden file for library\.added\.v2: run `python -m"):
        test_every_event_in_every_version_has_a_golden_file()
    old = golden.file_of("library.added", 1)
    event = as_stored(old, {**json.loads(old.read_text()), "mood": "good"})
    assert (event.schema_version, event.data["name"], event.data["mood"]) == (2, "PHOTOS", "good")
