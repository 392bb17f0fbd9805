"""The files that were uploaded: what is kept under which hash, by what name, and what there is already."""

from collections.abc import Callable, Collection
from uuid import UUID

from django.db import models
from django.db.models import Sum

from core.accounts import Account
from core.domain import codec, files
from core.domain.files import id_of
from core.domain.forgetting import PhotoForgotten
from core.domain.libraries import library_id
from core.readmodels.libraries import libraries_of
from core.readmodels.photos import Photo
from core.storage import managed_root, original_path
from events.event import Event


class UploadedFile(models.Model):
    """One file in a managed library. `path` is inside it; `name` is what its owner calls it."""

    id = models.UUIDField(primary_key=True)
    library_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    path = models.TextField()
    name = models.TextField()
    size = models.BigIntegerField()
    uploaded_at = models.DateTimeField()

    class Meta:
        db_table = "uploaded_file"
        indexes = [
            models.Index("library_id", "sha256", name="uploaded_file_content"),
            models.Index("library_id", "name", name="uploaded_file_name"),
        ]


def _uploaded(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, files.FileUploaded)
    UploadedFile.objects.update_or_create(
        id=id_of(fact),
        defaults={
            "library_id": fact.library,
            "sha256": fact.sha256,
            "path": fact.path,
            "name": fact.name,
            "size": fact.size,
            "uploaded_at": event.recorded_at,
        },
    )


def _forgotten(event: Event) -> None:
    fact = codec.decode(event)
    assert isinstance(fact, PhotoForgotten)
    UploadedFile.objects.filter(id__in=fact.files).delete()


HANDLERS: dict[str, Callable[[Event], None]] = {
    "file.uploaded": _uploaded,
    "photo.forgotten": _forgotten,
}
TABLES = (UploadedFile,)


def name_of_upload(file: UUID) -> str:
    """What the owner of an uploaded file calls it; "" for any other file."""
    return UploadedFile.objects.filter(id=file).values_list("name", flat=True).first() or ""


def uploads_called(library: UUID, names: Collection[str]) -> list[UUID]:
    """The files that were uploaded under one of these names."""
    return list(UploadedFile.objects.filter(library_id=library, name__in=names).values_list("id", flat=True))


def uploads_beside(file: UUID, names: Collection[str]) -> list[UUID]:
    """The uploads of these names that came with another one: of several of one name, the nearest in time."""
    own = UploadedFile.objects.filter(id=file).first()
    if own is None:
        return []
    nearest: dict[str, UploadedFile] = {}
    for one in UploadedFile.objects.filter(library_id=own.library_id, name__in=names).order_by(
        "uploaded_at", "id"
    ):
        best = nearest.setdefault(one.name, one)
        if abs(one.uploaded_at - own.uploaded_at) < abs(best.uploaded_at - own.uploaded_at):
            nearest[one.name] = one
    return [one.id for one in nearest.values()]


def bytes_kept(account: Account) -> int:
    """How much an account has uploaded, in bytes."""
    own = UploadedFile.objects.filter(library_id=library_id(managed_root(account.pk)))
    return own.aggregate(all=Sum("size"))["all"] or 0


def is_kept(account: Account, path: str) -> bool:
    """Whether a file lies there in an account's own library and is recorded: else it counts for nothing."""
    root = managed_root(account.pk)
    known = UploadedFile.objects.filter(library_id=library_id(root), path=path)
    return known.exists() and original_path(root, path).exists()


def already_there(account: Account, hashes: Collection[str]) -> dict[str, UUID | None]:
    """Which of these contents an account has, by SHA-256 in hex: the photo, or None for one that is not made yet.

    A photo whose originals are missing does not count: uploaded again it is back.
    """
    seen = libraries_of(account).values_list("id", flat=True)
    shown = Photo.objects.filter(library_id__in=list(seen), sha256__in=hashes, missing=False, hidden="")
    found: dict[str, UUID | None] = dict(shown.values_list("sha256", "id"))
    root = managed_root(account.pk)
    waiting = UploadedFile.objects.filter(library_id=library_id(root), sha256__in=set(hashes) - set(found))
    for file in waiting:
        # A sidecar lies under a hash of its name as well: the same one may be meant for another photo.
        if file.sha256 in file.path and original_path(root, file.path).exists():
            found[file.sha256] = None
    return found
