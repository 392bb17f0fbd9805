"""The same picture is known again in another size, format or tone; another moment is not."""

import io
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from core.domain.likeness import ALIKE, Likeness
from workers.pipelines.files import read_file
from workers.pipelines.likeness import likeness_of
from workers.pipelines.previews import render_previews

# In the shared folder, what belongs together; all others there stand alone.
CAT = ["cat_1080p.jpg", "cat_720p copy.jpg", "cat_crop10.jpg", "cat_half.jpg", "cat_q40.jpg", "cat_stripped.jpg"]
JUPITER = ["Issue 600 (1).jpg", "Issue 600 (2).jpg"]
SCANNER = ["Kodak CLAS Digital Film Scanner HR200 (1).jpg", "Kodak CLAS Digital Film Scanner HR200 (2).jpg"]


def scene(seed: int) -> Image.Image:
    """Large soft shapes in colour, as a photo has them."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return Image.fromarray(noise).resize((660, 440), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(4))


def recompressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=35)
    return Image.open(file)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "smaller": lambda image: image.resize((220, 147)),
    "larger": lambda image: image.resize((1200, 800)),
    "recompressed": recompressed,
    "brightened": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "grey": lambda image: image.convert("L"),
    "colourful": lambda image: ImageEnhance.Color(image).enhance(1.5),
    "cropped": lambda image: image.crop((8, 5, 652, 435)),
}


def known(image: Image.Image) -> Likeness:
    return Likeness.parse(likeness_of(image))


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_known_again(change: str) -> None:
    for seed in range(5):
        image = scene(seed)
        assert known(image).is_near(known(CHANGES[change](image)))


def test_a_smaller_copy_looks_the_same_and_a_cropped_one_does_not_quite() -> None:
    image = scene(1)
    assert known(image).distance(known(CHANGES["smaller"](image))) <= ALIKE
    assert known(image).distance(known(image.crop((16, 11, 644, 429)))) > ALIKE


def test_other_scenes_and_other_moments_are_told_apart() -> None:
    scenes = [known(scene(seed)) for seed in range(30)]
    # Somebody went on with the camera: the same things, elsewhere in the picture.
    panned = [
        known(scene(seed).transform((660, 440), Image.Transform.AFFINE, (1, 0, 160, 0, 1, 0))) for seed in (1, 2)
    ]
    assert not any(one.is_near(other) for one, other in combinations([*scenes, *panned], 2))


@pytest.mark.parametrize("colour", ["black", "white", "#7a7a7c"])
def test_a_picture_with_nothing_in_it_is_like_no_other(colour: str) -> None:
    assert likeness_of(Image.new("RGB", (660, 440), colour)) == ""


def test_the_shared_duplicates_are_found_and_nothing_else(shared: Path, tmp_path: Path) -> None:
    looks = {}
    for path in sorted((shared / "photos" / "duplicates").glob("*.jpg")):
        made = render_previews(path, read_file(path).kind.name, tmp_path)
        looks[path.name] = Likeness.parse(made.likeness)
    near = {pair for pair in combinations(sorted(looks), 2) if looks[pair[0]].is_near(looks[pair[1]])}
    assert near == {pair for group in (CAT, JUPITER, SCANNER) for pair in combinations(sorted(group), 2)}
