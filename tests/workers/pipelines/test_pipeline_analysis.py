"""What a picture shows is not said of one in which there is nothing to see."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from workers.ml import scenes
from workers.ml.objects import Found
from workers.pipelines import analysis
from workers.pipelines.analysis import Previews, look_at

NAMES = {"objects": {"detector": Path("x")}, "scenes": {"classifier": Path("x")}}


def drawn(size: tuple[int, int], *, plain: bool) -> Image.Image:
    picture = Image.new("RGB", size, "purple")
    if plain:  # one line is no picture yet
        ImageDraw.Draw(picture).line((0, 0, 9, 0), "white")
    else:
        ImageDraw.Draw(picture).ellipse((8, 8, size[0] // 2, size[1] // 2), "white")
    return picture


@pytest.mark.parametrize(
    ("picture", "named"),
    [
        (drawn((400, 300), plain=False), True),
        (drawn((400, 300), plain=True), False),
        (drawn((60, 40), plain=False), False),
    ],
)
def test_a_tiny_or_plain_picture_gets_no_names_however_sure_the_models_are(
    picture: Image.Image, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        analysis.objects, "find_objects", lambda *_: [Found("airplane", 0.9, (0.0, 0.0, 1.0, 1.0))]
    )
    monkeypatch.setattr(analysis.runtime, "load", lambda _: None)
    monkeypatch.setattr(scenes, "recognise", lambda *_: [scenes.Shown("theater curtain", 0.99, ())])
    tile = tmp_path / "tile.png"
    picture.save(tile)
    seen = look_at(Previews(tile, tile), NAMES)
    assert seen.objects is not None and seen.scenes is not None
    assert (bool(seen.objects), bool(seen.scenes)) == (named, named)
