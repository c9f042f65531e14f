"""A signature as bytes, so that the database can keep it: signing an article anew costs ten times as much as reading.

Law of this file: SCHEME changes whenever `sign` gives anything else for the same article. What was kept by another
scheme is no signature any more (None), and its article is signed again.
"""

from __future__ import annotations

import struct
from dataclasses import fields

from monitor.stories.signature import Signature

SCHEME = 1

_KINDS = [(field.name, field.type) for field in fields(Signature)]
_LONG = [name for name, kind in _KINDS if kind in ("str", "bytes")]
_HEAD = struct.Struct(f"<B{len(_LONG)}I{len(_KINDS) - len(_LONG)}Q")
_LENIENT = "surrogatepass"


def pack(signature: Signature) -> bytes:
    """The signature as `unpack` reads it."""
    values = [(kind, getattr(signature, name)) for name, kind in _KINDS]
    long = [value.encode("utf-8", _LENIENT) if kind == "str" else value for kind, value in values if kind != "int"]
    return b"".join([_HEAD.pack(SCHEME, *map(len, long), *(value for kind, value in values if kind == "int")), *long])


def unpack(kept: bytes) -> Signature | None:
    """The signature that was packed; None where another scheme made it."""
    if not kept or kept[0] != SCHEME:
        return None
    _, *numbers = _HEAD.unpack_from(kept)
    lengths, whole = iter(numbers[: len(_LONG)]), iter(numbers[len(_LONG) :])
    at = _HEAD.size
    values: list[str | bytes | int] = []
    for _, kind in _KINDS:
        if kind == "int":
            values.append(next(whole))
            continue
        part = kept[at : (at := at + next(lengths))]
        values.append(part if kind == "bytes" else part.decode("utf-8", _LENIENT))
    return Signature(*values)  # type: ignore[arg-type]
