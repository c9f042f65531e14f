"""A signature as bytes, so that the database can keep it: signing an article anew costs ten times as much as reading.

Law of this file: bytes are read only as they were written. They begin with a mark of what `sign` makes of a probe text,
so that whatever changes there makes them strange (None), and their articles are signed again.
"""

from __future__ import annotations

import struct
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache

from xxhash import xxh32_intdigest

from monitor.model import Article
from monitor.stories.signature import Signature, sign

_KINDS = [(field.name, field.type) for field in fields(Signature)]
_LONG = [name for name, kind in _KINDS if kind in ("str", "bytes")]
_HEAD = struct.Struct(f"<I{len(_LONG)}I{len(_KINDS) - len(_LONG)}Q")
_LENIENT = "surrogatepass"
# It has of everything that signing looks at: clitics, ة and ه, ى, hamza, ranks, numbers, digits of two kinds, Latin.
_TITLE = "مقتل ثلاثة وإصابة ٤٠ بالعاصمة في هجوم لـ Shahed-136، والوزارة تنفي أمس"
_BODY = (
    "أعلن صاحب السمو الملكي الأمير ولي العهد نائب رئيس مجلس الوزراء، أن المدرسة والمدرسه فُتحتا «أبوابهما» للطلاب، "
    "وأكّد لوكالة الأنباء أنّ إلى 25 ألفًا منهم عادوا؛ فيما أفادت الـBBC بأن على الطريق مئات الحافلات القديمة "
)


def pack(signature: Signature) -> bytes:
    """The signature as `unpack` reads it."""
    values = [(kind, getattr(signature, name)) for name, kind in _KINDS]
    long = [value.encode("utf-8", _LENIENT) if kind == "str" else value for kind, value in values if kind != "int"]
    return b"".join([_HEAD.pack(scheme(), *map(len, long), *(value for kind, value in values if kind == "int")), *long])


def unpack(kept: bytes) -> Signature | None:
    """The signature that was packed; None where another scheme made it."""
    if len(kept) < _HEAD.size:
        return None
    mark, *numbers = _HEAD.unpack_from(kept)
    if mark != scheme():
        return None
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


@cache
def scheme() -> int:
    """A mark of the fields of a signature and of how they are made."""
    probe = probed()
    return xxh32_intdigest(repr([(name, getattr(probe, name)) for name, _ in _KINDS]).encode("utf-8", _LENIENT))


def probed() -> Signature:
    """The signature of the probe text."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    page = "https://example.com/news/1046939-headline"
    body = " ".join(f"{_BODY} {number}" for number in range(20))  # longer than what is kept of a text
    return sign(
        Article(
            feed_id="feed", outlet_id="outlet", key="guid-1046939", url=page, canonical_url=page, title=_TITLE,
            summary="", body=body, author="", tags=(), language="ar", published=now, first_seen=now,
            content_hash="content",
        )
    )  # fmt: skip
