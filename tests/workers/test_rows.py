"""docs/never-stuck.md is kept true: every row and trap is there, and every test that it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "never-stuck.md"
_TEST = re.compile(r"^(?:async )?def (test_\w+)\(", re.M)


def test_every_row_and_every_trap_names_tests_that_exist() -> None:
    there: dict[str, str] = {}
    for file in (ROOT / "tests").rglob("test_*.py"):
        text = file.read_text()
        there.update(dict.fromkeys(_TEST.findall(text), text))
    rows = re.findall(r"^\| ([JT]\d+) \|[^|]*\|([^|]*)\|$", DOCUMENT.read_text(), re.M)
    assert [row for row, _ in rows] == [*(f"J{n}" for n in range(1, 32)), *(f"T{n}" for n in range(1, 17))]
    for row, told in rows:
        named = re.findall(r"`(test_\w+)`", told)
        assert named, row
        for name in named:
            assert name in there, f"{row}: {name}"


def test_what_is_called_slow_there_is_slow() -> None:
    slow = set(re.findall(r"`(test_\w+)` \(slow\)", DOCUMENT.read_text()))
    assert slow
    for file in (ROOT / "tests").rglob("test_*.py"):
        text = file.read_text()
        for name in slow & set(_TEST.findall(text)):
            before = text[: text.index(f"def {name}(")].rsplit("\n\n\n", 1)[-1]
            assert "pytest.mark.slow" in before or re.search(r"^pytestmark = .*mark\.slow", text, re.M), name
