"""Why a rule holds or not, for people: the passages with their words in colour, and the query as a tree of yes and no.

Of the tree only what decided is opened: of an OR that holds the branches that hold, of a NOT what occurs. What did not
occur is told in one line, for a rule has hundreds of words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from monitor.matching.explain import Explained, brief
from monitor.model import Article, Span

_CONTEXT = 45  # code points shown on either side of a word
_APART = 60  # words closer than this are shown in one passage
_MOST_NAMED = 8
_LEAST_WIDTH = 30


@dataclass(frozen=True, slots=True)
class _Branch:
    """A line of the tree: guides before it, held or not, what it says, and what a reader may wonder about."""

    guides: str
    held: bool
    text: str
    note: str
    wanted: bool  # nothing that stands under a NOT is


def passages(article: Article, spans: Sequence[Span], console: Console) -> Iterator[Text]:
    """The matched places in their surroundings, in order; places near each other in one passage."""
    for group in _grouped(spans):
        field = group[0].field
        whole = str(getattr(article, field, ""))
        if not whole:
            continue
        begin, end = _surroundings(whole, group[0].start, max(span.end for span in group))
        marked = _marked(whole, begin, end, group, console)
        yield from hanging(Text(f"  {field:<8}", style="dim"), marked, console)


def _grouped(spans: Sequence[Span]) -> Iterator[list[Span]]:
    group: list[Span] = []
    for span in sorted(spans):
        if group and (span.field != group[-1].field or span.start - max(one.end for one in group) > _APART):
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _surroundings(text: str, start: int, end: int) -> tuple[int, int]:
    """The place with some words before and behind it, in the same paragraph where there is enough of it."""
    begin, stop = max(0, start - _CONTEXT), min(len(text), end + _CONTEXT)
    begin = max(begin, text.rfind("\n", begin, start) + 1)
    stop = stop if (line := text.find("\n", end, stop)) < 0 else line
    if begin and (space := text.find(" ", begin, start)) >= 0 and text[begin - 1] != "\n":
        begin = space + 1
    if stop < len(text) and text[stop] != "\n" and (space := text.rfind(" ", end, stop)) >= 0:
        stop = space
    return begin, stop


def _marked(text: str, begin: int, end: int, spans: Sequence[Span], console: Console) -> Text:
    """The passage with its matched words bold; in brackets where there is no colour."""
    coloured = console.is_terminal and not console.no_color
    made = Text("… " if begin and text[begin - 1] != "\n" else "")
    at = begin
    for start, stop in _united(spans):
        made.append(text[at:start].replace("\n", " "))
        word = text[start:stop].replace("\n", " ")
        made.append(word if coloured else f"[{word}]", style="bold green" if coloured else "")
        at = stop
    made.append(text[at:end].replace("\n", " "))
    return made.append(" …" if end < len(text) and text[end] != "\n" else "")


def marked(text: str, spans: Sequence[Span], console: Console) -> Text:
    """A whole text, its matched words as in a passage."""
    return _marked(text, 0, len(text), sorted(spans), console)


def _united(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """The places in order, those that overlap made one."""
    found: list[tuple[int, int]] = []
    for span in spans:
        if found and span.start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], span.end))
        else:
            found.append((span.start, span.end))
    return found


def hanging(head: Text, body: Text, console: Console) -> Iterator[Text]:
    """The body behind the head, and below it where it is too long for one line; each line is kept from turning what
    stands before it."""
    room = max(console.width - cell_len(head.plain) - 1, _LEAST_WIDTH)
    blank = Text.assemble((_signs_away(_below(head.plain)), "dim"))
    fits = not console.is_terminal or cell_len(body.plain) <= room
    for number, line in enumerate([body] if fits else body.wrap(console, room)):
        line.rstrip()
        yield Text.assemble(head if number == 0 else blank, "\u2068", line, "\u2069")


def _below(guides: str) -> str:
    """What stands in the line below a line's guides."""
    return guides.replace("├── ", "│   ").replace("└── ", "    ")


_signs_away = partial(re.compile("[^│ ]").sub, " ")


