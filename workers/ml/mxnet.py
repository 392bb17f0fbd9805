"""Reads networks that were published for MXNet, a library that is no longer kept: weights and graph.

The format is that of MXNet 1.x (`NDArray::Save` in its src/ndarray/ndarray.cc): little endian, a list of arrays,
then their names.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LIST = 0x112
_ARRAY_V2 = 0xF993FAC9
_DENSE, _FLOAT32 = 0, 0
# More dimensions, or longer names, are no weights of a network: the file is another one.
_MOST_DIMENSIONS, _LONGEST_NAME = 8, 1000


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a graph; `inputs` are numbers of nodes. `op` "null" is an input or a weight."""

    op: str
    name: str
    attrs: dict[str, str]
    inputs: tuple[int, ...]


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays of a `.params` file by name. Raises ValueError for another kind of file."""
    reader = _Reader(path.read_bytes())
    if reader.take("<QQ")[0] != _LIST:
        raise ValueError(f"{path.name} is no list of MXNet arrays")
    arrays = [_array(reader) for _ in range(reader.take("<Q")[0])]
    names = [_name(reader) for _ in range(reader.take("<Q")[0])]
    return dict(zip(names, arrays, strict=True))


def read_graph(path: Path) -> list[Node]:
    """The operations of a `-symbol.json` file, each after those that it needs."""
    return [
        Node(node["op"], node["name"], _attributes(node), tuple(one[0] for one in node["inputs"]))
        for node in json.loads(path.read_text())["nodes"]
    ]


class _Reader:
    """A position in a file's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, form: str) -> tuple[int, ...]:
        size = struct.calcsize(form)
        return struct.unpack(form, self.bytes(size))

    def bytes(self, count: int) -> bytes:
        if count < 0 or self._at + count > len(self._data):
            raise ValueError("the file of weights ends in the middle")
        part = self._data[self._at : self._at + count]
        self._at += count
        return part


def _array(reader: _Reader) -> NDArray[np.float32]:
    magic, storage, dimensions = reader.take("<IiI")
    if magic != _ARRAY_V2 or storage != _DENSE or dimensions > _MOST_DIMENSIONS:
        raise ValueError("an array of a kind that MXNet 1.x did not write")
    shape = reader.take(f"<{dimensions}q")
    _device, _number, kind = reader.take("<iii")
    if kind != _FLOAT32:
        raise ValueError("weights that are not 32-bit floats")
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(reader.bytes(4 * count), dtype="<f4").reshape(shape)


def _name(reader: _Reader) -> str:
    length = reader.take("<Q")[0]
    if length > _LONGEST_NAME:
        raise ValueError("the name of an array is too long to be one")
    # "arg:conv1_weight" or "aux:bn1_moving_mean"
    return reader.bytes(length).decode().partition(":")[2]


def _attributes(node: dict[str, Any]) -> dict[str, str]:
    return dict(node.get("attrs") or node.get("param") or {})
