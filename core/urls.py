"""Every address of the site. Upper layers are mounted by the names in settings.MOUNTS."""

from django.conf import settings
from django.urls import include, path

from core.api.api import api
from core.web.health import healthz, readyz

urlpatterns = [
    path("", include("core.web.urls")),
    path("api/v1/", api.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    *(path(prefix, include(module)) for prefix, module in settings.MOUNTS),
]
