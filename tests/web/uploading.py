"""A program that speaks tus, and files to send."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from django.http import HttpResponse
from django.test import Client

from core.accounts import Account
from core.domain.libraries import library_id
from core.storage import managed_root, originals_folder
from tests.web.conftest import jpeg

BYTES = "application/offset+octet-stream"


def picture(name: str = "one", more: int = 0) -> bytes:
    """A JPEG file of its own, with so many bytes behind its end."""
    return jpeg(name) + b"\0" * more


def metadata(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Tus:
    """One account's client, at the pages' address or the API's."""

    client: Client
    base: str = "/uploads/"
    key: str = ""

    def ask(self, method: str, address: str, data: bytes = b"", **headers: str) -> HttpResponse:
        said = {"Tus-Resumable": "1.0.0", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.key:
            said["Authorization"] = f"Bearer {self.key}"
        answer = self.client.generic(method, address, data, content_type=BYTES, headers=said)
        assert isinstance(answer, HttpResponse)
        return answer

    def create(self, data: bytes, filename: str = "one.jpg", **said: str) -> HttpResponse:
        told = metadata(filename=filename, **said)
        return self.ask("POST", self.base, Upload_Length=str(len(data)), Upload_Metadata=told)

    def patch(self, address: str, offset: int, data: bytes, **headers: str) -> HttpResponse:
        return self.ask("PATCH", address, data, Upload_Offset=str(offset), **headers)

    def offset(self, address: str) -> int:
        return int(self.ask("HEAD", address).headers["Upload-Offset"])

    def send(self, data: bytes, filename: str = "one.jpg", **said: str) -> HttpResponse:
        """All of a file; the answer to its last bytes."""
        made = self.create(data, filename, **said)
        return self.patch(made.headers["Location"], 0, data) if made.status_code == 201 else made


def kept_by(account: Account) -> dict[str, bytes]:
    """Every file in an account's own library: path → content."""
    root = originals_folder() / managed_root(account.pk)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def gathering() -> list[Path]:
    """The files of uploads that are under way."""
    return list((originals_folder() / "incoming").glob("*"))


def library_of(account: Account) -> str:
    return str(library_id(managed_root(account.pk)))
