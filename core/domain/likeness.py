"""When two pictures look like the same one, and which ones so make a group. Measured in docs/duplicates.md."""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

# Of 192 bits this many may differ, when the difference hash or the block hash alone is at most so far away.
NEAR, NEAR_ALONE = 30, 7
# As a copy, a recompressed or a smaller version is; hardly ever another moment.
ALIKE = 6
# A group that a person can look at. What would make it larger stays outside.
LARGEST = 40

_WORD = 64
_PIECES, _PIECE = 4, 16
_PIECE_MASK = (1 << _PIECE) - 1


@dataclass(frozen=True, slots=True)
class Likeness:
    """Three hashes of 64 bits, as `workers.pipelines.likeness` makes them."""

    across: int
    fields: int
    waves: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is none."""
        if len(text) != 48:
            raise ValueError(f"a likeness has 48 digits: {text!r}")
        return cls(*(int(text[at : at + 16], 16) for at in (0, 16, 32)))

    def distance(self, other: Self) -> int:
        """How many of the 192 bits differ."""
        return (
            (self.across ^ other.across).bit_count()
            + (self.fields ^ other.fields).bit_count()
            + (self.waves ^ other.waves).bit_count()
        )

    def is_near(self, other: Self) -> bool:
        """Whether the two look like one picture."""
        alone = min((self.across ^ other.across).bit_count(), (self.fields ^ other.fields).bit_count())
        return alone <= NEAR_ALONE and self.distance(other) <= NEAR

    @property
    def pieces(self) -> list[int]:
        """What an index holds: four pieces of 16 bits of each of the first two hashes, each with its place."""
        return [place << _PIECE | piece for place, piece in enumerate(self._cut())]

    @property
    def probes(self) -> list[int]:
        """What to ask the index for: of four pieces with seven wrong bits at most, one has at most one."""
        flips = [0, *(1 << bit for bit in range(_PIECE))]
        return [place << _PIECE | (piece ^ flip) for place, piece in enumerate(self._cut()) for flip in flips]

    def _cut(self) -> list[int]:
        words = (self.across, self.fields)
        return [word >> _PIECE * at & _PIECE_MASK for word in words for at in range(_PIECES)]


def _never(_one: UUID, _other: UUID) -> bool:
    return False


def grouped(
    known: Mapping[UUID, Likeness],
    told_apart: Callable[[UUID, UUID], bool] = _never,
    tied: Callable[[UUID, UUID], bool] = _never,
) -> list[list[UUID]]:
    """Who belongs together, also through a third one; pairs that a person told apart tie nothing together.

    `tied`: pairs that show the same though their likeness does not tell.

    Only groups of two or more; the result depends on who is there, not on the order.
    """
    found, left = [], set(known)
    for start in sorted(known):
        if start not in left:
            continue
        left.discard(start)
        group, waiting = [start], [start]
        while waiting:
            here = waiting.pop()
            near = {
                one
                for one in left
                if (known[here].is_near(known[one]) or tied(here, one)) and not told_apart(here, one)
            }
            left -= near
            group += near
            waiting += near
        if len(group) > 1:
            found.append(sorted(group))
    return found


def spread(likenesses: Iterable[Likeness]) -> int:
    """The distance of the two that are least alike."""
    known = list(likenesses)
    return max((one.distance(other) for at, one in enumerate(known) for other in known[:at]), default=0)


def of_one_tone(thumbhashes: Iterable[str]) -> bool:
    """Whether pictures have the same colours, which a likeness knows nothing of; one without a hash has none.

    A thumbhash begins with the average colour and with how far colours reach, in 63 steps each; a copy in another
    size or quality differs by one at most (docs/duplicates.md), its grey version by more.
    """
    tones = [_tones(text) for text in thumbhashes if text]
    return all(max(step) - min(step) <= 1 for step in zip(*tones, strict=True))


def _tones(thumbhash: str) -> tuple[int, ...]:
    bits = int.from_bytes(base64.b64decode(thumbhash)[:5], "little")
    return bits >> 6 & 63, bits >> 12 & 63, bits >> 27 & 63, bits >> 33 & 63
