"""Query text → tokens with their places. Typography is forgiven: full-width signs, curly quotes and « », dashes.

Operators of other tools are read as ours; what means nothing here (commas, &&, ! …) is refused with the spelling to use
instead.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from monitor.arabic.normalise import INVISIBLE, MARKS
from monitor.arabic.tokens import word
from monitor.errors import QueryError

MAX_LENGTH = 100_000  # code points of a query
MAX_NUMBER = 9999  # of NEAR/n and ATLEAST/n


class Lexeme(NamedTuple):
    """One token of a query; at is its place in the query as typed.

    kind: word, quote, slop, regex, list, scope, minus, ( ) [ ] comma, AND, OR, NOT, NEAR, SAME, ATLEAST, SCORE, end.
    text: the word, the text between the quotes, the name; of NEAR and SAME `ordered`, `sentence`, `paragraph` or "".
    """

    kind: str
    text: str
    at: tuple[int, int]
    mark: str = ""  # = ^ or ~ before a word or quote
    number: float = 0


QUOTES = '"“”„‟«»‹›'
_FAMILIES = ('"', "“”„‟", "«»‹›")
_DASHES = "-–—−"
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
_HIDDEN = re.compile(f"[{INVISIBLE}]")

_RUN = re.compile(rf"(?:(?<=\d)[,٬٫](?=\d)|[^\s()\[\]{QUOTES},،;؛])+")
_SCOPE = re.compile(r"([^\W\d][\w-]*)[:∶]")
_LIST = re.compile(r"\$([\w-]*)")
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)*)/")
_NUMBERED = re.compile(r"(NEAR|ONEAR|ATLEAST|SCORE)(?:/(\S*?))?(f?)")
_SMALL = re.compile(r"(o?near|atleast|score)/\d*f?", re.IGNORECASE)
_NO_SLASH = re.compile(r"(onear|near(?=\d+f))(\d+f?)", re.IGNORECASE)
_RANKED = re.compile(r"(.*[^\^~])(\^|~)[\d.]*")  # Lucene's غزة^2 and غزة~2
_SINGLE_QUOTES = "'‘’‚‛`´"
# Factiva's and Lexis's: they count positions, so 1 is side by side. Their w/5 differ: Lexis takes either order.
_POSITIONS = re.compile(r"(near|w/)(\d+)|(adj|w|pre/)(\d+)|(adj)", re.IGNORECASE)
_ATLEAST = re.compile(r"atleast(\d+)", re.IGNORECASE)
_UNIT = re.compile(r"w?/(?:(s|sent)|(p|para))", re.IGNORECASE)
_SLASHED = re.compile(r"/([NF])(\d+)/")  # Factiva's /N30/ and /F50/
_BARE_NUMBER = re.compile(r"/\d+(?=\s|$)")  # Lexis's a /5 b
_SEGMENT = re.compile(r"(?:w|pre)?/seg|pre/(?:s|p|sent|para)", re.IGNORECASE)
_PIECE = re.compile(rf"([=^~]?)(\d+(?:[.,٫٬]\d+)+|[\w*][\w*{MARKS}]*)")
_FOREIGN = {
    **{"،": "comma", ",": "comma", ";": "semicolon", "؛": "semicolon"},
}
_PLAIN = {
    "AND": ("AND", ""),
    "OR": ("OR", ""),
    "NOT": ("NOT", ""),
    "SENTENCE": ("SAME", "sentence"),
    "PARAGRAPH": ("SAME", "paragraph"),
    "SAME": ("SAME", "paragraph"),  # Factiva's name for it
}
_MENDS = {
    "&": "write AND, or only a space",
    "&&": "write AND, or only a space",
    "|": "write OR",
    "||": "write OR",
    "+": "leave the + out: every word is required unless OR stands between",
}
_FIELDS = {
    **{"hd": "title:…", "hlp": "lead:…", "hl": "lead:…", "td": "body:…", "by": "author:…", "la": "lang:…"},
    **{"sn": "outlet:…", "sc": "outlet:…", "rst": "outlet:…"},
}
_FIELD = re.compile(rf"({'|'.join(_FIELDS)})=(?=\S)", re.IGNORECASE)  # Factiva's


def lex(text: str) -> list[Lexeme]:
    """All tokens, the last one of kind `end`; QueryError at the first that means nothing."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the query is longer than {MAX_LENGTH} letters: split it into term lists", 0, len(text))
    return _Lexer(text).run()


