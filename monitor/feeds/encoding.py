"""What letters a body's bytes stand for, whatever it claims. Feeds lie: windows-1256 sent as UTF-8 and the reverse.

Arabic in UTF-8 is proof of itself (no other encoding's Arabic is valid UTF-8), so UTF-8 is tried before any claim.
Text that was decoded wrongly before it reached the feed (mojibake) is put right where the repair is unmistakable.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

_DECLARED = re.compile(rb"^[^<]{0,20}<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})[\"']", re.DOTALL)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ALIASES = {
    "cp-1256": "cp1256",
    "win-1256": "cp1256",
    "arabic": "cp1256",
    "x-mac-arabic": "mac-arabic",
    "utf8mb4": "utf-8",
}
_SINGLE_BYTE = ("cp1256", "iso8859-6", "cp720", "cp864", "mac-arabic")
_WESTERN = frozenset({"cp1252", "iso8859-1", "latin-1", "ascii", "iso8859-15"})
# Python's own codecs that are no character sets, or that cost without bound, must never be reached by a header.
_REFUSED = frozenset("utf-7 idna punycode unicode_escape raw_unicode_escape undefined".split())  # noqa: SIM905
_ARABIC = re.compile(r"[\u0621-\u063a\u0641-\u064a]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_CP1252_HIGH = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_LATIN_RUN = re.compile(rf"[\x80-\xff{_CP1252_HIGH}]{{2,}}")
_CP1256_PAIRS = re.compile(r"(?:[طظغعîï][^\x00-\x7f]){2,}")
_SAMPLE = 200_000


def decode(body: bytes, headers: Mapping[str, str] | None = None) -> tuple[str, str, str]:
    """(text, encoding used, note). The note is "" unless the body was not what it claims to be. Never raises."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            text = body[len(bom) :].decode(name, "replace")
            return _mended(text, name, "")
    claims = claimed(body, headers or {})
    if wide := _wide(body, claims):
        return _mended(body.decode(wide, "replace"), wide, "")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(body, claims, error)
    honest = not claims or claims[0] in ("utf-8", "ascii") or body.isascii()
    if not honest and claims[0].startswith(("iso2022", "hz")):
        return text if not body.isascii() else body.decode(claims[0], "replace"), claims[0], ""
    return _mended(text, "utf-8", "" if honest else f"says {claims[0]} but is UTF-8")


def claimed(body: bytes, headers: Mapping[str, str]) -> list[str]:
    """The encodings that the HTTP header and the body itself name, as Python codec names, unknown ones left out."""
    found: list[str] = []
    header = _CHARSET.search(headers.get("content-type", headers.get("Content-Type", "")))
    names = [header[1]] if header else []
    names += [m[1].decode("ascii") for m in (_DECLARED.search(body[:1024]), _META.search(body[:4096])) if m]
    for name in names:
        try:
            codec = codecs.lookup(_ALIASES.get(name.lower(), name))
        except (LookupError, ValueError):
            continue
        if codec._is_text_encoding and codec.name not in _REFUSED and codec.name not in found:
            found.append(codec.name)
    return found


def mend(text: str) -> str:
    """`text` with mojibake put right: UTF-8 read as windows-1252 or windows-1256, windows-1256 read as Latin-1."""
    if text.isascii():
        return text
    if text.count("Ø") + text.count("Ù") >= 2:
        text = _LATIN_RUN.sub(_utf8_from_latin, text)
    if text.count("ط§") + text.count("ظ„") >= 1:
        text = _CP1256_PAIRS.sub(_utf8_from_cp1256, text)
    if not _ARABIC.search(text) and _reads_as_cp1256(text):
        text = _LATIN_RUN.sub(lambda m: _recode(m.group(0), "cp1256") or m.group(0), text)
    return text


def arabic_share(text: str) -> float:
    """The share of Arabic letters among all letters outside ASCII, 0..1."""
    high = [c for c in text[:_SAMPLE] if c > "\x7f" and not c.isspace()]
    return sum(1 for c in high if _ARABIC.match(c)) / len(high) if high else 0.0


