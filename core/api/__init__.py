"""The API under /api/v1/: the same read models as the pages, for programs."""
