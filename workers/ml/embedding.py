"""Describes faces by numbers: those of one person are near to each other, whatever they wear and how they look."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.ml.runtime import Model


def describe(model: Model, faces: Sequence[Image.Image]) -> NDArray[np.float32]:
    """(N, 256) of unit length, from faces that `alignment.align` cut out.

    Each is the mean of a face and its mirror image. All in one batch: that is a fifth quicker than one by one.
    """
    if not faces:
        return np.zeros((0, 256), np.float32)
    batch = np.stack([np.asarray(face, np.float32) for face in faces])
    made = model(np.concatenate([batch, batch[:, :, ::-1]]))[0]
    both = made[: len(faces)] + made[len(faces) :]
    return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True), np.float32)
