"""Paths survive their way into tables and back, and previews appear whole or not at all."""

import os
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.storage import path_to_text, preview_path, put_in_place, text_to_path, working_folder

OTHER_DISK = Path("/dev/shm")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=1, max_size=255).filter(lambda name: b"\0" not in name))
def test_any_file_name_survives_as_text_that_a_database_can_hold(name: bytes) -> None:
    text = path_to_text(name)
    text.encode("utf-8")  # no lone surrogate is left
    assert os.fsencode(text_to_path(text)) == name


@pytest.mark.parametrize(
    "name", ["Ferien/Straße 1.jpg", "写真.heic", "back\\slash.jpg", "line\nbreak.jpg", "\\x41.jpg"]
)
def test_ordinary_names_stay_readable(name: str) -> None:
    assert text_to_path(path_to_text(name)) == name
    if "\\" not in name:
        assert path_to_text(name) == name


def test_a_preview_is_put_in_place_by_one_rename(data_dir: Path) -> None:
    final = preview_path(uuid4(), "abc-1", "tile")
    with working_folder() as folder:
        made = folder / "tile.webp"
        made.write_bytes(b"picture")
        put_in_place(made, final)
        assert not made.exists()
    assert final.read_bytes() == b"picture"
    assert list((data_dir / "working").iterdir()) == []


@pytest.mark.skipif(not OTHER_DISK.is_dir(), reason="there is no second file system here")
def test_previews_may_lie_on_a_disk_of_their_own(tmp_path: Path) -> None:
    made = tmp_path / "tile.webp"
    made.write_bytes(b"picture")
    with tempfile.TemporaryDirectory(dir=OTHER_DISK) as name:
        final = Path(name) / "photo" / "tile.webp"
        put_in_place(made, final)
        assert final.read_bytes() == b"picture" and not made.exists()
        assert list(final.parent.iterdir()) == [final]
