"""The pictures whose bits differ least from one's: all of them are compared, in memory.

Every program that asks holds 84 bytes a picture, read once and from then on only what is new. Three looks, each at
fewer and closer: a part of the bits of all, all bits of the nearest, and how far the numbers in question lie from
each direction. What was written anew is held twice, the former bits too: whoever compares the numbers sees.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from core.bits import BITS, leanings_of
from core.codes import codes_since, newest_model

_WORDS = BITS // 64
# Pictures in one block: what is new is joined to the last one, which is copied for it.
_BLOCK = 65_536
# Compared in pieces that stay in the processor's own memory.
_PIECE = 16_384
# Words that are compared of all pictures; for each that is wanted, so many have the second look, and the third.
_FIRST_WORDS, _SECOND, _THIRD = 3, 30, 6
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
    model: str, numbers: NDArray[np.float32], libraries: Collection[UUID] | None, most: int
) -> tuple[list[str], bool]:
    """The photos (ids as hex, for SQL) that are likely nearest to these numbers, in order; whether there are more.

    Of these libraries, or of all with None. The picture itself is among them.
    """
    book = _book_of(model)
    blocks = book.blocks
    if not blocks:
        return [], False
    wanted = None if libraries is None else [book.libraries[one] for one in libraries if one in book.libraries]
    leaning = leanings_of(model, numbers[None])[0]
    code = np.packbits(leaning > 0).view(np.uint64)
    far = np.concatenate([_distances(block, code, wanted) for block in blocks])
    near = _least(far, _SECOND * most)
    count = len(near)
    words = _words_at(blocks, near)
    if count > _THIRD * most:
        near, words = _closer(near, words, code, _THIRD * most)
    near = near[np.argsort(-_reach(words, leaning), kind="stable")[:most]]
    # All blocks but the last are full.
    ids = (blocks[at // _BLOCK].photos[at % _BLOCK].tobytes().hex() for at in near.tolist())
    return list(dict.fromkeys(ids)), count > most


def read_ahead() -> None:
    """Read the bits before anybody asks: a million take seconds. Harmless where there are none."""
    if (model := newest_model()) is not None:
        _book_of(model)


def forget() -> None:
    """Read everything anew next time."""
    _books.clear()


def _distances(block: _Block, code: NDArray[np.uint64], libraries: Collection[int] | None) -> NDArray[np.uint16]:
    """How many of the first words' bits differ; _FAR where a picture is of another library."""
    far = np.empty(len(block), np.uint16)
    differ, count = np.empty(_PIECE, np.uint64), np.empty(_PIECE, np.uint8)
    for start in range(0, len(block), _PIECE):
        piece = far[start : start + _PIECE]
        size = len(piece)
        total = np.zeros(size, np.uint8)  # three words have 192 bits: a byte is enough
        for at in range(_FIRST_WORDS):
            np.bitwise_xor(block.words[at, start : start + size], code[at], out=differ[:size])
            np.bitwise_count(differ[:size], out=count[:size])
            total += count[:size]
        piece[:] = total
    if libraries is not None:
        # Few libraries: one comparison each is a tenth of what a search in a set takes.
        wanted = np.zeros(len(block), np.bool_)
        for one in libraries:
            wanted |= block.libraries == one
        far[~wanted] = _FAR
    return far


def _least(far: NDArray[np.uint16], most: int) -> NDArray[np.intp]:
    """Where the least distances are, in order of their places; all that are as far as the last one are there."""
    upto = np.bincount(far, minlength=_FAR + 1)[:_FAR].cumsum()
    limit = int(np.searchsorted(upto, most))
    return np.flatnonzero(far <= min(limit, _FAR - 1))


def _words_at(blocks: tuple[_Block, ...], places: NDArray[np.intp]) -> NDArray[np.uint64]:
    """All words of these pictures, given in order: a row for each."""
    edges = np.searchsorted(places, np.arange(len(blocks) + 1) * _BLOCK)
    return np.concatenate(
        [
            block.words[:, places[low:high] - at * _BLOCK].T
            for at, (block, low, high) in enumerate(zip(blocks, edges[:-1], edges[1:], strict=True))
        ]
    )


def _closer(
    places: NDArray[np.intp], words: NDArray[np.uint64], code: NDArray[np.uint64], most: int
) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Of these pictures those of which the least bits differ, by all words."""
    far = np.bitwise_count(words ^ code).sum(axis=1, dtype=np.uint16)
    kept = _least(far, most)
    return places[kept], words[kept]


def _reach(words: NDArray[np.uint64], leaning: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the numbers in question lie on the sides that these pictures are on: what lies near a border counts
    little. Looked up byte by byte."""
    sides = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) * 2 - 1
    table = sides @ leaning.reshape(-1, 8).T  # 256 bytes, 64 places
    codes = np.ascontiguousarray(words).view(np.uint8)
    return np.asarray(table[codes, np.arange(codes.shape[1])].sum(axis=1), np.float32)


def _book_of(model: str) -> _Book:
    """What is known of a model, brought up to date."""
    key = (str(connection.settings_dict["NAME"]), model)
    with _making:
        book = _books.setdefault(key, _Book())
    with book.turn:
        front, blocks = book.front, book.blocks
        for rows in codes_since(model, book.front):
            front, blocks = rows.front, () if rows.anew else blocks
            if len(rows.photos):
                blocks = _joined(blocks, rows.photos, _numbered(book, rows.libraries), rows.codes)
        book.front, book.blocks = front, blocks
    return book


def _joined(
    blocks: tuple[_Block, ...],
    photos: NDArray[np.void],
    libraries: NDArray[np.int32],
    codes: NDArray[np.uint8],
) -> tuple[_Block, ...]:
    """These blocks and more pictures; all blocks but the last are full."""
    fresh = _Block(photos, libraries, codes.view(np.uint64).T)
    if blocks and len(blocks[-1]) < _BLOCK:
        last = blocks[-1]
        fresh = _Block(
            np.concatenate([last.photos, fresh.photos]),
            np.concatenate([last.libraries, fresh.libraries]),
            np.concatenate([last.words, fresh.words], axis=1),
        )
        blocks = blocks[:-1]
    parts = [slice(start, start + _BLOCK) for start in range(0, len(fresh), _BLOCK)]
    return blocks + tuple(
        _Block(fresh.photos[part].copy(), fresh.libraries[part].copy(), np.ascontiguousarray(fresh.words[:, part]))
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
