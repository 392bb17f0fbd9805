"""What makes an upload welcome: names, room, and each reason for which one is refused, in its owner's words."""

from dataclasses import dataclass

_LONGEST_NAME = 255
_LONGEST_EXTENSION = 8


@dataclass(frozen=True, slots=True)
class Announced:
    """What is said of a file before its bytes come. `sha256` and `modified_ns` may be unknown ("" and None)."""

    name: str
    size: int
    sha256: str = ""
    modified_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at an upload's content came to: a `code` and a `reason` where it is not to be kept.

    A `sidecar` tells about a photo and is kept beside it; it becomes none itself.
    """

    code: str = ""
    reason: str = ""
    sidecar: bool = False


class UploadRefused(ValueError):
    """An upload that cannot go on as it is; `code` is for programs, the text for its owner."""

    code = "refused"

    def __init__(self, said: str, code: str = "") -> None:
        super().__init__(said)
        self.code = code or self.code


class NotWanted(UploadRefused):
    """The file is no picture, no video, and no sidecar of one."""

    code = "not-a-picture"


class QuotaExceeded(UploadRefused):
    """The account may not keep that much."""

    code = "quota"


class NoRoom(UploadRefused):
    """The disk has no room for it; what has come so far is kept."""

    code = "disk-full"


class TooMuch(UploadRefused):
    """More bytes came than had been announced."""

    code = "too-much"


class ChecksumMismatch(UploadRefused):
    """These bytes are not those that were sent."""

    code = "checksum"


class ContentDiffers(UploadRefused):
    """The whole file is not the one that was announced."""

    code = "content-differs"


class WrongOffset(UploadRefused):
    """The bytes do not go on where the last ones ended; `offset` is where they would."""

    code = "wrong-offset"

    def __init__(self, offset: int) -> None:
        super().__init__(f"This upload goes on at byte {offset}.")
        self.offset = offset


class UploadBusy(UploadRefused):
    """Another request is writing to the same upload."""

    code = "busy"


class UploadNotFound(LookupError):
    """There is no such upload, or not of this account; it may have ended, or expired."""


def clean_name(said: str) -> str:
    """A file's own name out of whatever a program sent: no folders, nothing invisible, not too long."""
    last = said.replace("\\", "/").rpartition("/")[2]
    shown = "".join(sign for sign in last if sign.isprintable()).strip()
    shown = "" if shown in (".", "..") else shown
    extension = extension_of(shown)
    if len(shown) > _LONGEST_NAME and extension:
        return f"{shown[: _LONGEST_NAME - len(extension) - 1]}.{extension}"
    return shown[:_LONGEST_NAME] or "unnamed"


def extension_of(name: str) -> str:
    """The extension as it may stand in the name of a kept file: short, small, plain letters and digits; or ""."""
    stem, _, extension = name.rpartition(".")
    plain = extension.isascii() and extension.isalnum() and len(extension) <= _LONGEST_EXTENSION
    return extension.lower() if stem and plain else ""


def refuse_without_room(size: int, free: int, margin: int) -> None:
    """Raises NoRoom when a disk with `free` bytes would have less than `margin` left. All in bytes."""
    if size > free - margin:
        has = words_of(max(0, free - margin))
        raise NoRoom(
            f"There is no room for it: it needs {words_of(size)}, and the server's disk has {has} left. "
            "Nothing is lost; it can go on once there is room."
        )


def refuse_beyond_quota(size: int, used: int, quota: int) -> None:
    """Raises QuotaExceeded when an account that uses `used` of `quota` bytes would use more. 0 means no limit."""
    if quota and used + size > quota:
        raise QuotaExceeded(
            f"This would be more than you may keep here: {words_of(quota)} in all, {words_of(used)} of it used, "
            f"and this file has {words_of(size)}. Ask the administrator for more room."
        )


def words_of(count: int) -> str:
    """Bytes as people write them: "640 bytes", "4.7 MB"."""
    if count < 1000:
        return f"{count} bytes"
    amount, units = count / 1000, ["KB", "MB", "GB", "TB"]
    while amount >= 999.5 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    unit = units[0]
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:,.0f} {unit}"
