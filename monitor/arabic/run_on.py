"""A name that lost the space to a word of grammar: نتنياهوفي, أنروسيا. (After ة and ى the cut itself finds it.)

Only names are looked for so, of four letters or more, and never in a word that the dictionary knows: مصرفي is a banker.
Of 5,800 names, in ten million words of news, some 200 are found so, 40 of them wrongly (البيروفي, أنجيلينا).
"""

from __future__ import annotations

import re

from monitor.arabic.dictionary import Dictionary
from monitor.arabic.tokens import candidates

LEAST = 4  # letters of the name
BEHIND = frozenset(("في", "من", "عن", "إلى", "على", "أن", "إن", "مع", "التي", "الذي", "قبل", "بعد", "خلال"))
BEFORE = frozenset(("أن", "إن", "في", "من", "عن", "مع", "بين"))
_MAY = re.compile(f"[وف]?(?:{'|'.join(sorted(BEFORE))})|.*(?:{'|'.join(sorted(BEHIND))})$").match


def hidden(spelled: str) -> tuple[str, ...]:
    """What of a word (soft form) may be a name run together with a word of grammar: none, or the rest of it."""
    size = len(spelled)
    if size < LEAST + 2 or not _MAY(spelled):
        return ()
    found = [spelled[:-n] for n in (2, 3, 4) if size - n >= LEAST and spelled[-n:] in BEHIND]
    rest = spelled[1:] if spelled[0] in "وف" else spelled
    found += [rest[n:] for n in (2, 3) if len(rest) - n > LEAST and rest[:n] in BEFORE]
    return tuple(found)


def is_known(spelled: str, dictionary: Dictionary | None) -> bool:
    """Whether the dictionary has the whole word, with its proclitics or without."""
    return dictionary is not None and any(dictionary.owners(rest) for rest, _ in candidates(spelled))
