"""Every broken file of the shared set, through a real child with its real limits."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers import children
from workers.children import run_in_child
from workers.errors import PoisonError
from workers.pipelines.files import not_a_photo, read_file
from workers.pipelines.metadata import read_metadata
from workers.pipelines.previews import Previews, render_previews

# The memory is every machine's alike; how long an old one takes says nothing of a bomb, which would take for ever.
SECONDS, MEBIBYTES = 120, 1024


@pytest.fixture(autouse=True)
def quiet_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # A spawned child imports its parent's __main__ first. In production that is manage.py; here it is pytest.
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    yield
    children.stop()


def test_j31_each_broken_file_shows_or_says_why_and_no_bomb_reaches_a_limit(shared: Path, tmp_path: Path) -> None:
    ended: dict[str, str] = {}
    for path in sorted((shared / "photos" / "broken").iterdir()):
        # A limit that is reached is a ResourceError, which is caught nowhere here.
        ended[path.name] = outcome(path, tmp_path)
    assert len(ended) >= 49
    for name, words in ended.items():
        assert words == "shown" or len(words.split()) > 12, (name, words)
    for bomb in ("bomb_40000x40000.png", "decompression_bomb.gif", "reallybig.bmp"):
        assert ended[bomb] != "shown"
    assert ended["png_decompression_dos.png"] == ended["ribbon_60000x12.png"] == "shown"
    assert ended["huge_12000x9000.jpg"] == "shown"


def outcome(path: Path, into: Path) -> str:
    """The word "shown", or the reason for which there is no picture."""
    try:
        kind = read_file(path).kind
        if other := not_a_photo(kind, path.name):
            return other.reason
        run_in_child("decode", read_metadata, path, kind, seconds=SECONDS, memory_mib=MEBIBYTES)
        made = run_in_child(
            "decode", render_previews, path, kind.name, into, seconds=SECONDS, memory_mib=MEBIBYTES
        )
    except PoisonError as error:
        return error.reason
    assert isinstance(made, Previews)
    assert made.width > 0
    assert made.tile.bytes > 0
    return "shown"