def tree(root: Explained, text: str, console: Console, *, whole: bool = False) -> Iterator[Text]:
    """The query as a tree of yes and no.

    text: the query as written. whole: show every word of it, also those that decided nothing.
    """
    for branch in _Tree(text, whole).branches(root):
        colour = "green" if branch.held else "red"
        if not branch.wanted:
            colour = "red" if branch.held else "dim"
        head = Text.assemble((f"  {branch.guides}", "dim"), ("✓ " if branch.held else "✗ ", colour))
        words = Text(branch.text, style="" if branch.held else "dim")
        if branch.note:
            words = Text.assemble(words, ": ", (branch.note, f"bold {colour}" if branch.held else "yellow"))
        yield from hanging(head, words, console)


class _Tree:
    """The lines of one tree, in order."""

    def __init__(self, text: str, whole: bool) -> None:
        self._text = text
        self._whole = whole
        self._told: set[str] = set()  # term lists opened already, with what was found

    def branches(
        self, node: Explained, guides: str = "", prefix: str = "", *, wanted: bool = True, inside: bool = False
    ) -> Iterator[_Branch]:
        """The lines of a node and all below it. inside: it stands in a term list, whose name is said already."""
        name = "" if inside else self._list(node)
        label = prefix + (f"{name} " if name else "") + node.text
        if node.kind == "scope" and not node.note:
            yield from self.branches(node.children[0], guides, label, wanted=wanted, inside=inside)
            return
        if name and node.children and not self._whole:
            found = f"{name} {as_json(node)}"
            if found in self._told:
                yield _Branch(guides, node.held, prefix + name, "as above", wanted)
                return
            self._told.add(found)
        shown, rest = _opened(node, whole=self._whole)
        if rest and not shown:
            head = f"{prefix}{name} " if node.kind == "or" else f"{label}: "
            yield _Branch(guides, node.held, f"{head.lstrip()}{_summed(node, rest)}", node.note, wanted)
            return
        yield _Branch(guides, node.held, label, node.note, wanted)
        under = wanted != (node.kind == "not")
        stem = _below(guides)
        for number, child in enumerate(shown):
            last = number == len(shown) - 1 and not rest
            inner = under and not (node.kind == "apart" and number == 1)
            within = inside or bool(name) or child.at == node.at
            yield from self.branches(child, stem + _GUIDES[last], wanted=inner, inside=within)
        if rest:
            yield _Branch(stem + _GUIDES[True], False, _summed(node, rest), "", under)

    def _list(self, node: Explained) -> str:
        """`$drones` where the node is a term list."""
        written = self._text[node.at[0] : node.at[1]]
        return written if written.startswith("$") and " " not in written else ""


_GUIDES = {False: "├── ", True: "└── "}


def _opened(node: Explained, *, whole: bool) -> tuple[list[Explained], list[Explained]]:
    """The children to show one by one, and those to sum up in a line."""
    parts = _flat(node) if node.kind == "or" else list(node.children)
    match node.kind:
        case "or" if not whole and node.held:
            return [one for one in parts if one.held], [one for one in parts if not one.held]
        case "or" if not whole:
            deep = [one for one in parts if one.children and _some(one)]
            return deep, [one for one in parts if one not in deep]
        case "not" if not whole and node.held:
            return [], _flat(parts[0])
        case "apart" if not whole and node.held:
            return parts[:1], _flat(parts[1])
    return parts, []


def _flat(node: Explained) -> list[Explained]:
    """The alternatives of an OR, those of an OR right below it among them; of another node the node itself."""
    return [one for child in node.children for one in _flat(child)] if node.kind == "or" else [node]


def _some(node: Explained) -> bool:
    """Whether anything that is wanted occurs in it."""
    return node.kind != "not" and (any(map(_some, node.children)) if node.children else node.held)


def _summed(node: Explained, rest: Sequence[Explained]) -> str:
    single = [one.text for one in rest if not one.children]
    names = list(dict.fromkeys((*single, *(brief(one) for one in rest if one.children))))
    more = len(names) - _MOST_NAMED
    told = "، ".join(names[:_MOST_NAMED]) + (f" … (+{more})" if more > 0 else "")
    return f"not beside {told}" if node.kind == "apart" else f"none of {told}"


def as_json(node: Explained) -> dict[str, object]:
    """A node and all below it, for programs."""
    return {
        "text": node.text,
        "held": node.held,
        "note": node.note,
        "children": [as_json(child) for child in node.children],
    }
