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
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its default as text, how to read it, and what it is for.

    The text of a secret one is never shown.
    """

    default: str
    read: Callable[[str], Any]
    meaning: str
    secret: bool = False


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


def _hosts(text: str) -> list[str]:
    hosts = _words(text)
    if any("/" in host for host in hosts):
        raise ValueError("say names alone, as in photos.example.org")
    return hosts


def _origins(text: str) -> list[str]:
    origins = _words(text)
    if not all(origin.startswith(("http://", "https://")) for origin in origins):
        raise ValueError("begin each with https:// or http://")
    return origins


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"say a whole number from {low} to {high}")
        return int(text)

    return read


def _database(text: str) -> str:
    try:
        parts = conninfo_to_dict(text)
    except ProgrammingError:
        parts = {}
    if text and not {"dbname", "service"} & set(parts):
        raise ValueError("say postgresql://user:password@host/name")
    return text


def _level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("say DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _preset(text: str) -> str:
    if "://" in text and not text.startswith(("kaggle://", "hf://")):
        raise ValueError("say kaggle://… or hf://…, or the name of a folder")
    return text.strip()


def _folder(text: str) -> Path | None:
    try:
        folder = Path(text).expanduser().resolve() if text else None
    except RuntimeError:  # ~somebody
        raise ValueError("there is no such home folder") from None
    # Not `exists`, which raises where nobody may look: what uses the folder says so, and the rest works.
    if folder is not None and os.path.exists(folder) and not os.path.isdir(folder):  # noqa: PTH110, PTH112
        raise ValueError("it is no folder")
    return folder


VARIABLES: dict[str, Variable] = {
    "FILMROLL_DATA_DIR": Variable("data", _folder, "Folder for previews, models and the embedded database."),
    "DATABASE_URL": Variable(
        "", _database, "PostgreSQL 15 or newer to use in place of the embedded one.", secret=True
    ),
    "FILMROLL_HOST": Variable("127.0.0.1", str, "Address on which the web server listens."),
    "FILMROLL_PORT": Variable("8000", _number(1, 65535), "Port on which the web server listens."),
    "FILMROLL_ALLOWED_HOSTS": Variable(
        "*", _hosts, "Host names that the web server answers to, with commas between."
    ),
    "FILMROLL_TRUSTED_ORIGINS": Variable(
        "", _origins, "Origins (https://photos.example.org) behind a proxy that may send forms."
    ),
    "FILMROLL_SECRET_KEY": Variable(
        "", str, "Key that signs sessions; made once and kept in the data folder when empty.", secret=True
    ),
    "FILMROLL_MODELS_DIR": Variable("", _folder, "Folder with model files for the analysis of pictures."),
    "FILMROLL_MODEL_DOWNLOADS": Variable(
        "off", _switch, "Whether model files may be downloaded (their hashes are pinned), and a named preset."
    ),
    "FILMROLL_MEANING_PRESET": Variable(
        "", _preset, "Preset for search by meaning: a folder's name, or a hub's handle (kaggle://…, hf://…)."
    ),
    "FILMROLL_CONCURRENCY": Variable(
        "0", _number(0, 256), "Pictures worked on at once by one worker; 0 means one per core."
    ),
    "FILMROLL_CHILD_MEMORY_MIB": Variable(
        "1024", _number(256, 65536), "Memory that one decoding child process may use."
    ),
    "FILMROLL_RESCAN_HOURS": Variable(
        "24", _number(0, 8760), "Hours between two looks through all folders, watched or not; 0 means never."
    ),
    "FILMROLL_ORIGINALS_DIR": Variable(
        "", _folder, "Folder that uploads are kept in; `originals` in the data folder when empty."
    ),
    "FILMROLL_UPLOAD_QUOTA_GIB": Variable(
        "0", _number(0, 1_000_000), "Room in GiB that each account's uploads may take; 0 means no limit."
    ),
    "FILMROLL_UPLOAD_DAYS": Variable(
        "7", _number(1, 365), "Days after which an upload that nobody goes on with is cleared away."
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
        said = name if variable.secret else f"{name}={text!r}"
        raise ImproperlyConfigured(f"{said} cannot be used: {error}. {variable.meaning}") from error
