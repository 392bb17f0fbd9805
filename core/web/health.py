"""Whether this process is well, for whoever watches over it: a container's health check, a load balancer."""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 while the process lives and its database answers, else 503. Says nothing about anybody's photos."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return _answer(503, database="does not answer")
    return _answer(200, database="answers")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 once pages can be served: the database answers and its tables are those of this version."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return _answer(503, database="does not answer")
    return _answer(503, database="has to be migrated") if missing else _answer(200, database="answers")


def _answer(status: int, **parts: str) -> JsonResponse:
    return JsonResponse({"status": "ok" if status == 200 else "unwell", **parts}, status=status)
