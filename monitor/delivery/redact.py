"""Keeping secrets out of text and logs."""

from __future__ import annotations

import logging
import re
from urllib.parse import quote, urlsplit

_BOT_TOKEN = re.compile(r"(?<![0-9])[0-9]{5,}:[A-Za-z0-9_-]{20,}")
_NOISY = ("httpx", "httpcore", "telegram")  # their INFO and DEBUG lines carry the URL, and with it the token


def redact(text: str, *secrets: str) -> str:
    """text with every secret, its URL-quoted form and anything like a bot token replaced by ***."""
    for secret in secrets:
        for form in {secret, quote(secret, safe=""), quote(secret)}:
            if form:
                text = text.replace(form, "***")
    return _BOT_TOKEN.sub("***", text)


def hush_libraries() -> None:
    """Set the HTTP libraries' loggers to WARNING unless they are stricter; safe to call often."""
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


def host(url: str) -> str:
    """The scheme, host and port of a URL: what may be shown of it."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"
