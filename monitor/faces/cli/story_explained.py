"""Why two articles are or are not one story, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict

from rich.text import Text

from monitor.faces.cli.common import out, print_table
from monitor.faces.cli.ledger import article_json, headline, outlet_name
from monitor.faces.cli.times import shown
from monitor.store.records import StoryArticle
from monitor.stories.explain import Explanation

Pair = tuple[StoryArticle, StoryArticle]


def print_page(pair: Pair, explained: Explanation, zone: str) -> None:
    """The two articles, the decision between them alone, its figures, and where they are."""
    rows = [
        [
            str(one.article.id),
            f"story {one.story_id}",
            shown(one.article.when, zone),
            outlet_name(one.outlet, one.article),
            headline(one.article.title, 160),
        ]
        for one in pair
    ]
    print_table(["article", "", "when", "outlet", "headline"], rows)
    sign = ("✓ ", "green") if explained.joins else ("✗ ", "red")
    verdict = "one story" if explained.joins else "not one story"
    out.print(Text.assemble(sign, (verdict, "bold"), f": {explained.reason}"))
    text = "one has none to speak of" if explained.text is None else f"{explained.text:.2f}"
    figures = [
        ["text", text, "share of runs of four words that both have, 0 to 1"],
        ["lead", f"{explained.lead:.2f}", "what their beginnings share, 0 to 1"],
        ["title", f"{explained.title:.0f}", "likeness of the headlines, 0 to 100"],
        ["title words", f"{explained.title_words:.2f}", "words of the shorter headline that the other has, 0 to 1"],
        ["apart", f"{explained.apart:g} h", "from one publication to the other"],
    ]
    figures += [["same", ", ".join(explained.keys), "keys that both have"]] if explained.keys else []
    figures += [["number", explained.change, "changed from the earlier to the later"]] if explained.change else []
    figures += [["denies", "yes", "the later one denies or corrects the earlier"]] if explained.denies else []
    print_table(["", "", ""], figures)
    for one in pair:
        out.print(f"article {one.article.id} was placed: {placed(one)}", markup=False)
    if (pair[0].story_id == pair[1].story_id) != explained.joins:
        out.print("Other articles of the stories, or an analyst, decided otherwise than these two alone.")


def placed(one: StoryArticle) -> str:
    """How an article came into its story, with the reason as it was written down then."""
    how = "it opened a story" if one.how == "new" else f"it joined by {one.how}"
    moved = f"; story {one.part} was merged into {one.story_id}" if one.part is not None else ""
    return f"{how}{f' ({one.detail})' if one.detail else ''}{moved}"


def as_json(pair: Pair, explained: Explanation) -> dict[str, object]:
    """The explanation's fields, and the two articles with their stories."""
    articles = [
        {**article_json(one.article), "story": one.story_id, "part": one.part, "how": one.how, "detail": one.detail}
        for one in pair
    ]
    return {**asdict(explained), "one_story": pair[0].story_id == pair[1].story_id, "articles": articles}
