"""Keeps decoders quiet: their warnings, their notes on standard error, and Pillow's own idea of a bomb."""

import contextlib
import errno
import os
import struct
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator

from PIL import Image, ImageFile

# What Pillow's plugins, pillow-heif and NumPy raise on files that are not what they claim to be. OSError is here
# too: Pillow raises it, without a number, for broken pictures; `is_disk_error` tells the disk's own errors apart.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    EOFError,
    OverflowError,
    RuntimeError,
    ZeroDivisionError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_lock = threading.RLock()


def is_disk_error(error: BaseException) -> bool:
    """Whether the disk, not the picture, is at fault: then the error carries its number.

    But for the numbers that say "no such place in the file": those come of offsets that a broken picture claims.
    """
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL, errno.EOVERFLOW)


@contextlib.contextmanager
def quiet_decoding(*, tolerate_truncation: bool = False) -> Iterator[None]:
    """Decode in peace. One at a time in a process: all that is changed here is global to it.

    Pillow's limit on pixels is off because ours, per format, is checked before any pixel is read.
    """
    with _lock, _no_standard_error(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, tolerate_truncation
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


@contextlib.contextmanager
def _no_standard_error() -> Iterator[None]:
    """LibRaw, libtiff and OpenJPEG write to the descriptor itself, past `sys.stderr`."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a process without standard error has nothing to keep quiet
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
