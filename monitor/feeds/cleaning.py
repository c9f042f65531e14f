"""HTML as feeds carry it → plain text, in linear time: tags out, blocks to lines, entities (doubled too) to letters."""

from __future__ import annotations

import html
import re

MAX_MARKUP = 400_000


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCKS = _names(
    "p br div li ul ol dl dt dd tr table h1 h2 h3 h4 h5 h6 blockquote pre hr section article header footer aside "
    "figure figcaption address center form fieldset option main nav details summary"
)
_DROPPED = _names("script style noscript iframe object embed svg math template head title select textarea")
_KNOWN = _BLOCKS | _DROPPED
_KNOWN |= _names(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark q s samp small source "
    "span strike strong sub sup time tt u var video audio picture track wbr td th thead tbody tfoot caption col "
    "colgroup html body link meta base param area map button canvas ruby rt rp nobr o:p"
)
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9:_-]*")
_TAG_BODY = re.compile(r"(?:[^>\"'<]++|\"[^\"<>]*+\"|'[^'<>]*+'|[\"'])*+>")
_TAG_MAX = 4_000
_DOUBLE = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.IGNORECASE)
_TAGLIKE = re.compile(
    r"</?(?:p|br|div|span|a|img|b|i|u|strong|em|ul|ol|li|h[1-6]|table|blockquote|font)\b[^<>]{0,2000}>", re.IGNORECASE
)
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\ufffc\u00ad]+"
)
_BLANKS = re.compile(r"[ \t\r\f\v\xa0\u1680\u2000-\u200a\u202f\u205f\u3000\u0085]+")
_LINES = re.compile(r" *\n[ \n]*")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
# What blog software appends to every entry; it repeats the title and the outlet's name, and so would hit by itself.
_FOOTER = re.compile(
    r"\n?(?:The post .{1,300}? (?:appeared first on|first appeared on) .{1,120}"
    r"|(?:ظهرت المقالة|ظهر المقال|ظهرت التدوينة|المقالة|المقال|التدوينة|المادة) .{1,300}?"
    r"(?:أولاً على|اولا على|أولا على|في المقام الأول على|ظهر أولاً على|نشرت أولا على|تم نشره أولاً) .{1,120}"
    r"|(?:(?<=\n)|(?<=[.…»!؟]) ?)"
    r"(?:Read more|اقرأ المزيد|إقرأ المزيد|المزيد|للمزيد|تابع القراءة|أكمل القراءة)\s*(?:…|\.{3}|»|>>|←|›)*"
    r")\s*$"
)
_FOOTER_HINT = re.compile("appeared|أول|اول|المقام|المزيد|للمزيد|القراءة|Read more")
_ELLIPSIS = re.compile(r"\s*[\[(](?:…|\.{3}|&hellip;)[\])]\s*$")


def text(markup: str) -> str:
    """Plain text of an HTML fragment: one line a block, no blank lines, control characters gone."""
    markup = _CDATA.sub("", markup[:MAX_MARKUP]) if "[CDATA[" in markup else markup[:MAX_MARKUP]
    for _ in range(3):
        plain = html.unescape(_untag(markup)) if "<" in markup or "&" in markup else markup
        if not (_TAGLIKE.search(plain) or (plain != markup and _DOUBLE.search(plain))):
            break
        markup = plain
    return squeeze(plain)


def squeeze(plain: str) -> str:
    """Blanks run together, lines trimmed, empty lines and control characters removed; newlines stay."""
    plain = _CONTROL.sub("", plain.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n"))
    return _LINES.sub("\n", _BLANKS.sub(" ", plain)).strip()


def line(markup: str) -> str:
    """Plain text on one line, for titles and names."""
    return " ".join(text(markup).split())


def without_footer(plain: str) -> str:
    """`plain` without the "appeared first on" and "read more" that publishing software appends."""
    for _ in range(2):
        start = max(0, len(plain) - 700)
        if _FOOTER_HINT.search(plain, start):
            plain = plain[:start] + _FOOTER.sub("", plain[start:])
        if plain.rstrip().endswith(("]", ")")):
            plain = _ELLIPSIS.sub("…", plain)
    return plain.rstrip()


def shorten(plain: str, limit: int) -> str:
    """At most `limit` code points, cut at a blank where there is one, with an ellipsis if cut."""
    if len(plain) <= limit:
        return plain
    cut = plain[: limit - 1]
    space = cut.rfind(" ", limit * 3 // 4)
    return (cut[:space] if space > 0 else cut).rstrip() + "…"


def _untag(markup: str) -> str:
    out: list[str] = []
    at, size = 0, len(markup)
    while (start := markup.find("<", at)) >= 0:
        out.append(markup[at:start])
        if markup.startswith("<!--", start):
            end = markup.find("-->", start + 4)
            at = size if end < 0 else end + 3
            continue
        closing = markup.startswith("/", start + 1)
        name = _NAME.match(markup, start + 1 + closing)
        if name is None:
            if markup[start + 1 : start + 2] in ("!", "?") and (end := markup.find(">", start, start + _TAG_MAX)) > 0:
                at = end + 1
            else:
                out.append("<")
                at = start + 1
            continue
        tag = name.group(0).lower()
        end = _tag_end(markup, name.end())
        if end < 0 or (tag not in _KNOWN and ":" not in tag and not markup[start:end].isascii()):
            out.append("<")
            at = start + 1
            continue
        at = end
        if tag in _DROPPED and not closing and markup[end - 2] != "/":
            at = _after_close(markup, tag, end)
        elif tag in _BLOCKS:
            out.append("\n")
        elif tag in ("td", "th", "img"):
            out.append(" ")
    out.append(markup[at:])
    return "".join(out)


def _tag_end(markup: str, at: int) -> int:
    match = _TAG_BODY.match(markup, at, at + _TAG_MAX)
    if match:
        return match.end()
    end = markup.find(">", at, at + 50 * _TAG_MAX)
    return end + 1 if end >= 0 else -1


def _after_close(markup: str, tag: str, at: int) -> int:
    """Past the closing tag of an element whose content is dropped; the end, if it never closes."""
    close = re.compile(rf"</{tag}[^>]{{0,200}}>", re.IGNORECASE).search(markup, at)
    return close.end() if close else len(markup)
