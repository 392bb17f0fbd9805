"""Reads the environment: every variable that differs between installations, with its meaning and default.

A bad value stops the start with one clear line. The table below is the documentation's source:
a test compares it with the README.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its default as text, how to read it, and what it is for."""

    default: str
    read: Callable[[str], Any]
    meaning: str


def _switch(text: str) -> bool:
    match text.strip().lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "" | "0" | "false" | "no" | "off":
            return False
        case _:
            raise ValueError("say on or off")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"say a whole number from {low} to {high}")
        return number

    return read


def _level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("say DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _folder(text: str) -> Path | None:
    return Path(text).expanduser().resolve() if text else None


VARIABLES: dict[str, Variable] = {
    "FILMROLL_DATA_DIR": Variable("data", _folder, "Folder for previews, models and the embedded database."),
    "DATABASE_URL": Variable("", str, "PostgreSQL 15 or newer to use in place of the embedded one."),
    "FILMROLL_HOST": Variable("127.0.0.1", str, "Address on which the web server listens."),
    "FILMROLL_PORT": Variable("8000", _number(1, 65535), "Port on which the web server listens."),
    "FILMROLL_ALLOWED_HOSTS": Variable(
        "*", _words, "Host names that the web server answers to, with commas between."
    ),
    "FILMROLL_TRUSTED_ORIGINS": Variable(
        "", _words, "Origins (https://photos.example.org) behind a proxy that may send forms."
    ),
    "FILMROLL_SECRET_KEY": Variable(
        "", str, "Key that signs sessions; made once and kept in the data folder when empty."
    ),
    "FILMROLL_MODELS_DIR": Variable("", _folder, "Folder with model files for the analysis of pictures."),
    "FILMROLL_MODEL_DOWNLOADS": Variable(
        "off", _switch, "Whether missing model files may be downloaded (their hashes are pinned)."
    ),
    "FILMROLL_CONCURRENCY": Variable(
        "0", _number(0, 256), "Pictures worked on at once by one worker; 0 means one per core."
    ),
    "FILMROLL_CHILD_MEMORY_MIB": Variable(
        "1024", _number(256, 65536), "Memory that one decoding child process may use."
    ),
    "FILMROLL_LOG_LEVEL": Variable("INFO", _level, "DEBUG, INFO, WARNING or ERROR."),
    "FILMROLL_LOG_JSON": Variable("off", _switch, "Whether log lines are JSON rather than text."),
    "FILMROLL_DEBUG": Variable("off", _switch, "Django's debug pages; never on a reachable server."),
}


def setting(name: str) -> Any:
    """The value of one variable.

    Raises ImproperlyConfigured with one clear line when the text cannot be read.
    """
    variable = VARIABLES[name]
    text = os.environ.get(name, "") or variable.default
    try:
        return variable.read(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={text!r} cannot be used: {error}. {variable.meaning}") from error
