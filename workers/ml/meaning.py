"""Describes pictures and words by numbers of one space: a picture is near to the words that say what it shows.

The networks and what they want of pictures and words come from a preset of keras-hub's, CLIP or SigLIP.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ml import runtime

Floats = NDArray[np.float32]
_FETCHED = ("*.json", "*.h5", "assets/*", "assets/**/*")


class TextImage:
    """A loaded preset. `side`: pixels of the square that its network sees."""

    def __init__(self, folder: Path) -> None:
        hub = _keras_hub()
        preset = str(folder)
        self._network = hub.models.Backbone.from_preset(preset)
        # As a whole, so that a preset's own settings hold: how long a text may be, whether capitals count.
        kinds = {"CLIPBackbone": "CLIPPreprocessor", "SigLIPBackbone": "SigLIPPreprocessor"}
        self._prepare = getattr(hub.models, kinds[type(self._network).__name__]).from_preset(preset)
        self.side = int(self._network.vision_encoder.image_shape[0])

    def describe_picture(self, picture: Image.Image) -> Floats:
        """(numbers,) of unit length, from an RGB picture of any size."""
        pixels = np.asarray(picture, np.float32)[None]
        return _unit(self._network.get_vision_embeddings(self._prepare.image_converter(pixels)))

    def describe_text(self, text: str) -> Floats:
        """(numbers,) of unit length."""
        # It asks for a picture beside the words, whatever it is.
        made = self._prepare({"prompts": [text], "images": np.zeros((1, 8, 8, 3), np.float32)})
        return _unit(self._network.get_text_embeddings(made["token_ids"]))


def load(folder: Path) -> TextImage:
    """The preset in a folder; kept for the next call, loaded anew when its files change.

    Raises ValueError, or what Keras likes to raise, for one that makes no sense.
    """
    newest = max((path.stat().st_mtime_ns for path in folder.glob("*.*")), default=0)
    try:
        return _load(str(folder), newest)
    except OSError as error:
        if error.errno is not None:  # the disk's fault
            raise
        raise ValueError(f"its weights cannot be read: {error}") from error


def fetch(handle: str, target: Path) -> None:
    """Fetch a preset from a hub into a folder: kaggle://…, or hf://… with a revision behind an @ if one is wanted.

    Raises what the hub's own program raises.
    """
    kind, _, name = handle.partition("://")
    if kind == "hf":
        # Nobody is told what is fetched here but who sends it.
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        import huggingface_hub

        repository, _, revision = name.partition("@")
        huggingface_hub.snapshot_download(
            repository, revision=revision or None, local_dir=str(target), allow_patterns=list(_FETCHED)
        )
        return
    import kagglehub

    # By force: it refuses to go on in a folder in which an earlier attempt has left something.
    kagglehub.model_download(name, output_dir=str(target), force_download=True)


@lru_cache(maxsize=1)
def _load(folder: str, _newest: int) -> TextImage:
    return TextImage(Path(folder))


def _keras_hub() -> Any:
    # Keras asks when it is first imported; it is there with TensorFlow, and nothing else is.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    runtime.tensorflow()
    import keras_hub

    return keras_hub


def _unit(made: Any) -> Floats:
    numbers = np.asarray(made, np.float32)[0]
    return np.asarray(numbers / np.linalg.norm(numbers), np.float32)
