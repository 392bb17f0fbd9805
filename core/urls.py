"""Every address of the site. Upper layers are mounted by the names in settings.MOUNTS."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("core.web.urls")),
    *(path(prefix, include(module)) for prefix, module in settings.MOUNTS),
]