def _mended(text: str, name: str, note: str) -> tuple[str, str, str]:
    better = mend(text)
    return better, name, note or ("text had been decoded wrongly by its publisher" if better != text else "")


def _wide(body: bytes, claims: list[str]) -> str | None:
    """UTF-16/32 without a mark, told by the zero bytes beside ASCII markup."""
    head = body[:4]
    for shape, name in (
        (b"<\0\0\0", "utf-32-le"),
        (b"\0\0\0<", "utf-32-be"),
        (b"<\0?\0", "utf-16-le"),
        (b"\0<\0?", "utf-16-be"),
        (b"<\0r\0", "utf-16-le"),
        (b"\0<\0r", "utf-16-be"),
    ):
        if head == shape:
            return name
    if body.startswith(b"\x4c\x6f\xa7\x94"):
        return next((c for c in claims if c.startswith("cp")), "cp037")
    return None


def _not_utf8(body: bytes, claims: list[str], error: UnicodeDecodeError) -> tuple[str, str, str]:
    sample = body[:_SAMPLE]
    runs = _HIGH.findall(sample)
    high = sum(map(len, runs))
    text = sample.decode("utf-8", "replace")
    if text.count("\ufffd") * 20 < len(_ARABIC.findall(text)) or text.count("\ufffd") * 50 < high:
        return _mended(body.decode("utf-8", "replace"), "utf-8", "some bytes are broken and were replaced")
    for name in claims:
        if name in _WESTERN or name == "utf-8":
            continue
        try:
            return body.decode(name), name, ""
        except UnicodeDecodeError:
            if name in _SINGLE_BYTE or sample.decode(name, "replace").count("\ufffd") * 20 < high:
                return body.decode(name, "replace"), name, "some bytes are broken and were replaced"
    said = claims[0] if claims else "nothing"
    if _looks_arabic(runs, high):
        best = max(("cp1256", "iso8859-6"), key=lambda name: _score(sample.decode(name, "replace")))
        return body.decode(best, "replace"), best, f"says {said} but is {best}"
    note = f"says {said} but is windows-1252" if claims[:1] == ["utf-8"] else ""
    return body.decode("cp1252", "replace"), "cp1252", note


def _looks_arabic(runs: list[bytes], high: int) -> bool:
    """Arabic in one byte a letter comes in words of high bytes; French or German accents stand alone."""
    return bool(runs) and high / len(runs) >= 2.5


def _score(text: str) -> float:
    words = text.count("ال") + text.count(" من ") + text.count(" في ")
    return arabic_share(text) + words / (len(text) / 20 + 1) - text.count("\ufffd") / (len(text) + 1)


def _utf8_from_latin(match: re.Match[str]) -> str:
    run = match.group(0)
    raw = bytearray()
    for char in run:
        try:
            raw += char.encode("cp1252")
        except UnicodeEncodeError:
            raw.append(ord(char))
    try:
        better = bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return run
    return better if _ARABIC.search(better) or len(better) < len(run) else run


def _utf8_from_cp1256(match: re.Match[str]) -> str:
    return _recode(match.group(0), "utf-8", "cp1256") or match.group(0)


def _recode(run: str, right: str, wrong: str = "cp1252") -> str | None:
    try:
        return run.encode(wrong).decode(right)
    except UnicodeError:
        try:
            return run.encode("latin-1").decode(right) if wrong == "cp1252" else None
        except UnicodeError:
            return None


def _reads_as_cp1256(text: str) -> bool:
    sample = text[:_SAMPLE]
    runs = _LATIN_RUN.findall(sample)
    if len(runs) < 2 or "Çá" not in sample or sum(map(len, runs)) / len(runs) < 3:
        return False
    recoded = [_recode(run, "cp1256") for run in runs[:500]]
    good = sum(1 for run in recoded if run and arabic_share(run) > 0.8)
    return good >= 0.8 * len(recoded)
