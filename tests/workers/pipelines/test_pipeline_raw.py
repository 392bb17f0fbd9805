"""RAW files are developed, or show the camera's own JPEG; giants fit into the memory of a child."""

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workers.pipelines.showing import assert_upright, corners, jpeg, pixels, refused
from workers.pipelines.previews import render_previews


def dng(path: Path, *, width: int = 640, height: int = 480, values: Any = None) -> Path:
    """An uncompressed Bayer DNG: little else than the tags that LibRaw needs."""
    if values is None:
        ramp = np.linspace(2000, 40000, width)[None, :] + np.random.default_rng(1).normal(0, 300, (height, width))
        values = ramp
    data = np.clip(values, 0, 65535).astype("<u2").tobytes()
    tags: list[tuple[int, int, int, bytes]] = [
        (254, 4, 1, struct.pack("<I", 0)),
        (256, 4, 1, struct.pack("<I", width)),
        (257, 4, 1, struct.pack("<I", height)),
        (258, 3, 1, struct.pack("<HH", 16, 0)),
        (259, 3, 1, struct.pack("<HH", 1, 0)),
        (262, 3, 1, struct.pack("<HH", 32803, 0)),
        (271, 2, 5, b"Test\x00"),
        (272, 2, 6, b"Bayer\x00"),
        (273, 4, 1, b"DATA"),
        (274, 3, 1, struct.pack("<HH", 6, 0)),
        (277, 3, 1, struct.pack("<HH", 1, 0)),
        (278, 4, 1, struct.pack("<I", height)),
        (279, 4, 1, struct.pack("<I", len(data))),
        (33421, 3, 2, struct.pack("<HH", 2, 2)),
        (33422, 1, 4, bytes((0, 1, 1, 2))),
        (50706, 1, 4, bytes((1, 4, 0, 0))),
        (50708, 2, 11, b"Test Bayer\x00"),
        (50721, 10, 9, b"".join(struct.pack("<ii", n, 1) for n in (1, 0, 0, 0, 1, 0, 0, 0, 1))),
        (50728, 5, 3, struct.pack("<6I", 1, 2, 1, 1, 1, 2)),
        (50778, 3, 1, struct.pack("<HH", 21, 0)),
    ]
    extra, entries, start = b"", b"", 8 + 2 + 12 * len(tags) + 4
    for tag, kind, count, body in tags:
        place = body
        if len(body) > 4:
            place = struct.pack("<I", start + len(extra))
            extra += body + bytes(len(body) & 1)
        entries += struct.pack("<HHI", tag, kind, count) + place.ljust(4, b"\x00")
    pixels_at = struct.pack("<I", start + len(extra))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries.replace(b"DATA", pixels_at) + bytes(4)
    path.write_bytes(head + extra + data)
    return path


def test_a_raw_is_developed_and_turned(tmp_path: Path) -> None:
    made = render_previews(dng(tmp_path / "a.dng"), "dng", tmp_path)
    assert (made.width, made.height, made.method) == (480, 640, "raw")
    shown = pixels(tmp_path).convert("L")
    top, bottom = shown.getpixel((240, 60)), shown.getpixel((240, 580))
    assert bottom - top > 60  # the ramp ran to the right; a quarter turn clockwise makes it run down


def test_a_raw_of_noise_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).uniform(0, 65535, (480, 640))
    assert refused(dng(tmp_path / "a.dng", values=noise), "dng", tmp_path).code == "raw-unreadable"


def test_a_raw_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    data = dng(tmp_path / "a.dng").read_bytes()
    for keep in (2000, len(data) // 2):
        (tmp_path / "a.dng").write_bytes(data[:keep])
        assert refused(tmp_path / "a.dng", "dng", tmp_path).code in ("raw-unreadable", "truncated")


def test_a_raw_that_cannot_be_read_shows_the_cameras_large_jpeg(tmp_path: Path) -> None:
    inside = jpeg(corners(1920, 1280))
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(500) + inside + bytes(5000))
    made = render_previews(tmp_path / "a.raf", "raf", tmp_path)
    assert (made.method, made.width, made.height) == ("embedded jpeg", 1920, 1280)
    assert_upright(tmp_path)


def test_a_raw_with_only_a_small_jpeg_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(500) + jpeg(corners()) + bytes(5000))
    assert refused(tmp_path / "a.raf", "raf", tmp_path).code == "raw-unreadable"


MEASURE = """
import sys
from pathlib import Path
from workers.pipelines.previews import render_previews
made = render_previews(Path(sys.argv[1]), "jpeg", Path(sys.argv[2]))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(made.width, made.height, int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.slow
def test_j31_250_megapixels_fit_into_one_gigabyte(tmp_path: Path, progressive: bool) -> None:
    size = (18_250, 13_700)
    tile = jpeg(Image.radial_gradient("L").resize((1825, 1370)).convert("RGB"))
    with Image.open(io.BytesIO(tile)) as small:
        big = small.resize(size, Image.Resampling.NEAREST)
    big.save(tmp_path / "a.jpg", quality=60, progressive=progressive)
    del big
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / "a.jpg", tmp_path],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    width, height, mebibytes = map(int, answer.stdout.split())
    assert (width, height) == size
    assert mebibytes < 1024
