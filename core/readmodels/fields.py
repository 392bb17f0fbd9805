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


class WordsField(models.Field):  # type: ignore[type-arg]
    """Words as PostgreSQL keeps them for searching (tsvector): a list of words in, taken as they are.

    Django's own field would have PostgreSQL cut a text into words, by the rules of one language.
    """

    def db_type(self, connection: Any) -> str:  # noqa: ARG002  # Django's signature
        return "tsvector"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:  # noqa: ARG002
        return "array_to_tsvector(%s::text[])"

    def get_prep_value(self, value: Any) -> list[str]:
        return list(value)


@WordsField.register_lookup
class Matches(models.Lookup):
    """`words__matches="'sea' & 'summ':*"`: a question as PostgreSQL writes it (tsquery)."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} @@ %s::tsquery", (*params, self.rhs)