def pieces(text: str) -> list[tuple[str, str]]:
    """The words of a run of text as (mark, word): they are cut as an article's are, and may carry * too."""
    found = _PIECE.findall(text.replace("_", " "))
    return [(mark, piece) for mark, piece in found if "*" in piece or word(piece)]


def decimal(digits: str) -> float | None:
    """A number in digits of any kind, 2.5 or ٢٫٥; None where it is none, or beyond a million."""
    return float(digits.replace("٫", ".")) if re.fullmatch(r"\d{1,6}([.٫]\d{1,6})?", digits) else None


class _Lexer:
    def __init__(self, text: str) -> None:
        # Invisible marks (direction, soft hyphen) come along when text is pasted; no spelling depends on them.
        hidden = {found.start() for found in _HIDDEN.finditer(text)}
        self.where = [i for i in range(len(text)) if i not in hidden]
        self.text = "".join(text[i] for i in self.where).translate(_WIDE)
        self.where.append(len(text))
        self.at = 0
        self.out: list[Lexeme] = []
        self.length = len(text)
        self.brackets = 0  # a comma means something only between [ and ]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """A place of the cleaned text as one of the text as typed."""
        return self.where[start], self.where[end - 1] + 1 if end > start else self.where[start]

    def refuse(self, what: str, start: int, end: int) -> QueryError:
        first, last = self.place(start, min(end, len(self.text)))
        return QueryError(what, min(first, max(self.length - 1, 0)), last)

    def run(self) -> list[Lexeme]:
        size = len(self.text)
        while self.at < size:
            letter = self.text[self.at]
            if letter.isspace():
                self.at += 1
            elif letter in "()[]":
                self.brackets += (letter == "[") - (letter == "]")
                self.put(letter, letter, self.at + 1)
            elif letter in _FOREIGN:
                self.comma(letter)
            else:
                self.item(letter)
        self.out.append(Lexeme("end", "", self.place(size, size)))
        return self.out

    def put(self, kind: str, text: str, end: int, mark: str = "", number: float = 0) -> None:
        start = self.at
        self.out.append(Lexeme(kind, text, self.place(start, end), mark, number))
        self.at = end

    def comma(self, letter: str) -> None:
        if letter in ",،" and self.brackets > 0:
            return self.put("comma", ",", self.at + 1)
        mend = "write OR between alternatives, or AND where all are wanted"
        raise self.refuse(f"a {_FOREIGN[letter]} means nothing in a query: {mend}", self.at, self.at + 1)

    def item(self, letter: str) -> None:
        start = self.at
        following = self.text[start + 1 : start + 2]
        if letter in QUOTES:
            self.quote(start, "")
        elif letter in "=^~" and following and (following in QUOTES):
            self.quote(start + 1, letter)
        elif letter in _DASHES:
            if not following or following.isspace() or following in _DASHES + ")":
                raise self.refuse("a - stands right before the word that must not occur: -كلمة", start, start + 1)
            self.put("minus", "-", start + 1)
        elif letter == "$":
            self.list(start)
        elif letter == "/":
            self.regex(start)
        else:
            self.word(start)

    def quote(self, start: int, mark: str) -> None:
        family = next(family for family in _FAMILIES if self.text[start] in family)
        end = next((i for i in range(start + 1, len(self.text)) if self.text[i] in family), -1)
        if end < 0:
            other = next((sign for sign in self.text[start + 1 :] if sign in QUOTES), "")
            hint = f"; {other} is of another kind" if other else ""
            opened = self.text[start]
            raise self.refuse(f"the quotation mark {opened} is opened and not closed{hint}", start, len(self.text))
        self.put("quote", self.text[start + 1 : end], end + 1, mark)
        if self.text[self.at : self.at + 1] == "~":
            slop = re.compile(r"\d*").match(self.text, self.at + 1)
            digits = slop[0] if slop else ""
            stop = self.at + 1 + len(digits)
            if not digits:
                mend = 'a ~ behind a phrase needs a number: "a b"~3 allows three words between; loose is ~"a b"'
                raise self.refuse(mend, self.at, stop)
            self.put("slop", digits, stop, number=self.number(digits, self.at, stop))

    def list(self, start: int) -> None:
        found = _LIST.match(self.text, start)
        if not found or not found[1]:
            raise self.refuse("a $ stands before the name of a term list: $drones", start, start + 1)
        self.put("list", found[1], found.end())

    def regex(self, start: int) -> None:
        if slashed := _SLASHED.match(self.text, start):
            return self.slashed(slashed, start)
        found = _REGEX.match(self.text, start)
        # Only as far as an operator is long: /a//a//a/… read to its end each time takes minutes.
        run = _RUN.match(self.text, start, start + 8)
        if run and (_UNIT.fullmatch(run[0]) or _SEGMENT.fullmatch(run[0]) or _BARE_NUMBER.match(run[0])):
            if found and not found[1][-1:].isspace():  # «/s x/» ends as an expression does, «/s x /s y» does not
                if _BARE_NUMBER.match(self.text, start):
                    return self.put("regex", found[1], found.end())
                what = f"{run[0]} is read as an operator: begin the expression otherwise, /[{run[0][1]}]{run[0][2:]} …/"
                raise self.refuse(what, start, run.end())
            self.operator(run[0], start)
            return None
        if not found:
            mend = r"the expression that / opens is not closed: /…/ (write a / inside it as \/)"
            raise self.refuse(mend, start, len(self.text))
        self.put("regex", found[1], found.end())

    def slashed(self, found: re.Match[str], start: int) -> None:
        if found[1] == "F":
            what = f"{found[0]} is not read here: write lead:… for the title and the first 50 words"
            raise self.refuse(what, start, found.end())
        self.positions(found[0], found[2], "", start)

    def word(self, start: int) -> None:
        # Before the rest of the run is read: title:title:title:… read to its end each time takes minutes.
        scope = _SCOPE.match(self.text, start)
        if scope and not self.text.startswith("//", scope.end()):
            return self.put("scope", scope[1], scope.end())
        found = _RUN.match(self.text, start)
        if not found:
            raise self.refuse("this sign means nothing in a query: leave it out", start, start + 1)
        run = found[0]
        if scope:
            raise self.refuse('an address is looked for in quotation marks: url:"example.com"', start, found.end())
        if run in _PLAIN:
            kind, text = _PLAIN[run]
            return self.put(kind, text, found.end())
        if self.operator(run, start):
            return None
        return self.term(run, start)

    def operator(self, run: str, start: int) -> bool:
        """Whether the run is an operator with a number or a unit, which is then put."""
        end = start + len(run)
        if found := _POSITIONS.fullmatch(run):
            self.positions(run, found[2] or found[4] or "1", "" if found[1] else "ordered", start)
        elif found := _ATLEAST.fullmatch(run):
            self.atleast(found[1], start, end)
        elif found := _UNIT.fullmatch(run):
            self.put("SAME", "sentence" if found[1] else "paragraph", end)
        elif found := _NUMBERED.fullmatch(run):
            self.numbered(found, start, end)
        elif found := _NO_SLASH.fullmatch(run):
            raise self.refuse(f"a / stands before the number: {found[1].upper()}/{found[2]}", start, end)
        elif _BARE_NUMBER.fullmatch(run):
            raise self.refuse(f"{run} is not read here: write w{run}, or NEAR/n for n words between", start, end)
        elif _SEGMENT.fullmatch(run):
            raise self.refuse(f"{run} is not read here: write title:( … ) or body:( … ) around both", start, end)
        elif _SMALL.fullmatch(run):
            hint = " (Lexis's near/5 counts positions: w/5)" if "near" in run.lower() else ""
            raise self.refuse(f"operators are written in capitals: {run.upper()}{hint}", start, end)
        else:
            return False
        return True

    def positions(self, written: str, digits: str, order: str, start: int) -> None:
        """Of words that count positions instead of the words between."""
        end = start + len(written)
        count = self.number(digits, start, end)
        if count < 1:
            raise self.refuse(f"{written} counts positions, so it is 1 or more; 1 means side by side", start, end)
        self.put("NEAR", order, end, number=count - 1)

    def atleast(self, digits: str, start: int, end: int) -> None:
        count = self.number(digits, start, end)
        if count < 1:
            raise self.refuse("ATLEAST counts places, so it is 1 or more", start, end)
        self.put("ATLEAST", "", end, number=count)

    def numbered(self, found: re.Match[str], start: int, end: int) -> None:
        name, digits, forward = found[1], found[2], found[3]
        if name in ("NEAR", "ONEAR"):
            number = 4.0 if digits is None else self.number(digits, start, end)
            self.put("NEAR", "ordered" if name == "ONEAR" or forward else "", end, number=number)
            return
        if not digits or forward:
            raise self.refuse(f"{name} needs a number: {name}/3", start, end)
        if name == "SCORE":
            threshold = decimal(digits)
            if threshold is None:
                raise self.refuse("SCORE needs the threshold: SCORE/8", start, end)
            self.put("SCORE", "", end, number=threshold)
            return
        self.atleast(digits, start, end)

    def number(self, digits: str, start: int, end: int) -> float:
        if not digits.isdecimal():
            raise self.refuse("a whole number belongs here: NEAR/5", start, end)
        if len(digits) > 4:
            raise self.refuse(f"the number is too large: at most {MAX_NUMBER}", start, end)
        return float(int(digits))

    def term(self, run: str, start: int) -> None:
        end = start + len(run)
        if slashed := _SLASHED.search(run):
            what = f"{slashed[0]} stands between two words with a space on either side"
            raise self.refuse(what, start + slashed.start(), start + slashed.end())
        if factiva := _FIELD.match(run):
            raise self.refuse(
                f"{factiva[0]} is written {_FIELDS[factiva[1].lower()]} here", start, start + factiva.end()
            )
        if run in _MENDS:
            raise self.refuse(f"{run} means nothing in a query: {_MENDS[run]}", start, end)
        if run[0] == "!":
            raise self.refuse("! means nothing in a query: write NOT, or - right before the word", start, start + 1)
        if run[0] == "+":
            raise self.refuse(f"{run[0]} means nothing in a query: {_MENDS['+']}", start, start + 1)
        if run[0] in _SINGLE_QUOTES:
            mend = 'write "…" around the phrase (and one word with such a sign as "…" too)'
            raise self.refuse(f"a single quotation mark means nothing in a query: {mend}", start, start + 1)
        if run[0] == ":":
            raise self.refuse("the colon of a scope stands right behind its name: title:كلمة", start, start + 1)
        mark = run[0] if run[0] in "=^~" else ""
        if mark and len(run) == 1:
            hint = "a list in a YAML file" if mark == "~" else "a query"
            raise self.refuse(f"a {mark} stands right before a word: {mark}كلمة ({hint} has none here)", start, end)
        body = run[len(mark) :]
        if not pieces(body):
            raise self.refuse(f"there is no word in {run[:20]}: letters or digits are needed", start, end)
        if ranked := _RANKED.fullmatch(body):
            loose = f"loose stands before the word: ~{ranked[1]}"
            mend = (
                loose
                if ranked[2] == "~"
                else "nothing is ranked here, leave it out; weights are SCORE/8 [3 طائرة, 5 شاهد]"
            )
            raise self.refuse(mend, start + len(mark) + len(ranked[1]), end)
        if odd := re.search(r"[?؟{}<>|&\\!=^~$]", body.rstrip("?؟!")):
            what = _odd(odd[0])
            raise self.refuse(what, start + len(mark) + odd.start(), start + len(mark) + odd.end())
        self.put("word", body, end, mark)


def _odd(sign: str) -> str:
    if sign in "=^~":
        return f"{sign} stands before a word, with a space before it: {sign}كلمة"
    if sign == "$":
        return "$ stands before the name of a term list, with a space before it: $drones"
    if sign in "?؟":
        return "? stands for nothing here: write * for any letters, or the spellings with OR between"
    return f"{sign} means nothing in a query: put the text in quotation marks, or write AND, OR, NOT"
