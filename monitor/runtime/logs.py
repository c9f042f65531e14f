"""The daemon's log: on standard error, for people or as one JSON object a line, with every secret taken out."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from typing import Any

import structlog

from monitor.delivery.redact import hush_libraries, redact

SHORTEST_SECRET = 6  # what is shorter would take harmless words out of every line
_secrets: set[str] = set()


def keep_secret(values: Iterable[str]) -> None:
    """Never print these from now on. Once secret, always: a token that was replaced may still be good."""
    for value in values:
        if len(value) >= SHORTEST_SECRET:
            forms = (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value))
            _secrets.update((value, *(form[1:-1] for form in forms)))


class _Redacting(structlog.stdlib.ProcessorFormatter):
    """Takes the secrets out of the finished line, wherever they came from: an argument, a traceback, a repr."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), *_secrets)


def configure(level: str, style: str, secrets: Iterable[str]) -> None:
    """Send all logs, the libraries' too, to standard error. style: console, json or auto."""
    keep_secret(secrets)
    people = sys.stderr.isatty() if style == "auto" else style == "console"
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer(pad_event_to=0, sort_keys=False) if people else _json()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Redacting(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer], foreign_pre_chain=shared
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("rasid").setLevel(level.upper())
    hush_libraries()


def log() -> structlog.stdlib.BoundLogger:
    """Rasid's own log."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("rasid")
    return logger


def _json() -> Any:
    return structlog.processors.JSONRenderer(ensure_ascii=False)
