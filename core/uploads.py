"""Uploads that are under way: what is announced of a file whose bytes still come.

No read model: half a file is no fact. What the table says is worth nothing without the bytes on disk, and both are
swept when nobody goes on with them.
"""

import uuid

from django.db import models

from core.accounts import Account


class Upload(models.Model):
    """One upload. How far it is, the file on disk says (`core.storage.partial_path`), and nothing else does."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    name = models.TextField()
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, default="")
    modified_ns = models.BigIntegerField(null=True)
    begun_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    # While bytes come whose checksum is not known to be right yet: where they begin.
    unverified_from = models.BigIntegerField(null=True)
    # What became of it; the row stays a while, for a browser that lost the answer.
    finished_at = models.DateTimeField(null=True)
    was_there = models.BooleanField(default=False)
    photo_id = models.UUIDField(null=True)

    class Meta:
        db_table = "upload"


def turn_of(library: uuid.UUID, path: str) -> str:
    """The turn of whoever puts an upload into its place in a library, or takes it away from there."""
    return f"upload:{library}:{path.rpartition('/')[2].partition('.')[0]}"
