"""What changed between two texts of an article, word by word, as people read it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

AROUND = 5  # unchanged words shown on each side of a change
COMPARED = 1_500  # words a side between the first and the last change; more are shown as replaced whole
GAP = "…"


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of words. kind "gap": unchanged words left out, text is "…"."""

    kind: Literal["kept", "removed", "added", "gap"]
    text: str


def changes(before: str, after: str) -> list[Change]:
    """The changed stretches in order, each among a few unchanged words; [] where the words are the same."""
    old, new = before.split(), after.split()
    if old == new:
        return []
    found: list[Change] = []
    blocks = _blocks(old, new)
    for at, (kind, removed, added) in enumerate(blocks):
        if kind == "kept":
            found += _shortened(removed, before=AROUND if at else 0, after=AROUND if at + 1 < len(blocks) else 0)
            continue
        found += [Change("removed", " ".join(removed))] if removed else []
        found += [Change("added", " ".join(added))] if added else []
    return found


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, Sequence[str], Sequence[str]]]:
    """(kind, words of the old text, words of the new): "kept" or "changed", in turn."""
    shortest = min(len(old), len(new))
    head = next((at for at in range(shortest) if old[at] != new[at]), shortest)
    left = shortest - head
    tail = next((at for at in range(left) if old[-1 - at] != new[-1 - at]), left)
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    blocks: list[tuple[str, Sequence[str], Sequence[str]]] = [("kept", old[:head], old[:head])] if head else []
    if max(len(middle_old), len(middle_new)) > COMPARED:
        blocks.append(("changed", middle_old, middle_new))
    else:
        matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
        for kind, a, b, c, d in matcher.get_opcodes():
            blocks.append(("kept" if kind == "equal" else "changed", middle_old[a:b], middle_new[c:d]))
    if tail:
        kept = old[len(old) - tail :]
        blocks.append(("kept", kept, kept))
    return blocks


def _shortened(words: Sequence[str], *, before: int, after: int) -> list[Change]:
    """Unchanged words: those next to the changes before and after them."""
    if len(words) <= before + after + 1:
        return [Change("kept", " ".join(words))]
    head = [Change("kept", " ".join(words[:before]))] if before else []
    tail = [Change("kept", " ".join(words[len(words) - after :]))] if after else []
    return [*head, Change("gap", GAP), *tail]
