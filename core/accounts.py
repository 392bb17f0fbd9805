"""Who may sign in, and the keys with which programs do.

These tables are no read models: passwords and keys do not belong in an event log, so they live here alone.
"""

import hashlib
import secrets
import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Account(AbstractUser):
    """A person who may sign in. The first one made is the administrator."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta(AbstractUser.Meta):
        db_table = "account"

    @property
    def actor(self) -> str:
        """The name under which events remember what this person did."""
        return f"account:{self.pk}"


class ApiKey(models.Model):
    """A key of one account; only its SHA-256 is kept, for a key of 256 random bits needs no slow hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "api_key"


def new_key() -> str:
    """A fresh key, shown to its owner once."""
    return f"filmroll_{secrets.token_urlsafe(32)}"


def digest_of(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def account_of_key(key: str) -> Account | None:
    """The account that a key belongs to, or None."""
    found = ApiKey.objects.select_related("account").filter(digest=digest_of(key), account__is_active=True).first()
    return found.account if found else None
