"""Registers the photo library with Django."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Photo library"
    default_auto_field = "django.db.models.BigAutoField"
