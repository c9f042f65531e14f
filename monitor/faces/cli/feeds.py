"""`rasid feeds`: what is polled and how it goes, whether an address works, and adding feeds."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.errors import FetchError, ParseError, RasidError, StoreError
from monitor.faces.cli import complete
from monitor.faces.cli.common import (
    AsJson,
    ConfigDir,
    complain,
    dictionary,
    err,
    isolated,
    print_json,
    print_table,
    told,
)
from monitor.faces.cli.network import tools
from monitor.faces.cli.times import shown
from monitor.feeds import catalog, discovery, opml, split
from monitor.feeds.entry import MAX_ENTRIES, Parsed, too_many
from monitor.feeds.feedfile import check_url
from monitor.feeds.urls import host_of
from monitor.matching.matcher import Matcher
from monitor.model import Article, Feed, FeedState, Outlet
from monitor.runtime import configuration
from monitor.runtime.configuration import Configuration
from monitor.runtime.database import owner
from monitor.store.store import Store
from monitor.yamlfile import near, show_duration

app = typer.Typer(no_args_is_help=True)
ENTRIES = 10  # of a tested feed that are shown


@app.command("list")
def list_feeds(
    failing: Annotated[bool, typer.Option("--failing", help="Only those whose last poll failed.")] = False,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """List the feeds, and how the last poll of each went.

    Examples: rasid feeds list · rasid feeds list --failing --json
    """
    with told():
        found = configuration.load(config)
        states = _states(found)
    zone = found.settings.settings.zone
    rows = [(feed, states.get(feed.id)) for feed in found.catalog.feeds]
    if failing:
        rows = [(feed, state) for feed, state in rows if state is not None and (state.failures or state.stopped)]
    if as_json:
        print_json([_feed_json(feed, state) for feed, state in rows])
        return
    print_table(
        ["feed", "outlet", "", "country", "every", "last ok", "next", "state"],
        [
            [
                feed.id,
                feed.outlet.name_en,
                isolated(feed.outlet.name_ar),
                feed.outlet.country,
                show_duration(feed.interval),
                shown(state.last_ok if state else None, zone),
                shown(state.next_due if state and feed.enabled else None, zone),
                _state_words(feed, state),
            ]
            for feed, state in rows
        ],
    )


@app.command("test")
def test_feed(
    address: Annotated[str, typer.Argument(autocompletion=complete.feeds, help="A feed's id, or any address.")],
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Fetch and read a feed now: its newest entries, and which rules would hit them. Nothing is stored.

    Ends with 1 if it cannot be fetched or is no feed; where it is a web page, the feeds that it offers are named.
    Examples: rasid feeds test https://example.com/rss · rasid feeds test bbc-2837c4 --json
    """
    with told():
        found = configuration.load(config)
        feed = found.catalog.get(address) or _passing(found, address)
        try:
            parsed, offers = asyncio.run(_test(found, feed))
        except (FetchError, ParseError) as error:
            if as_json:
                print_json({"ok": False, "error": str(error), "offers": []})
            else:
                complain(str(error))
            raise typer.Exit(1) from None
    if parsed is None:
        if as_json:
            print_json(
                {
                    "ok": False,
                    "error": "this is a web page, not a feed",
                    "offers": [{"url": one.url, "title": one.title} for one in offers],
                }
            )
        else:
            typer.echo("✗ this is a web page, not a feed" + ("; it offers:" if offers else " and offers none"))
            for one in offers:
                typer.echo(f"    {one.url}  {one.title}")
        raise typer.Exit(1)
    matcher = Matcher(
        [(one.rule, one.query) for one in found.rules.rules], found.catalog.outlets, dictionary=dictionary()
    )
    rows = [(one, [hit.rule_id for hit in matcher.match(one)]) for one in parsed.articles]
    if as_json:
        entries = [_entry_json(article, rules) for article, rules in rows]
        print_json({"ok": True, "title": parsed.title, "entries": entries, "notes": parsed.notes})
        return
    typer.echo(f"✓ {parsed.title or feed.url}: {len(rows)} entries")
    zone = found.settings.settings.zone
    print_table(
        ["published", "rules", "headline"],
        [[shown(one.published, zone), ", ".join(rules), isolated(one.title[:90])] for one, rules in rows[:ENTRIES]],
    )
    for note in parsed.notes:
        typer.echo(f"! {note}")


@app.command("add")
def add_feed(
    address: Annotated[str | None, typer.Argument(help="The feed's address, or of a web page that offers it.")] = None,
    outlet: Annotated[
        str | None,
        typer.Option("--outlet", autocompletion=complete.outlets, help="The outlet's id; if it is new, it is made."),
    ] = None,
    name_ar: Annotated[str | None, typer.Option("--name-ar", help="A new outlet's Arabic name.")] = None,
    name_en: Annotated[str | None, typer.Option("--name-en", help="A new outlet's English name.")] = None,
    country: Annotated[str, typer.Option("--country", help="A new outlet's country, like LB.")] = "",
    language: Annotated[str, typer.Option("--language", help="A new outlet's language.")] = "ar",
    file: Annotated[Path | None, typer.Option("--opml", help="Add every feed of an OPML file instead.")] = None,
    untested: Annotated[bool, typer.Option("--untested", help="Do not fetch it first.")] = False,
    config: ConfigDir = Path("config"),
) -> None:
    """Add a feed to feeds.yaml, keeping its comments; a running daemon polls it at once.

    Examples: rasid feeds add https://example.com/rss --outlet example --name-ar مثال --country LB ·
    rasid feeds add --opml feeds.opml
    """
    with told():
        found = configuration.load(config)
        if file is not None:
            _add_opml(found, config, file, country, language)
            return
        if address is None:
            raise RasidError("give the feed's address, or --opml and a file")
        if not untested:
            address = asyncio.run(_feed_address(found, address))
        name = outlet or _outlet_id(address)
        new = Outlet(name, name_ar or name_en or name, name_en or name_ar or name, country or "XX", language)
        added = catalog.add_feed(config / "feeds.yaml", address, found.catalog.outlets.get(name, new))
    typer.echo(f"✓ {added.id}: {added.url}")


