"""Errors of the same kind have one fingerprint."""

import pytest

from workers.errors import PoisonError
from workers.recording import failure_of, fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cannot read /photos/2024/a b.jpg", "cannot read /mnt/disk/IMG_0007.jpg"),
        ("truncated: 40 % of 1,234 bytes", "truncated: 7 % of 99 bytes"),
        ("object at 0x7f00deadbeef", "object at 0x55aa"),
        (
            "photo 3f2b0a4e-7d8e-5a30-9df2-7b8f8a4d0c11 is gone",
            "photo 00000000-0000-0000-0000-000000000000 is gone",
        ),
        ("file 'Ein Foto.JPG' is empty", "file 'b.png' is empty"),
        ("IMG_1234.CR2 is odd", "DSC00001.ARW is odd"),
    ],
)
def test_names_paths_numbers_and_addresses_do_not_tell_errors_apart(one: str, other: str) -> None:
    assert fingerprint("ValueError", "unexpected", one) == fingerprint("ValueError", "unexpected", other)


def test_class_code_and_wording_do() -> None:
    prints = {
        fingerprint("ValueError", "unexpected", "odd"),
        fingerprint("KeyError", "unexpected", "odd"),
        fingerprint("ValueError", "disk-full", "odd"),
        fingerprint("ValueError", "unexpected", "even"),
    }
    assert len(prints) == 4


def test_a_long_traceback_keeps_its_end() -> None:
    def deeper(left: int) -> None:
        if left:
            deeper(left - 1)
        raise PoisonError("deep", "x" * 30_000)

    try:
        deeper(100)
    except PoisonError as error:
        kept = failure_of(error)
    assert len(kept.traceback.encode()) == 20_000
    assert len(kept.message) == 2_000 and kept.error_class == "workers.errors.PoisonError"
