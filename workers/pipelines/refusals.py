"""The reasons for which a picture cannot be shown, in the words of the person who owns it."""

from workers.errors import PoisonError
from workers.pipelines.kinds import KINDS

_LISTED = "The photo is listed, its original untouched."
_COPY = "Copy it again from the camera or a backup and press Retry."


def truncated(share: float | None = 0.0) -> PoisonError:
    """The file ends early; `share` of the picture, 0 to 1, is there, None when that cannot be told."""
    if share is None:
        return PoisonError("truncated", f"This file ends in the middle of the picture. {_LISTED} {_COPY}")
    there = (
        f"only {share:.0%} of the picture is there".replace("%", " %")
        if share >= 0.005
        else "its picture is missing"
    )
    return PoisonError("truncated", f"This file ends in the middle: {there}. {_LISTED} {_COPY}")


def damaged(share: float = 0.0) -> PoisonError:
    """The content is wrong; `share` of the picture, 0 to 1, could be read before that."""
    there = f"only {share:.0%} of the picture can be read".replace("%", " %") if share >= 0.005 else ""
    return PoisonError(
        "damaged", f"This file is damaged: {there or 'the picture inside cannot be read'}. {_LISTED} {_COPY}"
    )


def too_large(width: int, height: int, limit: int) -> PoisonError:
    """`limit` in pixels."""
    return PoisonError(
        "too-large",
        f"This file says that it is {width:,} by {height:,} pixels, {width * height / 1e6:,.0f} megapixels; "
        f"pictures of this kind are opened up to {limit / 1e6:,.0f}. {_LISTED} "
        "If it is a real picture, save it smaller and press Retry.",
    )


def unsupported(kind_name: str) -> PoisonError:
    label = KINDS[kind_name].label
    return PoisonError(
        "unsupported",
        f"This is a {label}, which Filmroll cannot show yet. {_LISTED} "
        "Save a copy as JPEG beside it, or press Retry after an update.",
    )


def raw_unreadable() -> PoisonError:
    return PoisonError(
        "raw-unreadable",
        "The camera's RAW data in this file cannot be read: it is cut short, or of a camera not known yet. "
        f"{_LISTED} {_COPY}",
    )


def raw_truncated() -> PoisonError:
    return PoisonError(
        "raw-unreadable",
        "This RAW file ends in the middle: the camera's notes are there, most of the picture is not. "
        f"{_LISTED} {_COPY}",
    )


def video_truncated(share: float) -> PoisonError:
    """`share` of the video, 0 to 1, is there; 0 also when its table of contents, which comes last, is missing."""
    there = (
        f"only {share:.0%} of the video is there".replace("%", " %")
        if share >= 0.005
        else "the part that says how to play it, which cameras write last, is missing"
    )
    return PoisonError("truncated", f"This file ends in the middle: {there}. {_LISTED} {_COPY}")


def video_damaged() -> PoisonError:
    return PoisonError(
        "damaged", f"This file is damaged: not one picture of the video inside can be read. {_LISTED} {_COPY}"
    )


def no_pictures() -> PoisonError:
    return PoisonError(
        "no-pictures",
        "This file is a video by its kind but holds no moving pictures, perhaps only sound. "
        f"{_LISTED} If there should be pictures in it, copy it again from the camera or a backup and press Retry.",
    )
