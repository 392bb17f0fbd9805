"""Takes uploads in: begins them, adds bytes, and keeps what is whole and welcome, in an account's own library."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from core import partials
from core.accounts import Account
from core.commands.libraries import managed_library
from core.commands.uploads import record_upload
from core.domain import uploads
from core.domain.files import FileUploaded
from core.domain.libraries import library_id
from core.domain.photos import photo_id
from core.domain.uploads import (
    Announced,
    ChecksumMismatch,
    ContentDiffers,
    Looked,
    NotWanted,
    UploadNotFound,
    WrongOffset,
)
from core.readmodels.libraries import Library
from core.readmodels.uploads import already_there, bytes_kept, is_kept
from core.storage import (
    keep_original,
    managed_path,
    managed_root,
    original_path,
    partial_path,
    room_for_originals,
)
from core.turns import take_turns
from core.uploads import Upload, turn_of

# With so many bytes the content says what it is; nobody should send gigabytes to hear that they are not wanted.
_ENOUGH_TO_KNOW = 65536


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request are said to come to; `algorithm` is hashlib's name."""

    algorithm: str
    digest: bytes


def begin(account: Account, announced: Announced) -> Upload:
    """Take up an upload. Raises NotWanted for an empty file, QuotaExceeded, NoRoom."""
    if announced.size == 0:
        raise NotWanted("This file is empty: there is nothing in it to show.", "empty")
    with transaction.atomic():
        take_turns(f"uploads:{account.pk}")
        _refuse_without_room(account, announced.size)
        upload = Upload.objects.create(
            account=account,
            name=uploads.clean_name(announced.name),
            size=announced.size,
            sha256=announced.sha256,
            modified_ns=announced.modified_ns,
            expires_at=_expiry(),
        )
        import_string(settings.UPLOAD_BEGUN)()
    return upload


def upload_of(account: Account, upload_id: UUID) -> Upload:
    """An account's own upload. Raises UploadNotFound."""
    found = Upload.objects.filter(id=upload_id, account=account, expires_at__gt=timezone.now()).first()
    if found is None:
        raise UploadNotFound(str(upload_id))
    return found


def length_of(upload: Upload) -> int:
    """How many bytes of an upload have come."""
    if upload.finished_at is not None:
        return upload.size
    there = partials.length_of(partial_path(upload.id))
    return there if upload.unverified_from is None else min(there, upload.unverified_from)


def receive(upload: Upload, offset: int, chunks: Iterable[bytes], checksum: Checksum | None = None) -> int:
    """Add bytes to an upload; its length then. They are on disk when this returns.

    Raises WrongOffset, UploadBusy, TooMuch, NoRoom, ChecksumMismatch, NotWanted (then the upload is thrown away).
    """
    if upload.finished_at is not None:
        return _nothing_more(upload, offset)
    with partials.exclusive(partial_path(upload.id)) as file:
        upload = _look_again(upload)
        if upload.unverified_from is not None:
            _set_back(upload, file.fileno(), upload.unverified_from)
        at = os.fstat(file.fileno()).st_size
        if at != offset:
            raise WrongOffset(at)
        uploads.refuse_without_room(upload.size - at, *room_for_originals())
        if checksum is None:
            there = partials.append(file, chunks, upload.size)
        else:
            there = _receive_checked(upload, file, chunks, checksum)
        Upload.objects.filter(id=upload.id).update(expires_at=_expiry())
        if at < _ENOUGH_TO_KNOW <= there < upload.size:
            _refuse_unwelcome(upload)
    return there


def finish(upload: Upload, *, actor: str) -> Upload:
    """Keep an upload whose bytes have all come, unless its content is there already; any number of times.

    Raises NotWanted, ContentDiffers (then it is thrown away), UploadBusy, UploadNotFound.
    """
    if upload.finished_at is not None:
        return upload
    part = partial_path(upload.id)
    with partials.exclusive(part) as file:
        upload = _look_again(upload)
        if upload.finished_at is not None:
            part.unlink(missing_ok=True)  # which opening it has made anew
            return upload
        if os.fstat(file.fileno()).st_size != upload.size:
            raise WrongOffset(os.fstat(file.fileno()).st_size)
        digest = partials.hash_of(file)
        if upload.sha256 and digest != upload.sha256:
            discard(upload)
            raise ContentDiffers("What has come is not the file that was announced. Send it again.")
        _keep(upload, part, digest, actor, sidecar=_refuse_unwelcome(upload).sidecar)
    return upload


def discard(upload: Upload) -> None:
    """Throw away an upload and its bytes. What was finished stays where it is."""
    partial_path(upload.id).unlink(missing_ok=True)
    Upload.objects.filter(id=upload.id).delete()


