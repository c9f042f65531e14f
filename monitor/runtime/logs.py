"""The daemon's log: on standard error, for people or as one JSON object a line, with every secret taken out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from monitor.delivery.redact import hush_libraries, redact

Event = MutableMapping[str, Any]


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Values that must never be printed: of the variables that are named like secrets."""
    signs = ("TOKEN", "SECRET", "PASSWORD", "APPRISE")
    return tuple(value for name, value in environ.items() if len(value) >= 6 and any(s in name.upper() for s in signs))


def configure(level: str, style: str, environ: Mapping[str, str]) -> None:
    """Send all logs, the libraries' too, to standard error. style: console, json or auto."""
    secrets = secrets_of(environ)

    def redacted(_: object, __: str, event: Event) -> Event:
        for key, value in event.items():
            if isinstance(value, str):
                event[key] = redact(value, *secrets)
        return event

    people = sys.stderr.isatty() if style == "auto" else style == "console"
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people),
        structlog.processors.format_exc_info,
        redacted,
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
        structlog.stdlib.ProcessorFormatter(
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
