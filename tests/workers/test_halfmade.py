"""What a process that was killed while it wrote a sidecar leaves beside the photos, and that nothing else goes."""

import os
import time
from pathlib import Path

import pytest

from workers import halfmade
from workers.halfmade import half_made
from workers.ignoring import Rules
from workers.pipelines.xmpwriting import merge_xmp
from workers.scan import walk_files

_LONG_AGO = time.time() - 2 * 3600


def left(folder: Path, content: bytes, *, old: bool = True) -> str:
    """As a process leaves it that was killed before it renamed the file."""
    made = half_made(folder, content, 0o640)
    if old:
        os.utime(made, (_LONG_AGO, _LONG_AGO))
    return made.name


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (_LONG_AGO, _LONG_AGO))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[Path, set[str]]:
    """A folder with four files that a killed process left, and the names of all that has to stay in it."""
    halfmade._clear_once.cache_clear()
    folder = tmp_path / "photos"
    folder.mkdir()
    packet = merge_xmp(None, {"rating": 3})
    for content in (packet, packet[:1000], packet[:7], b""):
        left(folder, content)
    others = {".filmroll-abc.tmp", ".filmroll-abcdefgh.tmp.jpg", "filmroll-abcdefgh.tmp", ".filmroll-ABCDEFGH.tmp"}
    for name in others:
        put(folder / name, packet)
    put(folder / ".filmroll-somebody.tmp", b"somebody's notes")
    (folder / ".filmroll-a_folder.tmp").mkdir()
    (folder / ".filmroll-the_link.tmp").symlink_to(folder / "filmroll-abcdefgh.tmp")
    young = left(folder, packet, old=False)
    kept = {young, ".filmroll-somebody.tmp", ".filmroll-a_folder.tmp", ".filmroll-the_link.tmp", *others}
    assert len(names(folder)) == len(kept) + 4
    return folder, kept


@pytest.mark.parametrize("rules", [[], ["!.*"], [".*"]])
def test_a_scan_removes_what_a_killed_process_left_and_nothing_else_and_takes_none_for_a_photo(
    shelf: tuple[Path, set[str]], rules: list[str]
) -> None:
    folder, kept = shelf
    seen = {path for path, _, _ in walk_files(folder, Rules(rules), [], clearing=True)}
    assert names(folder) == kept
    hidden = {".filmroll-abc.tmp", ".filmroll-abcdefgh.tmp.jpg", ".filmroll-ABCDEFGH.tmp"}
    assert seen == {"filmroll-abcdefgh.tmp"} | (set() if ".*" in rules else hidden)


def test_only_the_scan_of_a_library_removes_anything(shelf: tuple[Path, set[str]]) -> None:
    folder, kept = shelf
    list(walk_files(folder, Rules([]), []))
    assert len(names(folder)) == len(kept) + 4


def test_the_next_write_in_a_folder_removes_it_too(shelf: tuple[Path, set[str]]) -> None:
    folder, kept = shelf
    halfmade._clear_once.cache_clear()
    made = half_made(folder, b"next", 0o600)
    assert names(folder) == kept | {made.name}
