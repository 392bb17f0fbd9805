"""Structured log lines, with the photo and the job bound to each."""

import logging
import logging.config
import sys
from typing import Any

from django.core.exceptions import PermissionDenied

# structlog draws tracebacks with rich where it finds it, and Keras brings it along: eighty modules in each program
# for what a log of plain lines has no use for.
_hides_rich = "rich" not in sys.modules
if _hides_rich:
    sys.modules["rich"] = None  # type: ignore[assignment]  # what import takes for "not there"
import structlog  # noqa: E402

if _hides_rich:
    del sys.modules["rich"]


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(allow=["action"]),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configuration(level: str, *, json_lines: bool) -> dict[str, Any]:
    """Django's LOGGING dictionary: one handler, every library's lines in the same shape."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": formatter},
        "filters": {"refusals": {"()": lambda: _without_traceback_of_refusals}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "filters": ["refusals"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Each of these says at INFO what the job console shows already.
            "procrastinate": {"level": "WARNING"},
            "uvicorn.access": {"level": "WARNING"},
        },
    }


def _without_traceback_of_refusals(record: logging.LogRecord) -> bool:
    """Somebody asked for what is not theirs: where in the code that was noticed helps nobody."""
    if record.exc_info and isinstance(record.exc_info[1], PermissionDenied):
        record.exc_info = None
    return True


def configure(config: dict[str, Any]) -> None:
    """Set up the standard library's logging and structlog on top of it."""
    logging.config.dictConfig(config)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
