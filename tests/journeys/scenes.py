"""Paints landscapes: pictures that are nice to look at and belong to nobody, for the browser test's screenshot."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

# (sky above, sky below, sun, nearest hill) of a few hours of the day and seasons.
_MOODS = [
    ((38, 70, 130), (240, 180, 120), (255, 226, 170), (24, 32, 48)),
    ((96, 160, 220), (226, 240, 250), (255, 252, 230), (40, 84, 56)),
    ((26, 22, 60), (190, 84, 96), (255, 190, 140), (18, 14, 30)),
    ((140, 176, 196), (240, 236, 226), (255, 255, 250), (70, 84, 92)),
    ((12, 16, 40), (40, 60, 110), (230, 236, 255), (8, 10, 22)),
    ((120, 190, 230), (252, 226, 190), (255, 244, 200), (120, 88, 40)),
]
_SIZES = [(1800, 1200), (1200, 1600), (1800, 1200), (1600, 1600), (2400, 1200), (1600, 1067)]


def paint(number: int) -> Image.Image:
    """The landscape of that number: a sky, a sun or moon, five ranges of hills, a little grain."""
    random = np.random.default_rng(number)
    width, height = _SIZES[number % len(_SIZES)]
    above, below, sun, near = (np.array(colour, float) for colour in _MOODS[number % len(_MOODS)])
    y, x = np.mgrid[0:height, 0:width].astype(float)
    fade = (y / height)[..., None] ** 0.8
    picture = above * (1 - fade) + below * fade
    centre_x, centre_y = width * random.uniform(0.2, 0.8), height * random.uniform(0.2, 0.5)
    distance = np.hypot(x - centre_x, y - centre_y) / height
    glow = np.exp(-distance * 6)[..., None] * 0.6 + (distance < 0.045)[..., None] * 0.9
    picture += (sun - picture) * np.clip(glow, 0, 1)
    for layer in range(5):
        depth = layer / 4
        ridge = height * (0.52 + 0.1 * layer) + _ridge(random, width, height * (0.05 + 0.02 * layer))
        colour = below * (0.75 - 0.72 * depth) + near * (0.25 + 0.72 * depth)
        picture = np.where((y > ridge[None, :])[..., None], colour, picture)
    picture += random.normal(0, 3, (height, width, 1))
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def save_scenes(folder: Path, count: int) -> None:
    """Landscapes as photos of a summer: with a date, a camera and a place in each file."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = datetime(2024, 8, 17, 18, 30)
    for number in range(count):
        exif = Image.Exif()
        exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Filmroll", "Paintbox 1"
        details = exif.get_ifd(ExifTags.IFD.Exif)
        details[ExifTags.Base.DateTimeOriginal] = taken.strftime("%Y:%m:%d %H:%M:%S")
        details[ExifTags.Base.OffsetTimeOriginal] = "+02:00"
        details[ExifTags.Base.ExposureTime], details[ExifTags.Base.FNumber] = 1 / 250, 5.6
        details[ExifTags.Base.ISOSpeedRatings], details[ExifTags.Base.FocalLength] = 200, 35.0
        paint(number).save(folder / f"P{1000 + number}.jpg", quality=88, exif=exif)
        taken -= timedelta(minutes=83) if (number + 1) % 8 else timedelta(days=6)


def _ridge(random: np.random.Generator, width: int, height: float) -> np.ndarray:
    """A line of hills: a few waves, each finer and lower than the one before."""
    x = np.linspace(0, 1, width)
    line = np.zeros(width)
    for octave in range(7):
        frequency = 2**octave * random.uniform(1.2, 2.2)
        line += np.sin(2 * np.pi * (x * frequency + random.uniform())) * height / 1.9**octave
    return line
