"""What a command says when something went wrong that nobody foresaw: words and a place, never a traceback.

A traceback of Python would show values of variables on some settings, and with them secrets.
"""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path

from monitor.delivery.redact import redact

_OURS = Path(__file__).parents[2]
_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def tolerant_output() -> None:
    """Let terminals that cannot show a letter show a ? in its place, instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if (stream.encoding or "").lower().replace("-", "") != "utf8" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def reader_is_gone(end: BaseException) -> bool:
    """Whether the command ends because nobody reads what it writes any more; click and rich make an exit of that."""
    return isinstance(end, BrokenPipeError) or isinstance(end.__context__, BrokenPipeError)


def last_words(error: Exception) -> str:
    """One sentence about an error: of the system in its own words, else of ours with where it was raised."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _OURS in Path(frame.filename).parents]
    place = " < ".join(f"{Path(one.filename).relative_to(_OURS)}:{one.lineno}" for one in reversed(frames))
    what = _LOGIN.sub("***", redact(" ".join(str(error).split())))[:500]
    return f"this is a defect of Rasid, please report it: {type(error).__name__}: {what} (at {place})"
