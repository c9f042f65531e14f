"""`rasid channels`: list the channels, send a sample that explains a failure in words, say who gets an alert."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.alerts.decide import raised
from monitor.alerts.render import render
from monitor.alerts.routing import routing
from monitor.arabic.language import guess
from monitor.delivery import telling, transports
from monitor.delivery.redact import hush_libraries
from monitor.errors import RasidError, StoreError
from monitor.faces.cli import complete, routes
from monitor.faces.cli.common import AsJson, ConfigDir, dictionary, print_json, print_table, told, unknown
from monitor.matching.examples import article as example
from monitor.matching.matcher import Matcher
from monitor.model import LARGEST_ID, Article, Rule
from monitor.model_delivery import Channel, MessageView
from monitor.runtime import configuration, database
from monitor.runtime.configuration import Configuration
from monitor.store.records import HitFilter
from monitor.yamlfile import show_hours

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_channels(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """List the channels: what each gets a message for, its quiet hours, its burst limit, and its audit chat.

    Examples: rasid channels list · rasid channels list --json
    """
    with told():
        found = configuration.channels(config)
    if as_json:
        print_json([_json(one) for one in found.values()])
        return
    rows = [
        [one.name, one.type, one.language, _mode(one), _burst(one), _quiet(one), str(one.options.get("audit", ""))]
        for one in found.values()
    ]
    print_table(["channel", "type", "language", "mode", "burst", "quiet", "audit"], rows)


@app.command("test")
def test_channel(
    name: Annotated[
        str, typer.Argument(autocompletion=complete.channels, help="The channel, as channels.yaml names it.")
    ],
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Send a sample to a channel; a failure is explained in words and ends with 1.

    Example: rasid channels test main
    """
    hush_libraries()
    with told():
        found = configuration.load(config)
        channel = found.channels.get(name)
        if channel is None:
            raise unknown("channel", name, found.channels)
        checks = asyncio.run(_diagnose(channel, found))
        if all(one.ok for one in checks) and _resume(name, found):
            checks.append(transports.Check(True, "what waited for this channel is tried again at once"))
    if as_json:
        print_json([{"ok": one.ok, "what": one.what, "mend": one.mend} for one in checks])
    else:
        for one in checks:
            typer.echo(f"{'✓' if one.ok else '✗'} {one.what}{'' if one.ok or not one.mend else f' → {one.mend}'}")
    raise typer.Exit(0 if all(one.ok for one in checks) else 1)


@app.command("route")
def route(
    subject: Annotated[str, typer.Argument(metavar="TEXT|HIT", help="A headline or text, or the number of a hit.")],
    rule: Annotated[
        str | None,
        typer.Option("--rule", "-r", autocompletion=complete.rules, help="This rule, whether it hits or not."),
    ] = None,
    outlet: Annotated[
        str | None, typer.Option("--outlet", "-o", autocompletion=complete.outlets, help="As if this outlet told it.")
    ] = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Say which channels would get the alert, and why: the routes of channels.yaml with yes and no.

    Of a text: for every rule that hits it. What a text does not tell (its outlet, and so its country) --outlet does.
    Ends with 1 where no rule hits. Examples: rasid channels route 'هجوم بطائرات "شاهد" المسيّرة' · rasid channels
    route 4711 · rasid channels route "…" --outlet bbc-arabic --json
    """
    with told():
        found = configuration.load(config)
        if rule is not None and found.rules.get(rule) is None:
            raise unknown("rule", rule, (one.rule.id for one in found.rules.rules))
        if outlet is not None and outlet not in found.catalog.outlets:
            raise unknown("outlet", outlet, found.catalog.outlets)
        article, rules = _hit(found, int(subject)) if subject.isdecimal() else _text(found, subject, outlet)
    chosen = found.rules.get(rule) if rule is not None else None
    names = list(found.channels)
    teller = found.catalog.outlets.get(article.outlet_id)
    routed = [
        routes.Routed(one, routing(found.routes, names, one, article, teller))
        for one in ([chosen.rule] if chosen else rules)
    ]
    if as_json:
        print_json(routes.as_json(article, routed))
    else:
        routes.draw(routed)
        if not routed:
            typer.echo("no rule hits it; --rule asks for one all the same, rasid match --explain says why none hits")
    raise typer.Exit(0 if routed else 1)


def _json(channel: Channel) -> dict[str, object]:
    return {
        "name": channel.name,
        "type": channel.type,
        "language": channel.language,
        "timezone": channel.timezone,
        "mode": channel.mode.value,
        "digest": telling.show_digest(channel.digest) if channel.digest else None,
        "burst": telling.show_burst(channel.burst, channel.burst_window) if channel.burst else None,
        "quiet": show_hours(channel.quiet) if channel.quiet else None,
        "quiet_high": channel.quiet_high,
        "hashtags": channel.hashtags,
        "audit": channel.options.get("audit"),
    }


def _mode(channel: Channel) -> str:
    return f"{channel.mode.value}{f' {telling.show_digest(channel.digest)}' if channel.digest else ''}"


def _burst(channel: Channel) -> str:
    return telling.show_burst(channel.burst, channel.burst_window) if channel.burst else ""


def _quiet(channel: Channel) -> str:
    if channel.quiet is None:
        return ""
    return f"{show_hours(channel.quiet)}{', high too' if channel.quiet_high else ''} ({channel.timezone})"


def _text(found: Configuration, text: str, outlet: str | None) -> tuple[Article, list[Rule]]:
    """A text as an article, and the rules that hit it."""
    title, _, body = text.strip().partition("\n")
    article = replace(example(title), body=body, language=guess(text), outlet_id=outlet or "")
    watched = [(one.rule, one.query) for one in found.rules.rules]
    matcher = Matcher(watched, found.catalog.outlets, dictionary=dictionary())
    by_id = {one.id: one for one, _ in watched}
    return article, [by_id[match.rule_id] for match in matcher.match(article)]


def _hit(found: Configuration, number: int) -> tuple[Article, list[Rule]]:
    """The article of a stored hit, and its rule, of the severity that an alert of the story now would have."""
    with contextlib.closing(database.open_store(found, read_only=True)) as store:
        rows = store.hits(HitFilter(before_id=min(number, LARGEST_ID - 1) + 1, limit=1)).items
        if not rows or rows[0].hit.id != number:
            raise RasidError(f"there is no hit {number}: rasid hits lists them")
        hit, article = rows[0].hit, rows[0].article
        record = store.story_record(hit.story_id)
    watch = found.rules.get(hit.rule_id)
    if watch is None:
        raise RasidError(f"the rule {hit.rule_id} of hit {number} is no longer in the rule files")
    return article, [raised(watch.rule, len(record.head.outlets) if record else 0)]


def _resume(name: str, found: Configuration) -> bool:
    """End the hold of a channel that works again; False where none was held, or there is no database yet."""
    try:
        with contextlib.closing(database.open_store(found, read_only=True)) as store:
            held = any(name in chat.channels and chat.hold_until is not None for chat in store.chats())
    except StoreError:
        return False
    if held:
        with contextlib.closing(database.open_store(found)) as store:
            store.resume_chat(name, datetime.now(UTC))
    return held


async def _diagnose(channel: Channel, found: Configuration) -> list[transports.Check]:
    transport = transports.build(channel, found.settings.environ, http=found.http_options())
    sample = render(
        MessageView(0, "test", channel.name),
        {},
        language=channel.language,
        timezone=channel.timezone or found.settings.settings.zone,
        now=datetime.now(UTC),
    )
    try:
        return await transport.diagnose(sample)
    finally:
        await transport.close()
