"""Has the tables of vectors made wherever pgvector can be had, also when it was installed after Filmroll was."""

from core import codes, groups, meaning, vectors


def make_tables() -> bool:
    """Make what is missing of them; whether they are there. Cheap where they are, harmless without pgvector."""
    return vectors.make_tables() and codes.make_table() and groups.make_table() and meaning.make_tables()
