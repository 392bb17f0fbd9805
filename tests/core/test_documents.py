"""What the documents say is what the program does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.database import kept_secret
from core.environment import VARIABLES, setting

ROOT = Path(__file__).parents[2]


def test_every_environment_variable_is_documented_with_its_default_and_meaning() -> None:
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| `?([^`|]*?)`? \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert [tuple(row) for row in rows] == [
        (name, variable.default, variable.meaning) for name, variable in VARIABLES.items()
    ]


def test_no_module_reads_an_environment_variable_past_the_table() -> None:
    allowed = {"core/environment.py", "core/asgi.py", "manage.py", "core/parent.py", "workers/supervisor.py"}
    for path in ROOT.glob("*/**/*.py"):
        name = path.relative_to(ROOT).as_posix()
        if name.split("/")[0] not in {"core", "events", "workers"} or name in allowed:
            continue
        read = re.findall(
            r"os\.(?:environ(?:\.get)?[\[(]|getenv\()\s*[\"'](FILMROLL_\w+|DATABASE_URL)", path.read_text()
        )
        assert not read, f"{name} reads {read}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("FILMROLL_PORT", "eighty"),
        ("FILMROLL_PORT", "70000"),
        ("FILMROLL_DEBUG", "maybe"),
        ("FILMROLL_PORT", "-1"),
        ("FILMROLL_LOG_LEVEL", "X"),
        ("FILMROLL_ALLOWED_HOSTS", "https://photos.example.org"),
        ("FILMROLL_TRUSTED_ORIGINS", "photos.example.org"),
        ("FILMROLL_DATA_DIR", "~nobody-of-this-name/data"),
        ("FILMROLL_DATA_DIR", __file__),
    ],
)
def test_a_bad_value_stops_the_start_with_one_clear_line(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ImproperlyConfigured, match=f"^{name}='{text}' cannot be used: .*") as caught:
        setting(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://ann:hush@host/db", "postgresql://ann:hush@host", "ann hush"])
def test_a_bad_database_url_is_told_without_its_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL cannot be used: say postgresql://") as caught:
        setting("DATABASE_URL")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("command", [["up"], ["status"], ["help"], []])
def test_the_command_line_answers_a_bad_value_with_that_line_alone(command: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "FILMROLL_DATA_DIR": str(tmp_path), "FILMROLL_PORT": "abc"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "FILMROLL_PORT='abc' cannot be used: say a whole number from 1 to 65535. "
        "Port on which the web server listens.\n"
    )


def test_a_database_that_does_not_answer_is_told_in_one_line(tmp_path: Path) -> None:
    url = f"postgresql://ann:hush@/filmroll?host={tmp_path}"
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "status"],
        env={**os.environ, "DATABASE_URL": url, "FILMROLL_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("The database that DATABASE_URL names does not answer: ")
    assert "hush" not in done.stderr


def test_a_data_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        ImproperlyConfigured, match=r"The data folder .*/file/data cannot be used: Not a directory\."
    ):
        kept_secret(tmp_path / "file" / "data" / "secret-key")


@pytest.mark.parametrize(
    "command", ["up", "web", "worker", "watch", "import", "status", "api_key", "replay", "models"]
)
def test_every_command_says_what_it_does(command: str) -> None:
    said = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    description = said.split("options:")[0].split("\n\n", 1)[1].strip()
    assert len(description) > 30
