"""Runs model files: TFLite and Keras behind one small interface, loaded when first asked for.

TensorFlow is imported here and nowhere else, late, so that only the process which analyses pays for it.
"""

import os
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Twice the threads make it up to 1.9 times as quick on two cores, and hardly quicker beyond four.
THREADS = min(4, os.cpu_count() or 1)


class Model(Protocol):
    """A loaded model: one batch of inputs in, one array for each output out."""

    def __call__(self, batch: Array) -> Sequence[Array]: ...


def load(path: Path) -> Model:
    """The model in a file, by its ending; kept for the next call, loaded anew when the file changes.

    Raises ValueError when TensorFlow cannot make sense of it.
    """
    return _load(str(path), path.stat().st_mtime_ns)


def unload() -> None:
    """Let go of every model. (A child process that idles ends altogether.)"""
    _load.cache_clear()


def loaded() -> int:
    """How many models are held."""
    return _load.cache_info().currsize


@lru_cache(maxsize=12)
def _load(path: str, _mtime_ns: int) -> Model:
    return _Keras(path) if path.endswith(".keras") else _TFLite(path)


class _TFLite:
    """A TFLite interpreter. It takes other numbers of inputs than one where the model can be resized."""

    def __init__(self, path: str) -> None:
        with warnings.catch_warnings():
            # TensorFlow 2.21 says at each use that tf.lite will move to another package.
            warnings.simplefilter("ignore")
            self._interpreter = tensorflow().lite.Interpreter(model_path=path, num_threads=THREADS)
        self._interpreter.allocate_tensors()
        self._into = self._interpreter.get_input_details()[0]
        self._out = [one["index"] for one in self._interpreter.get_output_details()]
        self._shape = tuple(self._into["shape"])

    def __call__(self, batch: Array) -> Sequence[Array]:
        if batch.shape != self._shape:
            self._interpreter.resize_tensor_input(self._into["index"], batch.shape)
            self._interpreter.allocate_tensors()
            self._shape = batch.shape
        self._interpreter.set_tensor(self._into["index"], batch)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._out]


class _Keras:
    """A Keras model; on a graphics card when TensorFlow finds one."""

    def __init__(self, path: str) -> None:
        self._model = tensorflow().keras.models.load_model(path, compile=False)

    def __call__(self, batch: Array) -> Sequence[Array]:
        made = self._model(batch, training=False)
        return [np.asarray(one) for one in (made if isinstance(made, list | tuple) else [made])]


@lru_cache(maxsize=1)
def tensorflow() -> Any:
    """TensorFlow itself, set up once: quiet, a fixed number of threads, a card's memory taken as it is needed."""
    # Read when TensorFlow is imported: nothing below errors on stderr.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for card in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(card, True)
    return tf
