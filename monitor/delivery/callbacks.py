"""What a button under an alert sends back: an action and a number, signed so that nobody can make one up.

Telegram allows 64 bytes. The key is derived from the bot's token, so a button of another bot, or of a token that was
revoked since, does nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from monitor.model import LARGEST_ID

_FORM = re.compile(r"([a-z])\.(\d{1,10})\.([A-Za-z0-9_-]{16})")


def sign(token: str, action: str, number: int) -> str:
    """The callback data of an action, a single letter, on the row of that number: at most 29 bytes."""
    said = f"{action}.{number}"
    return f"{said}.{_seal(token, said)}"


def read(token: str, data: str) -> tuple[str, int] | None:
    """(action, number), None where it was not signed with this token."""
    found = _FORM.fullmatch(data) if data.isascii() else None
    if found is None or not hmac.compare_digest(_seal(token, f"{found[1]}.{found[2]}"), found[3]):
        return None
    number = int(found[2])
    return (found[1], number) if number < LARGEST_ID else None


def derived(token: str, purpose: str) -> bytes:
    """A key of its own for each purpose, from the token."""
    return hmac.digest(token.encode(), f"rasid {purpose}".encode(), hashlib.sha256)


def _seal(token: str, said: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(derived(token, "buttons"), said.encode(), hashlib.sha256)[:12]).decode()
