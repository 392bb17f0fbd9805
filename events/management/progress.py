"""How far a long command is: a bar in a terminal, a plain line now and then elsewhere."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from django.core.management.base import OutputWrapper

_BAR = 24
_EACH_FRAME, _EACH_LINE = 0.1, 10.0


class Bar:
    """Shows counts as they grow; used as a context manager, so that the line it stands on is ended."""

    def __init__(self, out: OutputWrapper, what: str) -> None:
        self._out = out
        self._what = what
        self._terminal = out.isatty()
        self._began = time.monotonic()
        self._shown = self._began if not self._terminal else 0.0
        self._open = False

    def show(self, done: int, total: int) -> None:
        """Say that this much is done of that."""
        now = time.monotonic()
        if now - self._shown < (_EACH_FRAME if self._terminal else _EACH_LINE) and done < total:
            return
        if not self._terminal and done >= total:
            return  # the command's own last line says it
        self._shown = now
        words = _words(self._what, done, total, now - self._began)
        if self._terminal:
            filled = _BAR * done // total if total else _BAR
            self._out.write(f"\r{'█' * filled}{'░' * (_BAR - filled)} {words:<60}", ending="")
            self._open = True
        else:
            self._out.write(words)
        self._out.flush()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self._out.write("")


@contextmanager
def cancellable() -> Iterator[None]:
    """Inside the block SIGTERM ends things as Ctrl-C does: by KeyboardInterrupt, so that all is tidied up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _words(what: str, done: int, total: int, seconds: float) -> str:
    rate = done / seconds if seconds else 0.0
    left = f", {_lasting((total - done) / rate)} left" if rate and done < total else ""
    return f"{done:,} of {total:,} {what}, {rate:,.0f}/s{left}"


def _lasting(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
