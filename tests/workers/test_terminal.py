"""On a terminal, log lines stand above the line of progress, which stays the last one."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.terminal import LastLine, log_above


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def rows(self) -> list[str]:
        """What a person sees: each row as its last clearing left it."""
        return [row.split("\r\x1b[K")[-1] for row in self.getvalue().split("\n")]


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, logging.StreamHandler[Terminal]]]:
    handler = logging.StreamHandler(Terminal())
    # Threads of other tests may have something to say meanwhile.
    handler.addFilter(logging.Filter("test"))
    logging.getLogger().addHandler(handler)
    yield logging.getLogger("test"), handler
    logging.getLogger().removeHandler(handler)


def test_a_log_line_begins_on_a_fresh_line_and_the_progress_is_drawn_again(
    log: tuple[logging.Logger, logging.StreamHandler[Terminal]],
) -> None:
    logger, handler = log
    screen = handler.stream
    line = LastLine(screen)
    with log_above(line):
        logger.warning("before any progress")
        line.show("1 shown")
        logger.warning("a program ended")
        line.show("2 shown")
        logger.warning("and once more")
    logger.warning(" · stopped")
    assert screen.rows() == ["before any progress", "a program ended", "and once more", "2 shown · stopped", ""]
    assert handler.stream is screen


def test_a_line_too_long_for_the_terminal_is_cut_so_that_it_can_be_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    screen = Terminal()
    LastLine(screen).show("1,204 shown, 3 failed, 310 waiting")
    assert screen.rows() == ["1,204 shown, 3 fai…"]
    assert len(screen.rows()[0]) < 20


def test_into_a_file_each_text_is_a_line_and_log_lines_are_as_they_were(
    log: tuple[logging.Logger, logging.StreamHandler[Terminal]],
) -> None:
    logger, handler = log
    file = io.StringIO()
    line = LastLine(file)
    with log_above(line):
        line.show("1 shown")
        logger.warning("a program ended")
        line.show("2 shown")
    assert file.getvalue() == "1 shown\n2 shown\n"
    assert handler.stream.getvalue() == "a program ended\n"


def test_a_log_file_that_nothing_was_written_to_yet_is_left_alone(tmp_path: Path) -> None:
    unopened = logging.FileHandler(tmp_path / "later.log", delay=True)
    logging.getLogger().addHandler(unopened)
    try:
        with log_above(LastLine(Terminal())):
            assert unopened.stream is None
    finally:
        logging.getLogger().removeHandler(unopened)
