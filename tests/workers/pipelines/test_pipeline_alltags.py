"""All metadata of a file on demand: every part of it, whatever the file is."""

from pathlib import Path

import pytest

from tests.workers.pipelines.test_pipeline_shared import entries
from workers.pipelines.alltags import Group, read_all_tags
from workers.pipelines.files import read_file


def groups_of(path: Path) -> dict[str, dict[str, str]]:
    found: list[Group] = read_all_tags(path, read_file(path).kind)
    return {group.title: dict(group.tags) for group in found}


def test_exif_makers_note_and_container_are_listed(shared: Path) -> None:
    found = groups_of(shared / "photos" / "geo" / "DSCN0010.jpg")
    assert found["EXIF: image"]["Model"] == "COOLPIX P6000"
    assert found["EXIF: GPS"]["GPSLatitudeRef"] == "N"
    assert len(found["Maker's note"]) > 10
    assert (found["Container"]["Kind"], found["Container"]["Width"]) == ("JPEG picture", "640")


def test_xmp_of_any_namespace_iptc_and_the_profile_are_listed(shared: Path) -> None:
    found = groups_of(shared / "photos" / "broken" / "before_epoch.jpg")
    assert found["IPTC"]["Caption"] == "Bambi Caption"
    assert "Bambi" in found["XMP"]["dc:subject"]
    assert any("Region" in name for name in found["XMP"])
    assert (
        "P3"
        in groups_of(shared / "photos" / "good" / "formats" / "Iceland-P3.jpg")["Colour profile"]["Description"]
    )


@pytest.mark.slow
def test_every_file_of_the_shared_photos_is_read_with_few_and_short_values(shared: Path) -> None:
    for entry in entries(shared):
        path = shared / "photos" / entry["file"]
        for group in read_all_tags(path, read_file(path).kind):
            assert len(group.tags) <= 5000
            assert all(len(text) <= 500 and "\x00" not in text for _, text in group.tags), entry["file"]
