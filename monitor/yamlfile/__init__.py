"""YAML as Rasid reads it: every scalar stays a string, every value knows its line, and all problems come at once.

The law: no aliases, anchors, tags or duplicate keys; at most 20 levels, one document, 1 MB; what is refused is named
with file, line, column and the mend. Values become types only in `validate`, through a pydantic model; an empty value
(`polling:` with every line below it commented out) counts as absent where a default exists.
"""

from monitor.yamlfile.document import MAX_BYTES, MAX_DEPTH, SPECIAL, Document, Path, is_special, parse, read
from monitor.yamlfile.kinds import (
    Countries,
    Duration,
    Hours,
    Languages,
    Strict,
    Strings,
    parse_clock,
    parse_duration,
    parse_hours,
    quoted,
    show_duration,
    show_hours,
)
from monitor.yamlfile.validation import near, problems_of, validate

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "SPECIAL",
    "Countries",
    "Document",
    "Duration",
    "Hours",
    "Languages",
    "Path",
    "Strict",
    "Strings",
    "is_special",
    "near",
    "parse",
    "parse_clock",
    "parse_duration",
    "parse_hours",
    "problems_of",
    "quoted",
    "read",
    "show_duration",
    "show_hours",
    "validate",
]
