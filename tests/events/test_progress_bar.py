"""A long command says how far it is, in a terminal and elsewhere."""

import os
import signal
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management.base import OutputWrapper

from events.management import progress
from events.management.progress import Bar, cancellable


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_with_rate_and_time_left_and_ends_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 2.0, 2.01, 4.0])
    # The module's own name for it: threads of other tests look at the clock of all.
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    out = Terminal()
    with Bar(OutputWrapper(out), "events") as bar:
        bar.show(500, 2000)
        bar.show(600, 2000)
        bar.show(2000, 2000)
    first, last = out.getvalue().split("\r")[1:]
    assert first.strip() == "██████░░░░░░░░░░░░░░░░░░ 500 of 2,000 events, 250/s, 6 s left"
    assert last.rstrip(" ").endswith("\n") and "2,000 of 2,000 events, 500/s" in last


def test_elsewhere_there_is_a_plain_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 11.0, 12.0, 140.0])
    # The module's own name for it: threads of other tests look at the clock of all.
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    out = StringIO()
    with Bar(OutputWrapper(out), "events") as bar:
        for done in (10, 110, 120, 200):
            bar.show(done, 1000)
    assert out.getvalue().splitlines() == [
        "110 of 1,000 events, 10/s, 1 min 29 s left",
        "200 of 1,000 events, 1/s, 9 min 20 s left",
    ]


def test_the_signal_that_ends_services_cancels_as_ctrl_c_does() -> None:
    with pytest.raises(KeyboardInterrupt), cancellable():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
