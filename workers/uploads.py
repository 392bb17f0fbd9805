"""What uploads need of the workers: a look at the content, and the sweeping of those that nobody goes on with."""

import time
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from core.domain.uploads import Looked
from core.receiving import discard
from core.storage import partial_path
from core.turns import take_turns
from core.uploads import Upload
from workers.children import run_in_child
from workers.errors import PoisonError
from workers.pipelines.files import identify
from workers.pipelines.kinds import Kind
from workers.pipelines.signatures import HEAD_BYTES
from workers.queue import defer

SWEEP = "sweep_uploads"
_STRAY_SECONDS = 24 * 3600
_A_LITTLE_LATER = timedelta(minutes=1)


def look(path: Path, name: str, size: int) -> Looked:
    """What a file holds by its content, and why it is not kept where it is no picture, video or sidecar.

    `size` is that of the whole file, of which as yet only the beginning may be there.
    """
    # Brings a reader of XML and a map of time zones, which few programs need.
    from workers.pipelines.sidecars import may_be_sidecar

    with path.open("rb") as file:
        kind = identify(file.read(HEAD_BYTES), size, name)
    if kind.media in ("image", "raw", "video"):
        return Looked()
    is_whole = path.stat().st_size >= size
    if kind.name == "zeros" and not is_whole:
        return Looked()  # the rest may hold something
    what = "a file of a kind that is not known" if kind.name == "unknown" else f"a {kind.label}"
    article = what.replace("a a", "a", 1)
    refused = Looked("not-a-picture", f"This is {article}, and only photos and videos are kept here.")
    if not may_be_sidecar(kind, name):
        return refused
    return _look_at_sidecar(path, name, kind, refused) if is_whole else Looked(sidecar=True)


def _look_at_sidecar(path: Path, name: str, kind: Kind, refused: Looked) -> Looked:
    from workers.pipelines.sidecars import ABOUT_PICTURES, SidecarContent, read_sidecar  # see above

    try:
        content: SidecarContent = run_in_child(
            "decode", read_sidecar, path, kind, name, seconds=20, memory_mib=settings.CHILD_MEMORY_MIB
        )
    except PoisonError as error:
        return Looked(error.code, error.reason)
    return Looked(sidecar=True) if content.source in ABOUT_PICTURES else refused


def sweep_later() -> None:
    """See to it that a sweep comes once the first upload that is under way expires."""
    with transaction.atomic(), connection.cursor() as cursor:
        take_turns("queue sweeps of uploads")
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs"
            " WHERE queue_name = 'scan' AND task_name = %s AND status = 'todo')",
            [SWEEP],
        )
        first: datetime | None = Upload.objects.aggregate(first=Min("expires_at"))["first"]
        if first is not None and not cursor.fetchone()[0]:
            defer(SWEEP, args={}, queue="scan", scheduled_at=first + _A_LITTLE_LATER)


def sweep() -> int:
    """Throw away the uploads that have expired, and bytes that belong to none; how many."""
    expired = list(Upload.objects.filter(expires_at__lte=timezone.now()))
    for upload in expired:
        discard(upload)
    sweep_later()
    return len(expired) + _sweep_strays()


def _sweep_strays() -> int:
    """Files without a row: of a database that was set back, or of a request that came just too late."""
    known = {partial_path(upload).name for upload in Upload.objects.values_list("id", flat=True)}
    folder = partial_path(Upload().id).parent
    before = time.time() - _STRAY_SECONDS
    strays = [path for path in folder.glob("*") if path.name not in known and path.stat().st_mtime < before]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)
