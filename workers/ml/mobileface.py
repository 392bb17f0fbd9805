"""Builds the network that tells faces apart, in Keras, from its weights as they were published for MXNet.

Every operation of the graph becomes a Keras layer with the same weights; the result of a face is then made to have
unit length. The finished network is written as a TFLite file with 16-bit weights.
"""

import ast
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.ml.mxnet import Node, read_graph, read_weights
from workers.ml.runtime import tensorflow

SIDE = 112
NUMBERS = 256
# MXNet's own, when the graph names none; TensorFlow's would be another.
_EPSILON = 1e-3

Weights = dict[str, NDArray[np.float32]]


def convert(graph: Path, weights: Path, target: Path) -> None:
    """Write the network of a graph and its weights as a TFLite file that appears whole or not at all.

    Raises ValueError when the files are not what they should be.
    """
    tf = tensorflow()
    converter = tf.lite.TFLiteConverter.from_keras_model(build(read_graph(graph), read_weights(weights)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    _write(target, converter.convert())


def build(graph: Sequence[Node], weights: Weights) -> Any:
    """The Keras model: (N, 112, 112, 3) RGB values from 0 to 255 in, (N, 256) of unit length out."""
    keras = tensorflow().keras
    picture = keras.Input((SIDE, SIDE, 3), dtype="float32")
    made: dict[int, Any] = {}
    last = picture
    for number, node in enumerate(graph):
        if node.op == "null":
            if node.name == "data":
                made[number] = picture
            continue
        if node.op not in _LAYERS:
            raise ValueError(f"{node.name} is a {node.op}, which this network should not have")
        own = [weights[graph[at].name] for at in node.inputs if at not in made]
        last = made[number] = _LAYERS[node.op](keras, node, own, [made[at] for at in node.inputs if at in made])
    return keras.Model(picture, keras.layers.UnitNormalization(axis=-1)(last))


def _convolution(keras: Any, node: Node, own: list[NDArray[np.float32]], inputs: list[Any]) -> Any:
    kernel, stride, pad = (_pair(node, name) for name in ("kernel", "stride", "pad"))
    source = keras.layers.ZeroPadding2D(pad)(inputs[0]) if any(pad) else inputs[0]
    options = {"strides": stride, "use_bias": len(own) > 1, "padding": "valid"}
    if int(node.attrs.get("num_group", 1)) == 1:
        # MXNet: out, in, height, width. Keras: height, width, in, out.
        return _weighted(
            keras.layers.Conv2D(own[0].shape[0], kernel, **options),
            source,
            [own[0].transpose(2, 3, 1, 0), *own[1:]],
        )
    layer = keras.layers.DepthwiseConv2D(kernel, **options)
    return _weighted(layer, source, [own[0].transpose(2, 3, 0, 1), *own[1:]])


def _normalisation(keras: Any, node: Node, own: list[NDArray[np.float32]], inputs: list[Any]) -> Any:
    layer = keras.layers.BatchNormalization(epsilon=float(node.attrs.get("eps", _EPSILON)))
    return _weighted(layer, inputs[0], own)


def _dense(keras: Any, _node: Node, own: list[NDArray[np.float32]], inputs: list[Any]) -> Any:
    return _weighted(keras.layers.Dense(own[0].shape[0], use_bias=len(own) > 1), inputs[0], [own[0].T, *own[1:]])


def _flatten(keras: Any, _node: Node, _own: list[NDArray[np.float32]], inputs: list[Any]) -> Any:
    # MXNet has the channels first, and the weights that follow count on it.
    return keras.layers.Flatten()(keras.layers.Permute((3, 1, 2))(inputs[0]))


def _scalar(operation: Callable[[Any, Any, float], Any]) -> Callable[..., Any]:
    def layer(keras: Any, node: Node, _own: list[NDArray[np.float32]], inputs: list[Any]) -> Any:
        return operation(keras, inputs[0], float(node.attrs["scalar"]))

    return layer


_LAYERS: dict[str, Callable[..., Any]] = {
    "Convolution": _convolution,
    "BatchNorm": _normalisation,
    "FullyConnected": _dense,
    "Flatten": _flatten,
    "elemwise_add": lambda keras, _node, _own, inputs: keras.layers.Add()(inputs),
    "_minus_scalar": _scalar(lambda keras, x, by: keras.layers.Rescaling(1.0, -by)(x)),
    "_mul_scalar": _scalar(lambda keras, x, by: keras.layers.Rescaling(by)(x)),
    "_maximum_scalar": _scalar(lambda keras, x, low: keras.ops.maximum(x, low)),
    "_minimum_scalar": _scalar(lambda keras, x, high: keras.ops.minimum(x, high)),
}


def _weighted(layer: Any, source: Any, own: list[NDArray[np.float32]]) -> Any:
    made = layer(source)
    layer.set_weights(own)
    return made


def _pair(node: Node, name: str) -> tuple[int, int]:
    pair = ast.literal_eval(node.attrs.get(name, "(0, 0)" if name == "pad" else "(1, 1)"))
    return int(pair[0]), int(pair[1])


def _write(target: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    Path(name).replace(target)
