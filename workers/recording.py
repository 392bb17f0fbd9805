"""Puts an error into words and figures that a person, and a search for errors of the same kind, can use."""

import hashlib
import re
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from procrastinate.exceptions import TaskNotFound
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker

from workers.errors import ErrorKind, classify

_TRACEBACK_BYTES = 20_000
_MESSAGE_LETTERS = 2_000


@dataclass(frozen=True, slots=True)
class Failure:
    """What an attempt's row keeps of an error."""

    error_kind: str
    error_code: str
    reason: str
    error_class: str
    message: str
    traceback: str
    fingerprint: str

    @property
    def verdict(self) -> tuple[ErrorKind, str]:
        return ErrorKind(self.error_kind), self.error_code

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def failure_of(error: BaseException) -> Failure:
    """The failure that an error is."""
    kind, code, reason = verdict_of(error)
    error_class, message = class_of(error), _clean(str(error))[:_MESSAGE_LETTERS]
    return Failure(
        error_kind=kind.value,
        error_code=code,
        reason=_clean(reason),
        error_class=error_class,
        message=message,
        traceback=_traceback_of(error),
        fingerprint=fingerprint(error_class, code, message),
    )


def verdict_of(error: BaseException) -> tuple[ErrorKind, str, str]:
    """Kind, code and plain reason; knows the queue's own errors besides the pipelines'."""
    if isinstance(error, TaskNotFound):
        reason = (
            "This version of Filmroll does not know this kind of work: a newer version has queued it, or an older "
            "one whose work is done in another way now. Nothing was changed. Where a newer version runs beside "
            "this one, update this one and press Retry; else press Discard and ask again for what is still wanted."
        )
        return ErrorKind.POISON, "unknown-task", reason
    return classify(error)


def class_of(error: BaseException) -> str:
    """The full name of an error's class, without the module of Python's own."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


# What differs between two errors of the same kind, the most specific first.
_VARIABLE = [
    re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),  # ids
    re.compile(r"0x[0-9a-fA-F]+"),  # addresses
    re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|“[^”\n]*”|`[^`\n]*`"),  # quoted names
    re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\s\\/:*?\"<>|,;)]+)+"),  # paths
    re.compile(r"\b[\w\-.]+\.[A-Za-z][A-Za-z0-9]{1,4}\b"),  # file names
    re.compile(r"\b[0-9a-f]{12,}\b"),  # hashes
    re.compile(r"\d+(?:[.,:]\d+)*"),  # numbers
    re.compile(r"#(?:[\s\-_.,/]*#)+"),  # what is left of names with blanks in them
]


def fingerprint(error_class: str, code: str, message: str) -> str:
    """The same 16 letters for errors that differ only in names, paths, numbers and addresses."""
    for pattern in _VARIABLE:
        message = pattern.sub("#", message)
    shape = "\n".join([error_class, code, " ".join(message.split())])
    return hashlib.sha256(shape.encode()).hexdigest()[:16]


async def remember_error(call_next: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker) -> Any:  # noqa: ARG001
    """Worker middleware: keep the error, which Procrastinate drops, for the moment the run is written down."""
    try:
        return await call_next()
    except BaseException as error:
        context.additional_context["error"] = error
        raise


def _traceback_of(error: BaseException) -> str:
    text = _clean("".join(traceback.format_exception(error)))
    # The end says most: the error itself and the frames nearest to it.
    return text.encode()[-_TRACEBACK_BYTES:].decode(errors="ignore")


def _clean(text: str) -> str:
    # PostgreSQL's text holds no NUL, and no half of a surrogate pair (file names may carry both).
    return text.replace("\0", "").encode("utf-8", "replace").decode()
