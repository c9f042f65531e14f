"""What analysts decided about stories, as the story index follows it: merged stories, and articles split off.

A merged story keeps its own number in the index, as the part of the other story that it is: its articles are found and
weighed among themselves as before, and whatever joins them belongs to the story that they are part of.
"""

from __future__ import annotations

from monitor.model import Overrule
from monitor.stories.index import StoryIndex


class Overrules:
    """Which story each part belongs to. last_id: the last overrule that was followed."""

    def __init__(self) -> None:
        self.last_id = 0
        self._into: dict[int, int] = {}

    def follow(self, overrule: Overrule, index: StoryIndex) -> None:
        """Take over one overrule; they must come in their order. Those that the index was filled after do no harm."""
        self.last_id = overrule.id
        if overrule.kind == "merge":
            self._into[overrule.other_id] = overrule.story_id
            return
        for article_id in overrule.article_ids:
            index.move(article_id, overrule.other_id)
        for part in [overrule.story_id, *self._into]:
            if self.story_of(part) == overrule.story_id:
                index.keep_apart(part, overrule.other_id)

    def belongs(self, part: int, story_id: int) -> None:
        """An article of a part was read from the store as one of a story: so is the part, whoever decided it when."""
        if part != story_id:
            self._into.setdefault(part, story_id)

    def story_of(self, part: int) -> int:
        """The story that a part belongs to: itself, where nobody merged it."""
        while part in self._into:
            part = self._into[part]
        return part
