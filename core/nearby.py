"""The pictures whose bits differ least from one's: all of them are compared, in memory.

Every program that asks holds 84 bytes a picture, read once and from then on only what is new. A million take 20 ms
on one core. What was written anew is held twice, the former bits too: whoever compares the numbers sees.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from core.bits import BITS
from core.codes import Rows, codes_since

_WORDS = BITS // 64
# Pictures in one block: what is new is joined to the last one, which is copied for it.
_BLOCK = 65_536
_FAR = BITS + 1


@dataclass(frozen=True, slots=True)
class _Block:
    """Pictures beside one another: ids of 16 bytes, their libraries by number, and their bits word by word."""

    photos: NDArray[np.void]
    libraries: NDArray[np.int32]
    words: NDArray[np.uint64]  # _WORDS rows: a word of all pictures is read in one go

    def __len__(self) -> int:
        return len(self.photos)


@dataclass(slots=True)
class _Book:
    """All pictures of one model."""

    blocks: tuple[_Block, ...] = ()
    front: str = ""
    libraries: dict[UUID, int] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)


_books: dict[tuple[str, str], _Book] = {}
_making = threading.Lock()


def nearby(
    model: str, code: NDArray[np.uint8], libraries: Collection[UUID] | None, most: int
) -> tuple[list[UUID], bool]:
    """The photos whose bits differ least from this code, the nearest first; and whether there are more.

    Of these libraries, or of all with None. The picture itself is among them.
    """
    book = _book_of(model)
    blocks = book.blocks
    if not blocks:
        return [], False
    wanted = None if libraries is None else [book.libraries[one] for one in libraries if one in book.libraries]
    far = np.concatenate([_distances(block, code.view(np.uint64), wanted) for block in blocks])
    count = int((far < _FAR).sum())
    near = np.argpartition(far, most)[:most] if most < len(far) else np.arange(len(far))
    near = near[far[near] < _FAR]
    # Of equals the earlier one, so that the same question has the same answer.
    near = near[np.lexsort((near, far[near]))]
    # All blocks but the last are full.
    ids = (blocks[at // _BLOCK].photos[at % _BLOCK].tobytes() for at in near.tolist())
    return list(dict.fromkeys(UUID(bytes=one) for one in ids)), count > most


def forget() -> None:
    """Read everything anew next time."""
    _books.clear()


def _distances(block: _Block, code: NDArray[np.uint64], libraries: Collection[int] | None) -> NDArray[np.uint16]:
    far: NDArray[np.uint16] = np.bitwise_count(block.words[0] ^ code[0]).astype(np.uint16)
    for at in range(1, _WORDS):
        far += np.bitwise_count(block.words[at] ^ code[at])
    if libraries is not None:
        # Few libraries: one comparison each is a tenth of what a search in a set takes.
        wanted = np.zeros(len(block), np.bool_)
        for one in libraries:
            wanted |= block.libraries == one
        far[~wanted] = _FAR
    return far


def _book_of(model: str) -> _Book:
    """What is known of a model, brought up to date."""
    key = (str(connection.settings_dict["NAME"]), model)
    with _making:
        book = _books.setdefault(key, _Book())
    with book.turn:
        rows = codes_since(model, book.front)
        book.front = rows.front
        if len(rows.photos):
            _add(book, rows)
    return book


def _add(book: _Book, rows: Rows) -> None:
    fresh = _Block(rows.photos, _numbered(book, rows.libraries), rows.codes.view(np.uint64).T)
    if book.blocks and len(book.blocks[-1]) < _BLOCK:
        last = book.blocks[-1]
        fresh = _Block(
            np.concatenate([last.photos, fresh.photos]),
            np.concatenate([last.libraries, fresh.libraries]),
            np.concatenate([last.words, fresh.words], axis=1),
        )
        book.blocks = book.blocks[:-1]
    parts = [slice(start, start + _BLOCK) for start in range(0, len(fresh), _BLOCK)]
    book.blocks += tuple(
        _Block(fresh.photos[part], fresh.libraries[part], np.ascontiguousarray(fresh.words[:, part]))
        for part in parts
    )


def _numbered(book: _Book, libraries: NDArray[np.void]) -> NDArray[np.int32]:
    """Libraries by number; one that is new gets the next."""
    halves = libraries.view(np.uint64).reshape(-1, 2)
    numbers = np.full(len(libraries), -1, np.int32)
    while (left := np.flatnonzero(numbers < 0)).size:
        here = libraries[left[0]]
        number = book.libraries.setdefault(UUID(bytes=here.tobytes()), len(book.libraries))
        numbers[(halves == halves[left[0]]).all(axis=1)] = number
    return numbers
