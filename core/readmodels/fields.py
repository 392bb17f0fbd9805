"""Column types that Django does not have."""

from datetime import datetime
from typing import Any

from django.db import models


class WallTimeField(models.Field):  # type: ignore[type-arg]
    """A local wall time without a zone, as cameras write it: a naive datetime in and out.

    Django's DateTimeField means a moment in UTC; local camera time is not that.
    """

    def db_type(self, connection: Any) -> str:  # noqa: ARG002  # Django's signature
        return "timestamp without time zone"

    def to_python(self, value: Any) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> datetime | None:
        return self.to_python(value)
