"""The web process's entry for an ASGI server."""

import os

import django

from core.streaming import Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
django.setup(set_prefix=False)
application = Handler()
