"""A text-image preset in a real child process: what comes out is what its network makes by hand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workers.ml import tinypreset
from workers import children, presets
from workers.errors import PoisonError
from workers.pipelines.analysis import Previews, Trouble, look_at
from workers.pipelines.meaning import describe_text

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[3]
LIMITS: dict[str, Any] = {"seconds": 120, "memory_mib": 4096}


def tiny(folder: Path, kind: str, words: str) -> dict[str, Any]:
    """Make a preset; what it makes of the words and of three pictures."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.workers.ml.tinypreset", str(folder), kind, words],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    known: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return known


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_words_and_pictures_are_described_as_the_network_does_it(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    known = tiny(folder, kind, "A Red boat")
    [preset] = presets.presets_in([tmp_path])
    assert (preset.kind, preset.lacking) == (kind, ())
    text = children.run_in_child("analysis", describe_text, folder, "a red boat", **LIMITS)
    assert text == pytest.approx(known["text"], abs=1e-5)
    assert np.linalg.norm(text) == pytest.approx(1)
    for number, alike in enumerate(known["alike"]):
        path = tmp_path / f"{number}.png"
        Image.fromarray(tinypreset.noise(number)).save(path)
        models = {"meaning": {"preset": folder}}
        seen = children.run_in_child("analysis", look_at, Previews(path, path), models, **LIMITS)
        assert isinstance(seen.meaning, list), seen.meaning
        assert float(np.dot(seen.meaning, text)) == pytest.approx(alike, abs=1e-5)
    # Anything that is not whole costs this analysis alone, and says what it is.
    (folder / "tokenizer.json").write_text('{"registered_name": "nothing"}')
    (folder / "model.weights.h5").write_bytes(b"no weights")
    with pytest.raises(PoisonError, match=r"The preset in .* could not be used"):
        children.run_in_child("analysis", describe_text, folder, "a red boat", **LIMITS)
    seen = children.run_in_child("analysis", look_at, Previews(path, path), models, **LIMITS)
    assert isinstance(seen.meaning, Trouble)
    children.stop()
