"""Which format, quality and scaling the previews should have: bytes, time and quality of each candidate.

Quality is SSIMULACRA2 (90: no difference seen, 70: high, 50: medium) of what is shown against a Lanczos downscale
of the whole original. `docs/previews.md` has the table that was measured with this, and what was decided.
"""

import contextlib
import importlib.util
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from PIL import Image

from tests.bench import photoset
from tests.bench.bar import Bar
from workers.pipelines import previews

# Scoring three megapixels takes ten seconds; a square from the middle, at full detail, tells the same.
_SCORED = 640
_LARGE: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("JPEG", {"quality": quality}) for quality in (80, 85, 90)),
    ("WEBP", {"quality": 80, "method": 0}),
    *(("WEBP", {"quality": quality, "method": 2}) for quality in (75, 80, 85)),
    ("WEBP", {"quality": 80, "method": 4}),
    *(("AVIF", {"quality": quality, "speed": 10, "max_threads": 1}) for quality in (55, 65)),
    ("AVIF", {"quality": 60, "speed": 8, "max_threads": 1}),
)
_TILE: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("JPEG", {"quality": quality}) for quality in (75, 80, 85)),
    *(("WEBP", {"quality": quality, "method": 2}) for quality in (70, 76, 82)),
    *(("WEBP", {"quality": quality, "method": 4}) for quality in (70, 76, 82)),
    *(("AVIF", {"quality": quality, "speed": 10, "max_threads": 1}) for quality in (55, 65)),
    ("AVIF", {"quality": 60, "speed": 8, "max_threads": 1}),
)


@dataclass(frozen=True, slots=True)
class _Figures:
    """Of one candidate over all pictures: means, and the worst quality."""

    kib: float
    encode_ms: float
    decode_ms: float
    quality: float
    worst: float


def run() -> list[Bar]:
    """The table of candidates, and the quality of what is really made."""
    if importlib.util.find_spec("ssimulacra2") is None:
        print("pip install ssimulacra2 to measure quality: skipped")
        return []
    with tempfile.TemporaryDirectory() as name:
        originals = photoset.make(Path(name), 16)
        made = [_made(path, Path(name)) for path in originals]
    bars = []
    for which, candidates, limit in (("large", _LARGE, 65.0), ("tile", _TILE, 60.0)):
        references = [picture[which] for picture in made]
        print(f"{which}: candidates against the same picture scaled by Lanczos")
        for form, options in candidates:
            _print(form, options, _measure(form, options, [reference for reference, _ in references]))
        kept = [_score(reference, shown) for reference, shown in references]
        print(f"  {which} as Filmroll makes it, scaling and all: {mean(kept):.1f}, worst {min(kept):.1f}")
        bars.append(Bar(f"previews-{which}-ssimulacra2", round(mean(kept), 1), ">=", limit))
    return bars


def _made(original: Path, folder: Path) -> dict[str, tuple[Image.Image, Image.Image]]:
    """For tile and large: the reference of the same size, and what is shown."""
    result = previews.render_previews(original, "jpeg", folder, orientation=1)
    pairs = {}
    with Image.open(original) as whole:
        whole.load()
        for rendition in (result.tile, result.large):
            with Image.open(folder / rendition.name) as shown:
                pairs[rendition.name.split(".")[0]] = (_reference(whole, shown.size), shown.convert("RGB"))
    return pairs


def _reference(whole: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scaled first, then coloured, as the previews are, but by the best there is."""
    from workers.pipelines.colour import to_srgb

    return to_srgb(whole.resize(size, Image.Resampling.LANCZOS), whole.info.get("icc_profile"), [])


def _measure(form: str, options: dict[str, Any], references: list[Image.Image]) -> _Figures:
    sizes, encodes, decodes, scores = [], [], [], []
    for reference in references:
        file = io.BytesIO()
        encodes.append(_milliseconds(lambda: reference.save(_emptied(file), form, **options)))  # noqa: B023
        decodes.append(_milliseconds(lambda: _loaded(file)))  # noqa: B023
        sizes.append(len(file.getvalue()) / 1024)
        scores.append(_score(reference, _loaded(file)))
    return _Figures(mean(sizes), mean(encodes), mean(decodes), mean(scores), min(scores))


def _emptied(file: io.BytesIO) -> io.BytesIO:
    file.seek(0)
    file.truncate()
    return file


def _loaded(file: io.BytesIO) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGB")


def _milliseconds(work: Callable[[], object]) -> float:
    """Processor time, the better of two: what else the machine does must not count."""
    taken = []
    for _ in range(2):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken) * 1000


def _score(reference: Image.Image, shown: Image.Image) -> float:
    from ssimulacra2 import compute_ssimulacra2

    with _middle(reference) as one, _middle(shown) as other:
        return float(compute_ssimulacra2(one, other))


@contextlib.contextmanager
def _middle(image: Image.Image) -> Iterator[str]:
    """The middle of a picture as a file: the package reads nothing else."""
    x, y = max(0, image.width - _SCORED) // 2, max(0, image.height - _SCORED) // 2
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        image.crop((x, y, min(x + _SCORED, image.width), min(y + _SCORED, image.height))).save(file, "PNG")
        file.flush()
        yield file.name


def _print(form: str, options: dict[str, Any], seen: _Figures) -> None:
    words = " ".join(f"{key} {value}" for key, value in options.items() if key != "max_threads")
    print(
        f"  {form:5}{words:22} {seen.kib:6.1f} KiB  encode {seen.encode_ms:5.0f} ms"
        f"  decode {seen.decode_ms:4.1f} ms  quality {seen.quality:5.1f}  worst {seen.worst:5.1f}",
        flush=True,
    )
