"""The terminal's last line, which shows progress, and log lines that come above it."""

import contextlib
import logging
import shutil
import threading
from collections.abc import Iterator
from typing import TextIO

_CLEAR = "\r\x1b[K"


class LastLine:
    """A line that each new text takes the place of. A file has no last line: there each text is one of its own."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.is_terminal = out.isatty()
        self._shown = ""
        self._lock = threading.Lock()

    def show(self, text: str) -> None:
        with self._lock:
            self._shown = text
            self._out.write(f"{_CLEAR}{_fitting(text)}" if self.is_terminal else f"{text}\n")
            self._out.flush()

    @contextlib.contextmanager
    def making_room(self) -> Iterator[None]:
        """What is written to the terminal inside the block, in whole lines, stands above the last line."""
        with self._lock:
            if not self._shown:
                yield
                return
            self._out.write(_CLEAR)
            self._out.flush()
            yield
            self._out.write(_fitting(self._shown))
            self._out.flush()


@contextlib.contextmanager
def log_above(line: LastLine) -> Iterator[None]:
    """Inside the block log lines make room for themselves, where they go to the terminal that the line is on."""
    with contextlib.ExitStack() as held:
        for handler in logging.getLogger().handlers:
            # A handler of a file that nothing was written to yet has no stream.
            stream = getattr(handler, "stream", None)
            if line.is_terminal and isinstance(handler, logging.StreamHandler) and stream and stream.isatty():
                held.callback(handler.setStream, handler.stream)
                handler.setStream(_Above(handler.stream, line))
        yield


class _Above:
    """As much of a text file as a log handler needs; it writes a record with its line end in one go."""

    def __init__(self, out: TextIO, line: LastLine) -> None:
        self._out = out
        self._line = line

    def write(self, text: str) -> None:
        with self._line.making_room():
            self._out.write(text)
            self._out.flush()

    def flush(self) -> None:
        self._out.flush()

    def isatty(self) -> bool:
        return self._out.isatty()


def _fitting(text: str) -> str:
    """A text that went on in a second row could not be taken back."""
    columns = shutil.get_terminal_size().columns
    return text if len(text) < columns else f"{text[: columns - 2]}…"
