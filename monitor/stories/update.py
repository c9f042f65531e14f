"""Is an article a later version of one that its outlet published before, under the same address? Pure.

The address decides, whatever the headline has become (of `/1046939-…` only the number counts: see signature.py). But
some outlets link everything to one live page: unlike texts are then two articles.
"""

from __future__ import annotations

from datetime import datetime

from monitor.stories.evidence import weigh
from monitor.stories.index import StoryIndex
from monitor.stories.signature import Signature

ALIKE_TITLE = 60.0
ALIKE_BODY = 0.2
ALIKE_LEAD = 0.4


def update_of(signature: Signature, index: StoryIndex, now: datetime) -> int | None:
    """The id of the recent article that this is another version of; None where it is an article of its own."""
    oldest = now - index.window
    for how, entry in index.exact(signature):
        if how != "url" or entry.when < oldest or entry.signature.outlet != signature.outlet:
            continue
        alike = weigh(signature, entry.signature)
        if alike.title >= ALIKE_TITLE or alike.body >= ALIKE_BODY or alike.lead >= ALIKE_LEAD:
            return entry.article_id
    return None
