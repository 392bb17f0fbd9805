"""Every error gets a class, a code and words."""

import errno
import pickle
import subprocess
import sys

import django.db
import procrastinate.exceptions
import psycopg
import pytest

from workers.errors import ErrorKind, JobError, PoisonError, ResourceError, TransientError, classify


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (FileNotFoundError(errno.ENOENT, "no"), ErrorKind.TRANSIENT, "file-missing"),
        (PermissionError(errno.EACCES, "no"), ErrorKind.TRANSIENT, "no-permission"),
        (OSError(errno.EIO, "no"), ErrorKind.TRANSIENT, "disk-error"),
        (OSError(errno.ENOSPC, "no"), ErrorKind.TRANSIENT, "disk-full"),
        (OSError(errno.EDQUOT, "no"), ErrorKind.TRANSIENT, "disk-full"),
        (OSError(errno.EFBIG, "no"), ErrorKind.TRANSIENT, "file-too-big"),
        (OSError(errno.ESTALE, "no"), ErrorKind.TRANSIENT, "storage-away"),
        (OSError(errno.EROFS, "no"), ErrorKind.TRANSIENT, "read-only"),
        (OSError(errno.EMFILE, "no"), ErrorKind.TRANSIENT, "busy"),
        (IsADirectoryError(errno.EISDIR, "no"), ErrorKind.POISON, "not-a-file"),
        (OSError(errno.ENOMEM, "no"), ErrorKind.RESOURCE, "memory"),
        (ConnectionResetError(), ErrorKind.TRANSIENT, "storage-away"),
        (OSError("a library's own words"), ErrorKind.TRANSIENT, "unexpected"),
        (MemoryError(), ErrorKind.RESOURCE, "memory"),
        (psycopg.OperationalError("server closed"), ErrorKind.TRANSIENT, "database-away"),
        (psycopg.InterfaceError("the connection is closed"), ErrorKind.TRANSIENT, "database-away"),
        (psycopg.errors.AdminShutdown(), ErrorKind.TRANSIENT, "database-away"),
        (psycopg.errors.TooManyConnections(), ErrorKind.TRANSIENT, "database-away"),
        (psycopg.errors.StatementTooComplex(), ErrorKind.TRANSIENT, "unexpected"),
        (psycopg.errors.DiskFull(), ErrorKind.TRANSIENT, "disk-full"),
        (psycopg.errors.DeadlockDetected(), ErrorKind.TRANSIENT, "busy"),
        (psycopg.errors.SerializationFailure(), ErrorKind.TRANSIENT, "busy"),
        (psycopg.errors.StringDataRightTruncation(), ErrorKind.POISON, "database-refused"),
        (psycopg.errors.UniqueViolation(), ErrorKind.TRANSIENT, "unexpected"),
        (django.db.OperationalError("gone"), ErrorKind.TRANSIENT, "database-away"),
        (django.db.DataError("too long"), ErrorKind.POISON, "database-refused"),
        (django.db.ProgrammingError("no table"), ErrorKind.TRANSIENT, "unexpected"),
        (procrastinate.exceptions.ConnectorException("gone"), ErrorKind.TRANSIENT, "database-away"),
        (ZeroDivisionError(), ErrorKind.TRANSIENT, "unexpected"),
        (PoisonError("truncated", "It ends in the middle."), ErrorKind.POISON, "truncated"),
        (ResourceError("memory", "Too big."), ErrorKind.RESOURCE, "memory"),
        (TransientError("busy", "Later."), ErrorKind.TRANSIENT, "busy"),
    ],
    ids=lambda value: (
        getattr(value, "sqlstate", None) or type(value).__name__ if not isinstance(value, str) else value
    ),
)
def test_an_error_is_told_by_its_class_and_code(error: BaseException, kind: ErrorKind, code: str) -> None:
    verdict = classify(error)
    assert (verdict.kind, verdict.code) == (kind, code)
    assert verdict.reason.endswith(".")


def test_a_django_error_is_told_by_the_psycopg_error_that_it_wraps() -> None:
    try:
        try:
            raise psycopg.errors.DiskFull()
        except psycopg.Error as cause:
            raise django.db.OperationalError("wrapped") from cause
    except django.db.Error as wrapped:
        assert classify(wrapped).code == "disk-full"


@pytest.mark.parametrize("error_class", [JobError, TransientError, PoisonError, ResourceError])
def test_a_job_error_survives_the_way_out_of_a_child_process(error_class: type[JobError]) -> None:
    back = pickle.loads(pickle.dumps(error_class("truncated", "It ends in the middle.")))
    assert type(back) is error_class
    assert (back.code, back.reason, str(back)) == (
        "truncated",
        "It ends in the middle.",
        "truncated: It ends in the middle.",
    )


def test_classifying_imports_neither_database_nor_queue() -> None:
    code = (
        "import sys; from workers.errors import classify; classify(OSError(28, 'full')); classify(ValueError());"
        "assert not {'django', 'psycopg', 'procrastinate'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
