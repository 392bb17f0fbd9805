"""The shared photos, file by file: what shows, what does not, and why."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workers.errors import PoisonError
from workers.pipelines.files import not_a_photo, read_file
from workers.pipelines.metadata import read_metadata
from workers.pipelines.previews import Previews, render_previews

# Every picture of the set shows but for these.
UNREADABLE = {
    "broken/2216-11-15-11-46-51-sep-2216-11-15-11-46-51a.jpg": "truncated",
    "broken/NegativeArraySizeException.HeifReader.processBoxes.heif": "damaged",
    "broken/bomb_40000x40000.png": "too-large",
    "broken/broken image.JPG": "empty",
    "broken/broken.png": "damaged",
    "broken/broken_data_stream.png": "damaged",
    "broken/cmyk.tif": "damaged",
    "broken/corrupted.heic": "damaged",
    "broken/corrupted_city.JPG": "damaged",
    "broken/crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif": "damaged",
    "broken/crash-2020-10-test.tif": "damaged",
    "broken/decompression_bomb.gif": "too-large",
    "broken/empty.heic": "empty",
    "broken/html_named.jpg": "not-a-picture",
    "broken/huge_tag_exif.jpg": "truncated",
    "broken/imageSizeError.jpg": "truncated",
    "broken/not_enough_data.jp2": "damaged",
    "broken/oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif": "damaged",
    "broken/reallybig.bmp": "too-large",
    "broken/text_named.jpg": "not-a-picture",
    "broken/truncated_40_percent.jpg": "truncated",
    "broken/truncated_video.mp4": "truncated",
    "broken/zero_bytes.jpg": "empty",
    "raw/CanonRaw.cr3": "raw-unreadable",
    "raw/CanonRaw.crw": "raw-unreadable",
    "raw/FujiFilm.raf": "raw-unreadable",
    "raw/Panasonic.rw2": "raw-unreadable",
    "raw/sample.arw": "raw-unreadable",
    "raw/sample.cr2": "raw-unreadable",
}


def entries(shared: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((shared / "photos" / "MANIFEST.json").read_text())["files"]
    return listed


def outcome(path: Path, into: Path) -> Previews | str:
    """The previews, or the code for which there are none; "skipped" for what is none of a photo's business."""
    kind = read_file(path).kind
    if other := not_a_photo(kind, path.name):
        return other.code if other.failed else "skipped"
    try:
        return render_previews(path, kind.name, into)
    except PoisonError as error:
        return error.code


# The journey of the same files, from the folder to the page, is in the quick tests.
@pytest.mark.slow
def test_every_readable_picture_shows_and_every_other_says_why(shared: Path, tmp_path: Path) -> None:
    shown, unreadable, skipped = [], {}, []
    for entry in entries(shared):
        match outcome(shared / "photos" / entry["file"], tmp_path):
            case "skipped":
                skipped.append(entry["file"])
            case str() as code:
                unreadable[entry["file"]] = code
            case Previews() as made:
                shown.append(entry["file"])
                size = entry["expected"].get("displayed")
                if size and not entry["file"].startswith("raw/"):
                    assert [made.width, made.height] == size or "heic" in entry["file"], entry["file"]
    assert unreadable == UNREADABLE
    assert (len(shown), len(skipped)) == (312, 13)


def test_the_eight_orientations_of_one_photo_look_alike(shared: Path, tmp_path: Path) -> None:
    seen = []
    for number in range(1, 9):
        made = render_previews(shared / "photos" / "orientation" / f"landscape_{number}.jpg", "jpeg", tmp_path)
        assert (made.width, made.height) == (600, 450)
        with Image.open(tmp_path / "tile.webp") as tile:
            seen.append(np.asarray(tile.convert("L").resize((60, 45)), dtype=float))
    for other in seen[1:]:
        assert np.abs(seen[0] - other).mean() < 8  # but for the number painted into each


def test_the_same_numbers_in_display_p3_show_richer_and_otherwise_alike(shared: Path, tmp_path: Path) -> None:
    """The two files hold the same numbers; only the profile tells them apart."""
    seen = []
    for name in ("Iceland-P3.jpg", "Iceland-sRGB.jpg"):
        render_previews(shared / "photos" / "good" / "formats" / name, "jpeg", tmp_path)
        with Image.open(tmp_path / "tile.webp") as tile:
            seen.append(np.asarray(tile.convert("RGB"), dtype=float))
    red, _, blue = (seen[0] - seen[1]).mean(axis=(0, 1))
    assert red > 1 and blue < -1, "a sunset's orange is deeper in the wider space"
    assert np.abs(seen[0] - seen[1]).mean() < 8


def test_nothing_in_the_set_takes_long_to_read(shared: Path) -> None:
    import time

    start = time.process_time()
    files = [shared / "photos" / entry["file"] for entry in entries(shared)]
    for path in files:
        read_metadata(path, read_file(path).kind)
    assert time.process_time() - start < 0.02 * len(files)