def _states(found: Configuration) -> dict[str, FeedState]:
    """From the database; nothing where there is none yet."""
    try:
        with closing(Store.open(found.settings.settings.database.url, owner=owner(), read_only=True)) as store:
            return store.feed_states() if store.schema_version() else {}
    except StoreError as error:
        if "does not exist" in str(error):
            return {}
        raise


def _state_words(feed: Feed, state: FeedState | None) -> str:
    if not feed.enabled:
        return "off"
    if state is None or state.last_polled is None:
        return "not polled yet"
    if state.stopped:
        return f"stopped: {state.stopped}"
    return f"failed {state.failures}×: {state.last_error}" if state.failures else "ok"


def _feed_json(feed: Feed, state: FeedState | None) -> dict[str, object]:
    def iso(when: datetime | None) -> str | None:
        return when.isoformat() if when else None

    return {
        "id": feed.id,
        "url": feed.url,
        "outlet": feed.outlet.id,
        "name": {"ar": feed.outlet.name_ar, "en": feed.outlet.name_en},
        "country": feed.outlet.country,
        "language": feed.language,
        "interval": feed.interval.total_seconds(),
        "enabled": feed.enabled,
        "state": _state_words(feed, state),
        "failures": state.failures if state else 0,
        "last_error": state.last_error if state else None,
        "last_ok": iso(state.last_ok) if state else None,
        "next_due": iso(state.next_due) if state else None,
        "moved_to": state.url if state else None,
    }


def _entry_json(article: Article, rules: list[str]) -> dict[str, object]:
    published = article.published.isoformat() if article.published else None
    return {"title": article.title, "url": article.url, "published": published, "rules": rules}


def _passing(found: Configuration, url: str) -> Feed:
    """A feed that is only looked at."""
    try:
        check_url(url)
    except ValueError as error:
        ids = [feed.id for feed in found.catalog.feeds if feed.outlet.id == url]
        guess = near(url, [feed.id for feed in found.catalog.feeds])
        mend = f"feeds of this outlet: {', '.join(ids)}" if ids else f"did you mean {guess}?" if guess else str(error)
        raise RasidError(f"{url} is neither a feed's id nor an address that can be polled: {mend}") from None
    host = host_of(url)
    return Feed("test", url, Outlet("test", host, host, "XX", "ar"), language=None)


async def _test(found: Configuration, feed: Feed) -> tuple[Parsed | None, list[discovery.Offer]]:
    """(what the feed holds, nothing), or (None, the feeds that a web page offers)."""
    async with tools(found) as (fetcher, workers):
        got = await fetcher.fetch(feed.url, feed=feed)
        body = got.body or b""
        try:
            parts = split.split(body)
            read = body if parts is None else split.document(parts, range(len(parts.entries))[:MAX_ENTRIES])
            parsed = await workers.parse(read, feed=feed, url=got.url, headers=got.headers, now=datetime.now(UTC))
            if parts is not None and (unread := len(parts.entries[MAX_ENTRIES:]) + parts.beyond):
                parsed = replace(parsed, notes=(*parsed.notes, too_many(MAX_ENTRIES, unread)))
        except ParseError:
            if b"<html" not in body[:5_000].lower():
                raise
            return None, discovery.offers(body.decode("utf-8", "replace"), got.url)
        return parsed, []


async def _feed_address(found: Configuration, address: str) -> str:
    """The address itself if a feed is there, else of the first feed that the page there offers."""
    parsed, offers = await _test(found, _passing(found, address))
    if parsed is not None:
        return address
    for offer in offers:
        try:
            parsed, _ = await _test(found, _passing(found, offer.url))
        except RasidError:
            continue
        if parsed is not None and parsed.articles:
            err.print(f"{address} is a web page; its feed: {offer.url}")
            return offer.url
    raise RasidError(f"{address} is a web page, and no feed was found on it: give the feed's own address")


def _outlet_id(address: str) -> str:
    labels = [one for one in host_of(address).split(".") if one not in ("www", "feeds", "rss", "ar", "arabic")]
    return (labels[0] if labels else "outlet").lower()


def _add_opml(found: Configuration, config: Path, file: Path, country: str, language: str) -> None:
    try:
        subscriptions = opml.read(file.read_bytes())
    except OSError as error:
        raise RasidError(f"{file}: {error.strerror}; give the path of an OPML file") from None
    known = dict(found.catalog.outlets)
    for one in subscriptions:
        name = _outlet_id(one.site or one.url)
        title = one.title or name
        target = known.setdefault(name, Outlet(name, title, title, country or "XX", language))
        try:
            added = catalog.add_feed(config / "feeds.yaml", one.url, replace(target))
            typer.echo(f"✓ {added.id}: {added.url}")
        except RasidError as error:
            typer.echo(f"✗ {one.url}: {error}")
