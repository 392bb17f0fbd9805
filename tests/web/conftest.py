"""Accounts, a library and photos for the pages' tests: arranged by the commands that the product uses."""

import functools
import hashlib
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.test import Client
from PIL import Image

from core.accounts import Account
from core.commands import files as file_commands
from core.commands import photos as commands
from core.commands.analysis import record_seen
from core.commands.libraries import add_library
from core.domain import files, photos
from core.domain.files import file_id
from core.domain.photos import Fact
from core.storage import preview_path
from tests.web.browsing import PATIENCE, serving

PASSWORD = "a long enough password"
# A real placeholder: of an orange evening sky.
THUMBHASH = "1QcSHQRnh493V4dIh4eXh1h4kJUI"


@dataclass(frozen=True)
class Shelf:
    """A library on disk with an owner, and the ways in which photos come into it."""

    library: UUID
    root: Path
    owner: Account

    def photo(
        self,
        name: str = "one.jpg",
        taken: str = "2024-05-01T12:00:00",
        ready: bool = True,
        content: bytes = b"",
        kind: tuple[str, str, str] = ("jpeg", "image", "image/jpeg"),
        size: tuple[int, int] = (600, 400),
        likeness: str = "",
        **facts: object,
    ) -> UUID:
        """A photo, with its preview unless it is not to be ready."""
        data = content or jpeg(name)
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        digest = hashlib.sha256(data + name.encode()).hexdigest()
        file = photos.OriginalFile(file_id(self.library, name), name, len(data), 1)
        known = {"taken_at": Fact(taken, "exif"), **{key: Fact(value, "exif") for key, value in facts.items()}}
        found = photos.PhotoImported(self.library, file, digest, *kind)
        made = commands.import_photo(found, photos.MetadataRead(1, known), actor="worker:import")
        if ready:
            self.render(made, size, likeness)
        return made

    def render(self, photo: UUID, size: tuple[int, int] = (600, 400), likeness: str = "") -> None:
        """The photo's previews, in the store and in the log."""
        for name in ("tile", "large"):
            path = preview_path(photo, "r1", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(webp(size))
        made = photos.Rendition(*size, 100)
        result = photos.PreviewsRendered(1, "r1", *size, made, made, THUMBHASH, "decoded", likeness=likeness)
        commands.record_previews(photo, result, actor="worker:previews")

    def label(self, photo: UUID, *labels: photos.Label) -> None:
        found = photos.LabelsFound(1, "YOLOX-S", "0.1.1", labels)
        record_seen(photo, [found], content=None, actor="worker:analysis")

    def fail(self, photo: UUID, step: str = "previews", reason: str = "The file ends in the middle.") -> None:
        failure = photos.StepFailed(photos.Step(step), "truncated", reason, 7, "TruncatedError")
        commands.record_step_failed(photo, failure, 1, actor=f"worker:{step}")

    def fail_file(self, name: str, reason: str = "This file is empty.") -> None:
        fact = files.FileFailed(self.library, name, 0, 1, "empty", reason, 8, "EmptyError")
        file_commands.record_file_failed(fact, 1, actor="worker:import")

    def skip(self, name: str, code: str = "video", reason: str = "Videos are not yet supported.") -> None:
        fact = files.FileSkipped(self.library, name, 5, 1, "mp4", code, reason)
        file_commands.skip_file(fact, actor="worker:import")


_shades = itertools.count()


def jpeg(seed: str) -> bytes:
    """A small JPEG file that differs from every other."""
    shade = int(hashlib.sha256(f"{seed}{next(_shades)}".encode()).hexdigest()[:6], 16)
    return _encoded((60, 40), shade, "JPEG")


@functools.cache
def webp(size: tuple[int, int]) -> bytes:
    return _encoded(size, 0xC07030, "WEBP")


def _encoded(size: tuple[int, int], shade: int, format_: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (shade >> 16, shade >> 8 & 255, shade & 255)).save(made, format_)
    return made.getvalue()


def minute(number: int) -> str:
    """Wall times a minute apart, later ones for higher numbers."""
    return datetime(2024, 5, 1, 8 + number // 60, number % 60).isoformat()


@pytest.fixture
def owner(db: None) -> Account:
    return Account.objects.create_user("olga", password=PASSWORD)


@pytest.fixture
def stranger(db: None) -> Account:
    return Account.objects.create_user("stan", password=PASSWORD)


@pytest.fixture
def make_shelf(tmp_path: Path) -> Callable[[Account], Shelf]:
    def make(account: Account) -> Shelf:
        root = tmp_path / f"photos-{account.username}"
        root.mkdir()
        return Shelf(add_library(root, owner=account.pk, actor="cli"), root, account)

    return make


@pytest.fixture
def shelf(owner: Account, make_shelf: Callable[[Account], Shelf]) -> Shelf:
    return make_shelf(owner)


@pytest.fixture
def page(owner: Account) -> Client:
    """A browser signed in as the owner."""
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture(autouse=True)
def no_tries_remembered() -> None:
    """The guard against guessing counts in the process, over the end of a test."""
    cache.clear()


@pytest.fixture(autouse=True)
def quick_passwords(settings: object) -> None:
    """A password hash that costs nothing: what is tested here is who may come in, not how slow it is."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.fixture
def window_options() -> dict[str, Any]:
    """What Playwright is told of the window; a module that needs another one has a fixture of this name."""
    return {"viewport": {"width": 1100, "height": 800}}


@pytest.fixture
def window(browser: Any, window_options: dict[str, Any], transactional_db: None, owner: Account) -> Iterator[Any]:
    """The owner's window before the site; nothing in it may complain of an error."""
    client = Client()
    client.force_login(owner)
    with serving() as site:
        context = browser.new_context(base_url=site, **window_options)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
        context.set_default_timeout(PATIENCE)
        opened = context.new_page()
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        yield opened
        context.close()
        assert complaints == []
