"""What moves, and how the viewer plays it: videos, live and motion photos, animated pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from core.readmodels.photos import Photo
from core.web.pictures import playable_type

# What a browser is asked for, by kind: QuickTime and 3GP are MP4's near relatives, and browsers read them as MP4.
_ASKED = {
    "mov": ("video/mp4", "video/quicktime"),
    "3gp": ("video/3gpp", "video/mp4"),
    "mkv": ("video/x-matroska", "video/webm"),
}
_CODECS = {
    "h264": "H.264",
    "hevc": "HEVC (H.265)",
    "av1": "AV1",
    "vp8": "VP8",
    "vp9": "VP9",
    "mpeg4": "MPEG-4",
    "mpeg2video": "MPEG-2",
    "mpeg1video": "MPEG-1",
    "mjpeg": "Motion JPEG",
    "prores": "ProRes",
    "h263": "H.263",
    "aac": "AAC",
    "ac3": "Dolby Digital",
    "eac3": "Dolby Digital Plus",
    "mp3": "MP3",
    "opus": "Opus",
    "vorbis": "Vorbis",
    "amrnb": "AMR",
}
_TIED = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Playback:
    """How a photo moves: "video", "live" (a still with a film) or "animation".

    `types` are what the browser is asked whether it plays them, "|" between them; `coded` says the same to people.
    """

    way: str
    address: str
    types: str
    coded: str


def playback_of(photo: Photo, film: Photo | None = None) -> Playback | None:
    """How a photo moves, None for one that does not. `film` is the other half of a live photo."""
    if photo.media == "video":
        return _of_video("video", photo) if playable_type(photo) else None
    if film is not None and playable_type(film):
        return _of_video("live", film)
    if _value(photo, "motion_length"):
        types = _types(("video/mp4",), _value(photo, "motion_codecs"))
        return Playback("live", reverse("motion", args=[photo.id]), types, "")
    if playable_type(photo):
        return Playback("animation", reverse("playing", args=[photo.id]), "", "")
    return None


def length_of(photo: Photo) -> str:
    """A video's length as players write it: "0:07", "12:30", "1:02:03"; "" for what is no video."""
    seconds = _value(photo, "duration")
    if photo.media != "video" or not isinstance(seconds, int | float):
        return ""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def moves(photo: Photo) -> bool:
    """Whether a picture has a film inside."""
    return bool(_value(photo, "motion_length"))


def film_lines(photo: Photo) -> Iterator[tuple[str, str, str]]:
    """Label, text and fact of what is known of a video's film."""
    if photo.media != "video":
        return
    if length := length_of(photo):
        yield "Length", length, "duration"
    if rate := _value(photo, "frame_rate"):
        yield "Frame rate", f"{rate:.4g} pictures a second", "frame_rate"
    if coded := _coded(photo):
        yield "Coded in", coded, "video_codec"


def _of_video(way: str, photo: Photo) -> Playback:
    mimes = _ASKED.get(photo.kind, (photo.mime,))
    types = _types(mimes, _value(photo, "codecs"))
    # Where the codecs are well known, it is the container that browsers do not read.
    coded = ", ".join(filter(None, [photo.kind.upper(), _coded(photo)]))
    return Playback(way, reverse("playing", args=[photo.id]), types, coded)


def _types(mimes: tuple[str, ...], codecs: Any) -> str:
    return "|".join(f'{mime}; codecs="{codecs}"' if codecs else mime for mime in mimes)


def _coded(photo: Photo) -> str:
    names = [str(name) for name in (_value(photo, "video_codec"), _value(photo, "audio_codec")) if name]
    return ", ".join(_CODECS.get(name, "PCM" if name.startswith("pcm") else name) for name in names)


def _value(photo: Photo, name: str) -> Any:
    return photo.facts.get(name, {}).get("value")
