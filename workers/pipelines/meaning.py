"""Describes what somebody asked for by numbers that compare with those of pictures."""

import traceback
from pathlib import Path

from workers.errors import PoisonError
from workers.ml import meaning


def describe_text(preset: Path, text: str) -> list[float]:
    """The numbers of a text; meant for a child process.

    Raises PoisonError when the preset cannot be used.
    """
    try:
        numbers: list[float] = meaning.load(preset).describe_text(text).tolist()
    except (OSError, MemoryError):
        raise
    except Exception as error:  # the outermost edge of the model: Keras raises what it likes
        trouble = PoisonError(
            "model-unusable",
            f"The preset in {preset} could not be used ({type(error).__name__}: {str(error)[:300]}).",
        )
        trouble.add_note(traceback.format_exc())
        raise trouble from error
    return numbers
