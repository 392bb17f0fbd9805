"""Describes a picture by numbers, so that pictures of the same kind can be found: not by words, by each other."""

import numpy as np
from numpy.typing import NDArray

from workers.ml.runtime import Model

# The model's own: its output is eight bits wide.
_STEP = 0.0235285


def describe_picture(model: Model, square: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(1024,), raw, from a picture as `scenes.squashed` makes it.

    Who compares them takes the mean of the library away first.
    """
    return np.asarray(model(square)[0].reshape(-1), np.float32) * np.float32(_STEP)
