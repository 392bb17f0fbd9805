"""A task that does nothing: what is left is the queue's own cost."""

from procrastinate.contrib.django import app


@app.task(name="nothing", queue="files")
def nothing(number: int) -> None:
    """Nothing."""
