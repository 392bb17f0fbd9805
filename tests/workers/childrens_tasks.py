"""What the children of test_children.py do; a module of its own, since each child imports it."""

import collections
import ctypes
import itertools
import os
import sys
import threading
import time

from workers.errors import PoisonError


class Stubborn(Exception):
    """Can be pickled, and not be unpickled: its arguments are not those of its __init__."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def double(number: int) -> int:
    return 2 * number


def echo(data: bytes) -> bytes:
    return data


def pause(seconds: float) -> tuple[int, float, float]:
    begun = time.monotonic()
    time.sleep(seconds)
    return os.getpid(), begun, time.monotonic()


def linger(mark: str, seconds: float) -> None:
    with open(mark, "a") as file:  # a child imports as little as it can
        file.write(f"child {os.getpid()} 0\n")
    time.sleep(seconds)


def hold(mark: str, until: str) -> int:
    """Ends when there is a file of that name."""
    with open(mark, "a") as file:
        file.write(f"child {os.getpid()} 0\n")
    while not os.path.exists(until):  # noqa: PTH110
        time.sleep(0.01)
    return os.getpid()


def meet(mark: str, others: int) -> int:
    """Ends when so many are at it at once."""
    with open(mark, "a") as file:
        file.write("came\n")
    while True:
        with open(mark) as file:
            if len(file.readlines()) >= others:
                return os.getpid()
        time.sleep(0.01)


def refuse() -> None:
    raise PoisonError("truncated", "This file ends in the middle.")


def divide_by_zero() -> float:
    return 1 / 0


def raise_stubborn() -> None:
    raise Stubborn("a", "b")


def raise_strange() -> None:
    import fractions_of_a_child  # type: ignore[import-not-found]

    raise fractions_of_a_child.Strange("only the child knows this class")


def leave() -> None:
    sys.exit(3)


def loop() -> None:
    while True:
        pass


def loop_in_native_code() -> None:
    """Holds the interpreter's lock for ever, so that no Python signal handler runs."""
    collections.deque(itertools.repeat(None), maxlen=0)


def grow(mebibytes: int) -> int:
    return len([b"x" * (1 << 20) for _ in range(mebibytes)])


def swell() -> int:
    return grow(2048)


def ask_for_too_much() -> None:
    bytearray(1 << 62)


def crash() -> None:
    ctypes.string_at(0)


def crash_in_silence() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    ctypes.string_at(0)


def kill(signal: int) -> None:
    os.kill(os.getpid(), signal)


def shout() -> None:
    print("noise on stdout", flush=True)
    os.write(2, b"noise on stderr\n")


def shout_and_abort() -> None:
    os.write(2, b"free(): invalid pointer\n")
    os.abort()


def surroundings() -> dict[str, object]:
    return {
        "modules": [name for name in ("django", "psycopg", "tensorflow", "pytest") if name in sys.modules],
        "niceness": os.nice(0),
        "threads": threading.active_count(),
    }
