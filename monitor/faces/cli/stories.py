"""`rasid stories`: which events there were, and who told of each, when and in which words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.errors import RasidError
from monitor.faces.cli import story_explained, story_page
from monitor.faces.cli.common import AsJson, ConfigDir, print_json, print_table, told
from monitor.faces.cli.ledger import (
    BeforeOption,
    LimitOption,
    OutletOption,
    RuleOption,
    SinceOption,
    TextOption,
    UntilOption,
    between,
    doubt,
    headline,
    iso,
    more,
    reading,
)
from monitor.faces.cli.times import shown
from monitor.flow import Flow
from monitor.model import LARGEST_ID
from monitor.runtime import configuration, logs
from monitor.runtime.assembly import open_flow
from monitor.runtime.configuration import Configuration
from monitor.runtime.overruling import Overruled, merge, no_story, split
from monitor.runtime.searching import search_words
from monitor.store.connection import utc_now
from monitor.store.records import HitFilter, StoryFilter, StoryHead
from monitor.stories.explain import explain

app = typer.Typer(no_args_is_help=True)
LARGEST_PAGE = 10_000  # hits or alerts of one story
StoryNumber = Annotated[int, typer.Argument(min=1, max=LARGEST_ID, help="The story's number.")]


@app.command("list")
def list_stories(
    rule: RuleOption = None,
    outlet: OutletOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    text: TextOption = None,
    min_outlets: Annotated[
        int, typer.Option("--min-outlets", "-m", min=1, help="Only those that so many outlets carry.")
    ] = 1,
    limit: LimitOption = 30,
    before: BeforeOption = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """List stories, those opened last first: how many outlets carry each, and which rules alerted it.

    --since: stories that an article joined since then; --until: opened before.
    Examples: rasid stories list --since 24h --min-outlets 3 · rasid stories list --text "أوديسا" · rasid stories list
    --rule shahed-drones --json
    """
    with reading(config) as (found, store):
        zone = found.settings.settings.zone
        first, end = between(since, until, zone)
        words = search_words(text) if text is not None else None
        page = store.stories(StoryFilter(rule, outlet, first, end, words, min_outlets, limit, before))
    if not page.items:
        doubt(found, rule, outlet)
    if as_json:
        print_json({"stories": [_head_json(one) for one in page.items], "next_before": page.next_before})
        return
    rows = [
        [
            str(one.id),
            shown(one.opened, zone),
            shown(one.newest, zone),
            str(len(one.outlets)),
            str(one.article_count),
            ", ".join(one.alerted) or "-",
            headline(one.headline),
        ]
        for one in page.items
    ]
    print_table(["story", "opened", "last joined", "outlets", "articles", "alerted", "headline"], rows)
    more(page.next_before, len(rows), "stories list")


@app.command("show")
def show(story: StoryNumber, config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """Show a story: who told it first, when each outlet joined and by what, how the headline changed, later versions
    of an article with what changed in them, and the rules that alerted.

    Examples: rasid stories show 12 · rasid stories show 12 --json
    """
    with reading(config) as (found, store):
        record = store.story_record(story)
        if record is None:
            raise no_story(story, store.became(story))
        alerts = store.alerts(HitFilter(story=story, limit=LARGEST_PAGE)).items
        hits = store.hits(HitFilter(story=story, limit=LARGEST_PAGE)).items
    if as_json:
        print_json({**_head_json(record.head), **story_page.as_json(record, alerts, hits)})
    else:
        story_page.print_page(record, alerts, hits, found.settings.settings.zone)


@app.command("merge")
def merge_stories(
    kept: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, metavar="STORY", help="The story that stays.")],
    gone: Annotated[
        int, typer.Argument(min=1, max=LARGEST_ID, metavar="OTHER", help="The one that becomes part of it.")
    ],
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Make two stories one: OTHER becomes part of STORY, with its articles, hits and alerts.

    What is like either of them joins from now on. Messages that were sent stay; the one of STORY grows on. A rule that
    waits for more outlets may alert by this. Example: rasid stories merge 12 15
    """
    done = _overrule(config, lambda flow, now: merge(flow, kept, gone, now))
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(f"story {gone} is part of story {kept} now: {_moved(done)}")


@app.command("split")
def split_story(
    story: StoryNumber,
    articles: Annotated[list[int], typer.Argument(min=1, max=LARGEST_ID, help="Numbers of the articles that leave.")],
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Give articles of a story one of their own, together. rasid stories show has their numbers.

    What is like them joins the new story from now on. Rules that hit them alert the new story, where the articles are
    not too old for that. Example: rasid stories split 12 340 341
    """
    done = _overrule(config, lambda flow, now: split(flow, story, articles, now))
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(f"story {done.story} was split off story {story}: {_moved(done)}")


@app.command("explain")
def explain_two(
    one: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, metavar="ARTICLE", help="An article's number.")],
    other: Annotated[int, typer.Argument(min=1, max=LARGEST_ID, metavar="OTHER", help="Another one's.")],
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Say why two articles are or are not one story, with the figures, and which stories they are in.

    rasid stories show has the numbers of articles. In a story its other articles count too: they may have kept one
    out, or let it in, that alone would have been placed otherwise. Example: rasid stories explain 31 40
    """
    with reading(config) as (found, store):
        told = store.story_articles([one, other])
        missing = [str(number) for number in (one, other) if number not in told]
        if one == other or missing:
            raise RasidError(
                f"there is no article {', '.join(missing)}: rasid stories show lists those of a story"
                if missing
                else f"article {one} is one article: name two"
            )
        settings = found.settings.settings
    pair = (told[one], told[other])
    explained = explain(pair[0].article, pair[1].article, settings.stories.window)
    if as_json:
        print_json(story_explained.as_json(pair, explained))
    else:
        story_explained.print_page(pair, explained, settings.zone)


def _overrule(config: Path, change: Callable[[Flow, datetime], Overruled]) -> Overruled:
    """Beside a running daemon: what is to be sent waits in the database for it."""

    async def run(found: Configuration) -> Overruled:
        async with open_flow(found, lock=False, primed=False) as (flow, _):
            return await flow.write(change, flow, utc_now())

    with told():
        found = configuration.load(config)
        settings = found.settings.settings
        logs.configure(settings.log.level, settings.log.format, found.secrets())  # so that none is among the JSON
        return asyncio.run(run(found))


def _moved(done: Overruled) -> str:
    alerts = "no alert" if not done.alerts else "1 alert" if done.alerts == 1 else f"{done.alerts} alerts"
    return f"{done.articles} article{'' if done.articles == 1 else 's'} moved, {alerts}"


def _head_json(one: StoryHead) -> dict[str, object]:
    return {
        "id": one.id,
        "opened": iso(one.opened),
        "last_joined": iso(one.newest),
        "headline": one.headline,
        "outlets": one.outlets,
        "articles": one.article_count,
        "alerted": one.alerted,
    }