def keep_at_once(account: Account, announced: Announced, chunks: Iterable[bytes], *, actor: str) -> Upload:
    """The whole of an upload in one go. Nothing stays of one that fails. Raises what its parts raise."""
    upload = begin(account, announced)
    try:
        if receive(upload, 0, chunks) < upload.size:
            raise ContentDiffers("The file ended before its announced length. Send it again.")
        return finish(upload, actor=actor)
    except BaseException:
        discard(upload)
        raise


def _keep(upload: Upload, part: Path, digest: str, actor: str, *, sidecar: bool) -> None:
    account = upload.account
    library = _library(account, actor)
    # Two sidecars may say the same of two photos: what counts of them is the name, too.
    hashed = hashlib.sha256(f"{digest}:{upload.name}".encode()).hexdigest() if sidecar else digest
    path = managed_path(hashed, uploads.extension_of(upload.name))
    with transaction.atomic():
        # Of two uploads of the same content the second sees the first's.
        take_turns(turn_of(library, path))
        there = _sidecar_there(account, digest, path) if sidecar else already_there(account, [digest])
        if digest not in there:
            facts = _put(upload, part, original_path(managed_root(account.pk), path))
            fact = FileUploaded(library, path, upload.name, digest, facts.st_size, facts.st_mtime_ns)
            record_upload(fact, upload.id, actor=actor)
        upload.sha256, upload.was_there, upload.finished_at = digest, digest in there, timezone.now()
        upload.photo_id = None if sidecar else there.get(digest) or photo_id(library, digest)
        upload.expires_at = _expiry()
        upload.save()
    part.unlink(missing_ok=True)


def _sidecar_there(account: Account, digest: str, path: str) -> dict[str, UUID | None]:
    return {digest: None} if is_kept(account, path) else {}


def _look_again(upload: Upload) -> Upload:
    """The upload as it is now that the lock is ours. Raises UploadNotFound when it was thrown away meanwhile."""
    now = Upload.objects.select_related("account").filter(id=upload.id).first()
    if now is None:
        partial_path(upload.id).unlink(missing_ok=True)  # which opening it has made anew
        raise UploadNotFound(str(upload.id))
    return now


def _put(upload: Upload, part: Path, final: Path) -> os.stat_result:
    if upload.modified_ns is not None:
        # Where nothing else dates a photo, its file's time does.
        os.utime(part, ns=(upload.modified_ns, upload.modified_ns))
    keep_original(part, final)
    return final.stat()


def _library(account: Account, actor: str) -> UUID:
    """Raises nothing; the library's events are written once."""
    identity = library_id(managed_root(account.pk))
    if Library.objects.filter(id=identity, removed=False).exists():
        return identity
    return managed_library(account.pk, f"Uploads of {account.get_username()}", actor=actor)


def _receive_checked(upload: Upload, file: FileIO, chunks: Iterable[bytes], said: Checksum) -> int:
    """Bytes that count only once their checksum is right, also when the process is killed in between."""
    before = os.fstat(file.fileno()).st_size
    upload.unverified_from = before
    upload.save(update_fields=["unverified_from"])
    digest = hashlib.new(said.algorithm, usedforsecurity=False)
    try:
        there = partials.append(file, chunks, upload.size, digest)
    except BaseException:
        _set_back(upload, file.fileno(), before)
        raise
    if digest.digest() != said.digest:
        _set_back(upload, file.fileno(), before)
        raise ChecksumMismatch("The bytes were changed on their way; none of them was kept. Send them again.")
    _verified(upload)
    return there


def _set_back(upload: Upload, descriptor: int, length: int) -> None:
    if os.fstat(descriptor).st_size > length:
        os.ftruncate(descriptor, length)
    _verified(upload)


def _verified(upload: Upload) -> None:
    upload.unverified_from = None
    upload.save(update_fields=["unverified_from"])


def _nothing_more(upload: Upload, offset: int) -> int:
    if offset != upload.size:
        raise WrongOffset(upload.size)
    return upload.size


def _refuse_unwelcome(upload: Upload) -> Looked:
    said: Looked = import_string(settings.UPLOAD_LOOK)(partial_path(upload.id), upload.name, upload.size)
    if said.code:
        discard(upload)
        raise NotWanted(said.reason, said.code)
    return said


def _refuse_without_room(account: Account, size: int) -> None:
    """What is announced already counts as if it had come."""
    under_way = list(Upload.objects.filter(finished_at=None))
    own = sum(upload.size for upload in under_way if upload.account_id == account.pk)
    uploads.refuse_beyond_quota(size, bytes_kept(account) + own, settings.UPLOAD_QUOTA_GIB << 30)
    to_come = sum(upload.size - length_of(upload) for upload in under_way)
    free, margin = room_for_originals()
    uploads.refuse_without_room(size, free - to_come, margin)


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.UPLOAD_DAYS)
