"""What went wrong with a job, in three classes that decide what happens next, and in words for the photo's owner.

Pure Python without imports of the database or the queue: the steps in `workers.pipelines` raise these errors,
and they know neither. Errors of psycopg, Django and Procrastinate are therefore told by the names of their
classes.
"""

import enum
import errno
from typing import ClassVar, NamedTuple


class ErrorKind(enum.StrEnum):
    """What a failed run means for the job."""

    TRANSIENT = "transient"  # the world was in the way: try again, later and later
    POISON = "poison"  # this file will never work as it is: dead at once
    RESOURCE = "resource"  # too much memory or time: one more try, alone


class JobError(Exception):
    """A failure with a stable code for programs and a plain reason for the person who owns the photo.

    The two arguments are `args`, so the error survives pickling on its way out of a child process.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.TRANSIENT

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


class TransientError(JobError):
    """Tried again with growing gaps, until the budget of runs is used."""

    kind = ErrorKind.TRANSIENT


class PoisonError(JobError):
    """Never tried again by itself: the file has to change first."""

    kind = ErrorKind.POISON


# What the words of the first such error promise, and what is true after the second.
ONCE_MORE = "It is tried once more with nothing else running; its original is untouched."
_DONE = "It was tried again with nothing else running and ended the same way; its original is untouched."


class ResourceError(JobError):
    """Tried once more with the machine to itself."""

    kind = ErrorKind.RESOURCE

    def settle(self) -> None:
        """There is no other try: the words must not promise one."""
        self.reason = self.reason.replace(ONCE_MORE, _DONE)


class Verdict(NamedTuple):
    """What `classify` makes of an error; unpacks as (kind, code, reason)."""

    kind: ErrorKind
    code: str
    reason: str


_MISSING = Verdict(
    ErrorKind.TRANSIENT,
    "file-missing",
    "The file was not found: it was moved or deleted, or its disk is not connected. The photo stays listed. "
    "Connect the disk or put the file back and press Retry.",
)
_NO_ACCESS = Verdict(
    # Copying programs often set a file's rights last, so this heals within seconds more often than one thinks.
    ErrorKind.TRANSIENT,
    "no-permission",
    "Filmroll may not read this file. The photo is listed, its original untouched. "
    "Give Filmroll's user the right to read it and press Retry.",
)
_DISK_FULL = Verdict(
    ErrorKind.TRANSIENT,
    "disk-full",
    "The disk is full, so nothing could be saved. The photo waits, its original untouched. "
    "Free some space: it goes on by itself, or press Retry.",
)
_TOO_BIG = Verdict(
    ErrorKind.TRANSIENT,
    "file-too-big",
    "The disk takes no file as large as this one would be. The photo waits, its original untouched. "
    "Raise the limit, or use another kind of disk, and press Retry.",
)
_DISK_ERROR = Verdict(
    ErrorKind.TRANSIENT,
    "disk-error",
    "The disk reported an error while the file was read or written. The photo waits, its original untouched. "
    "Check the disk and its cable, then press Retry.",
)
_STORAGE_AWAY = Verdict(
    ErrorKind.TRANSIENT,
    "storage-away",
    "The network folder with this file stopped answering. The photo waits, its original untouched. "
    "Once the folder is back it goes on by itself, or press Retry.",
)
_READ_ONLY = Verdict(
    ErrorKind.TRANSIENT,
    "read-only",
    "The data folder cannot be written to. The photo waits, its original untouched. "
    "Make Filmroll's data folder writable and press Retry.",
)
_BUSY = Verdict(
    ErrorKind.TRANSIENT,
    "busy",
    "Another program or job was using what this one needed. The photo waits and is tried again by itself.",
)
_NOT_A_FILE = Verdict(
    ErrorKind.POISON,
    "not-a-file",
    "There is something at this place that is not a file that can be opened. Nothing was changed. "
    "Put the picture back under this name and press Retry.",
)
_NO_MEMORY = Verdict(
    ErrorKind.RESOURCE,
    "memory",
    "The picture needs more memory than there is. It is tried once more with nothing else running; "
    "its original is untouched. If it fails again, allow more memory and press Retry.",
)
_DATABASE_AWAY = Verdict(
    ErrorKind.TRANSIENT,
    "database-away",
    "The database did not answer. Nothing is lost: the photo waits and goes on by itself once it is back.",
)
_DATABASE_REFUSED = Verdict(
    ErrorKind.POISON,
    "database-refused",
    "The database refused a value found in this file. The photo is listed, its original untouched. "
    "This is a fault of Filmroll: please report it, and press Retry after the next update.",
)
_UNEXPECTED = Verdict(
    ErrorKind.TRANSIENT,
    "unexpected",
    "Something unexpected went wrong. The photo is listed, its original untouched. "
    "It is tried again a few times by itself; the job's page shows the details.",
)

_BY_ERRNO = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ENODEV), _MISSING),
    **dict.fromkeys((errno.EACCES, errno.EPERM), _NO_ACCESS),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _DISK_FULL),
    errno.EFBIG: _TOO_BIG,
    **dict.fromkeys((errno.EIO, errno.EREMOTEIO, errno.EUCLEAN, errno.EBADMSG), _DISK_ERROR),
    **dict.fromkeys(
        (
            errno.ESTALE,
            errno.ETIMEDOUT,
            errno.EHOSTDOWN,
            errno.EHOSTUNREACH,
            errno.ENETDOWN,
            errno.ENETUNREACH,
            errno.ENOTCONN,
            errno.ESHUTDOWN,
            errno.ECONNREFUSED,
            errno.ECONNRESET,
            errno.ECONNABORTED,
            errno.EPIPE,
        ),
        _STORAGE_AWAY,
    ),
    errno.EROFS: _READ_ONLY,
    **dict.fromkeys(
        (errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ETXTBSY, errno.EMFILE, errno.ENFILE, errno.EDEADLK), _BUSY
    ),
    **dict.fromkeys((errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG), _NOT_A_FILE),
    errno.ENOMEM: _NO_MEMORY,
}

# What is for the world to mend, and lies in no job or file: a run that ends so uses up nothing of the budget, and
# the job goes on by itself however long it takes. In words that follow "waits for".
WAITS_FOR = {
    "disk-full": "room on the disk",
    "storage-away": "the network folder",
    "database-away": "the database",
}

_DATABASE_ERRORS = {"psycopg.Error", "django.db.utils.Error", "procrastinate.exceptions.ConnectorException"}
_DATA_ERRORS = {"psycopg.DataError", "django.db.utils.DataError"}
_AWAY_ERRORS = {
    "psycopg.OperationalError",
    "psycopg.InterfaceError",
    "django.db.utils.OperationalError",
    "django.db.utils.InterfaceError",
    "procrastinate.exceptions.ConnectorException",
}


def classify(error: BaseException) -> Verdict:
    """The kind, the code and the plain reason of any error; what nobody knows is tried again as "unexpected"."""
    match error:
        case JobError():
            return Verdict(error.kind, error.code, error.reason)
        case MemoryError():
            return _NO_MEMORY
        case OSError():
            return _classify_os_error(error)
    if _lineage(error) & _DATABASE_ERRORS:
        return _classify_database_error(error)
    return _UNEXPECTED


def _classify_os_error(error: OSError) -> Verdict:
    if error.errno is not None:
        return _BY_ERRNO.get(error.errno, _UNEXPECTED)
    return _STORAGE_AWAY if isinstance(error, ConnectionError | TimeoutError) else _UNEXPECTED


def _classify_database_error(error: BaseException) -> Verdict:
    state = _sqlstate(error)
    if state in ("53100", "58030"):  # disk_full, io_error
        return _DISK_FULL if state == "53100" else _DISK_ERROR
    if state[:2] == "40" or state in ("55P03", "57014"):  # rolled back for another; lock or statement timed out
        return _BUSY
    if state[:2] == "22" or _lineage(error) & _DATA_ERRORS:
        return _DATABASE_REFUSED
    # Without a state the connection broke. Others (the server's limits) come from what was asked.
    is_away = not state or state[:2] == "08" or state[:3] == "57P" or state == "53300"
    return _DATABASE_AWAY if is_away and _lineage(error) & _AWAY_ERRORS else _UNEXPECTED


def _sqlstate(error: BaseException) -> str:
    """PostgreSQL's five letters, on the error or on the psycopg error that it wraps; "" without one."""
    seen = 0
    link: BaseException | None = error
    while link is not None and seen < 5:
        if state := getattr(link, "sqlstate", None):
            return str(state)
        link, seen = link.__cause__, seen + 1
    return ""


def _lineage(error: BaseException) -> set[str]:
    return {f"{ancestor.__module__}.{ancestor.__name__}" for ancestor in type(error).__mro__}
