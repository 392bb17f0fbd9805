"""The two models that name things hear each other: what each may take away from the other, and what it may not."""

from pathlib import Path

import pytest
from PIL import Image

from workers.ml.agreement import settled
from workers.ml.objects import Found
from workers.ml.scenes import Shown, classes
from workers.pipelines import analysis as pipeline

SMALL, MIDDLE, MOST = (0.1, 0.1, 0.3, 0.3), (0.2, 0.2, 0.8, 0.7), (0.0, 0.0, 0.9, 0.9)


def named(label: str, score: float = 0.9) -> Shown:
    return Shown(label, score, next(one.kinds for one in classes() if one.label == label))


def kind(label: str, *kinds: str) -> Shown:
    return Shown(label, 0.9, kinds)


@pytest.mark.parametrize(
    ("things", "shown", "left", "said"),
    [
        ([Found("sheep", 0.87, MIDDLE), Found("person", 0.6, SMALL)], named("marmot"), ["person"], "marmot"),
        ([Found("bird", 0.87, MIDDLE)], named("macaw"), ["bird"], "macaw"),
        ([Found("dog", 0.87, MIDDLE)], named("tabby"), ["dog"], "animal"),
        ([Found("dog", 0.87, SMALL)], named("tabby"), ["dog"], "tabby"),
        ([Found("dog", 0.8, SMALL), Found("cat", 0.8, MIDDLE)], named("tabby"), ["dog", "cat"], "tabby"),
        ([Found("bear", 0.76, MIDDLE)], kind("monkey", "primate", "mammal", "animal"), ["bear"], "animal"),
        ([Found("bear", 0.6, MIDDLE)], kind("monkey", "primate", "mammal", "animal"), ["bear"], "monkey"),
        ([Found("airplane", 0.73, MIDDLE)], named("space shuttle"), ["airplane"], "vehicle"),
        ([Found("airplane", 0.73, MIDDLE)], named("warplane"), ["airplane"], "warplane"),
        ([Found("airplane", 0.73, MIDDLE)], named("seashore"), ["airplane"], "seashore"),
        ([Found("train", 0.73, MIDDLE)], named("passenger car"), ["train"], "passenger car"),
        ([Found("person", 0.95, MOST)], named("suit"), ["person"], "suit"),
    ],
)
def test_what_the_models_say_together(things: list[Found], shown: Shown, left: list[str], said: str) -> None:
    kept, names = settled(things, [shown])
    assert [one.label for one in kept] == left
    assert [one.label for one in names] == [said]


def test_of_what_takes_half_of_the_picture_more_is_asked() -> None:
    things = [Found("cake", 0.6, MOST), Found("vase", 0.6, MIDDLE), Found("cat", 0.75, MOST)]
    assert [one.label for one in settled(things, [])[0]] == ["vase", "cat"]


def test_a_look_at_a_photo_asks_both_and_one_that_failed_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = tmp_path / "tile.png"
    Image.effect_noise((64, 64), 80).save(tile)
    marmot = pipeline.Scene("marmot", 0.9, named("marmot").kinds)
    monkeypatch.setattr(pipeline, "_labels", lambda *_: [pipeline.Label("sheep", 0.87, MIDDLE)])
    monkeypatch.setattr(pipeline, "_scenes", lambda *_: [marmot])
    both = pipeline.look_at(pipeline.Previews(tile, tile), {"objects": {}, "scenes": {}})
    assert both.objects == [] and both.scenes == [marmot]
    alone = pipeline.look_at(pipeline.Previews(tile, tile), {"objects": {}})
    assert [one.label for one in alone.objects or []] == ["sheep"] and alone.scenes is None
    monkeypatch.setattr(pipeline, "_scenes", lambda *_: 1 / 0)
    failed = pipeline.look_at(pipeline.Previews(tile, tile), {"objects": {}, "scenes": {}})
    assert isinstance(failed.scenes, pipeline.Trouble) and len(failed.objects or []) == 1
