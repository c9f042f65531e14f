"""Commands that look and change nothing: status, rules, rule, hits, find, test, audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from monitor.alerts import words as alert_words
from monitor.alerts.pieces import said, strong
from monitor.arabic.normalise import plain
from monitor.errors import RasidError
from monitor.faces.bot import words
from monitor.faces.bot.desk import Asked
from monitor.faces.bot.sheet import Sheet
from monitor.matching.examples import article
from monitor.model import Rule
from monitor.model_delivery import PERSON
from monitor.runtime.searching import search_words
from monitor.store.records import HitFilter, StoryFilter
from monitor.yamlfile import near, show_duration

MOST_RULES, MOST_ROWS = 40, 8
DAY, WEEK = timedelta(days=1), timedelta(days=7)


async def status(asked: Asked) -> Sheet:
    """How things are."""
    sheet, now = asked.sheet(), asked.now
    numbers = await asked.desk.read(lambda store: store.status(now))
    day = await asked.desk.read(lambda store: store.ledger(HitFilter(since=now - DAY)))
    notices = await asked.desk.read(lambda store: store.notices())
    sheet.title(sheet.phrase("status"))
    sheet.say("status_feeds", active=numbers.feeds, failing=numbers.feeds_failing, stopped=numbers.feeds_stopped)
    sheet.say("status_polled", when=sheet.when(numbers.last_polled))
    sheet.say("status_articles", articles=numbers.articles, stories=numbers.stories)
    sheet.say("status_day", what=sheet.fates(day.fates))
    if numbers.oldest_queued is not None and numbers.queue:
        sheet.say("status_queue_since", n=numbers.queue, when=sheet.when(numbers.oldest_queued))
    else:
        sheet.say("status_queue", n=numbers.queue)
    sheet.say("status_sent", when=sheet.when(numbers.last_sent))
    if numbers.since_published.p50 is not None:
        sheet.say("status_delay", p50=round(numbers.since_published.p50))
    for notice in notices[:5]:
        sheet.say("status_trouble", what=sheet.headline(notice.text).text)
    return sheet


async def rules(asked: Asked) -> Sheet:
    """The rules, or those that contain a word."""
    sheet = asked.sheet()
    wanted = plain(asked.given)
    found = [one for one in asked.flow.rules.values() if not wanted or wanted in _searchable(one)]
    sheet.title(sheet.phrase("rules", n=len(found)))
    for rule in found[:MOST_RULES]:
        state = "" if rule.state.value == "on" else f" · {sheet.phrase(rule.state.value)}"
        sheet.line(said(f"{alert_words.MARKS[rule.severity]} {sheet.rule_name(rule.id)}{state}"))
    if len(found) > MOST_RULES:
        sheet.say("more", n=len(found) - MOST_RULES)
    return sheet


def _searchable(rule: Rule) -> str:
    return plain(f"{rule.id} {rule.name_ar} {rule.name_en} {' '.join(rule.tags)}")


async def rule(asked: Asked) -> Sheet:
    """One rule: what it asks for, and what it found."""
    sheet = asked.sheet()
    found = one_rule(asked, sheet, asked.given.strip(), "/rule shahed-drones")
    watch = asked.desk.found.rules.get(found.id) if found else None
    if found is None or watch is None:
        return sheet
    sheet.title(sheet.rule_name(found.id))
    sheet.say("rule_state", state=sheet.phrase(found.state.value), severity=sheet.phrase(found.severity.value))
    unnamed = "rule_routed" if asked.flow.routes else "rule_default"
    names = [sheet.name(one) for one in found.channels] or [sheet.phrase(unnamed)]
    sheet.say("rule_channels", channels=sheet.phrase("comma").join(names))
    _controls(found, sheet)
    sheet.code(watch.text)
    week = await asked.desk.read(lambda store: store.ledger(HitFilter(rule=found.id, since=asked.now - WEEK)))
    return sheet.say("rule_week", what=sheet.fates(week.fates))


def _controls(rule: Rule, sheet: Sheet) -> None:
    """What holds the rule's alerts back, or raises them."""
    if rule.cooldown:
        sheet.say("rule_cooldown", cooldown=show_duration(rule.cooldown))
    if rule.max_per_hour:
        sheet.say("rule_hour", n=rule.max_per_hour)
    if rule.min_outlets > 1:
        sheet.say("rule_outlets", n=alert_words.count("outlets", rule.min_outlets, sheet.language))
    if rule.escalate:
        sheet.say("rule_escalate", n=alert_words.count("outlets", rule.escalate, sheet.language))
    if rule.muted_by:
        sheet.say("rule_muted", rules=sheet.phrase("comma").join(sheet.rule_name(one) for one in rule.muted_by))


def one_rule(asked: Asked, sheet: Sheet, rule_id: str, example: str) -> Rule | None:
    """The rule of that id; None where there is none, which the sheet then says, with what was probably meant."""
    if not rule_id:
        sheet.say("usage").line(sheet.written(example))
        sheet.result = "no rule given"
        return None
    found = asked.flow.rules.get(rule_id)
    if found is None:
        unknown(sheet, "rule", rule_id, asked.flow.rules)
    return found


def unknown(sheet: Sheet, kind: str, name: str, known: Iterable[str]) -> None:
    """Say that there is no rule, outlet of that name, with what was probably meant."""
    guess = near(name[:100], known)
    sheet.say(f"no_{kind}", name=sheet.name(name))
    if guess:
        sheet.say("meant", name=sheet.name(guess))
    sheet.result = f"no such {kind}"


async def hits(asked: Asked) -> Sheet:
    """The latest hits, with what became of them."""
    sheet = asked.sheet()
    wanted = asked.given.strip()
    if wanted and one_rule(asked, sheet, wanted, "/hits shahed-drones") is None:
        return sheet
    page = await asked.desk.read(lambda store: store.hits(HitFilter(rule=wanted or None, limit=MOST_ROWS)))
    sheet.title(sheet.phrase("hits"))
    for row in page.items:
        title = row.article.title or row.article.summary or row.article.body
        sheet.line(said("• "), sheet.headline(title, row.article.url))
        about = [
            sheet.outlet(row.outlet, row.article),
            sheet.when(row.hit.created),
            words.fate(row.fate, sheet.language),
        ]
        rule_name = [] if wanted else [sheet.rule_name(row.hit.rule_id)]
        sheet.line(said(sheet.phrase("comma").join([*rule_name, *about])))
    if not page.items:
        sheet.say("nothing")
    return sheet


async def find(asked: Asked) -> Sheet:
    """Stories with words, by the store's search."""
    sheet = asked.sheet()
    try:
        wanted = search_words(asked.given[:300])
    except RasidError:
        sheet.result = "no word given"
        return sheet.say("find_nothing")
    page = await asked.desk.read(lambda store: store.stories(StoryFilter(text=wanted, limit=MOST_ROWS)))
    sheet.title(sheet.phrase("found", what=sheet.name(asked.given)))
    for story in page.items:
        sheet.line(said("• "), sheet.headline(story.headline))
        outlets = alert_words.count("outlets", len(story.outlets), sheet.language)
        sheet.line(said(sheet.phrase("comma").join([f"#{story.id}", outlets, sheet.when(story.opened)])))
    return sheet if page.items else sheet.say("nothing")


async def test(asked: Asked) -> Sheet:
    """Which rules hit a text: its first line is the headline, the rest the body. Nothing is stored."""
    sheet = asked.sheet()
    title, _, body = asked.given.strip().partition("\n")
    if not title:
        sheet.result = "no text given"
        return sheet.say("usage").line(sheet.written('/test هجوم بطائرات "شاهد" المسيّرة'))
    subject = article(title)
    if body.strip():
        subject = replace(subject, body=body)
    ((_, matched),) = await asked.flow.match([subject])
    if not matched:
        return sheet.say("test_none")
    sheet.say("test_hits", n=len(matched))
    for one in matched[:MOST_RULES]:
        sheet.line(strong(sheet.rule_name(one.rule_id)))
        sheet.passage(subject.title, one.spans, "title").passage(subject.body, one.spans, "body")
    sheet.result = f"{len(matched)} rules hit"
    return sheet


async def audit(asked: Asked) -> Sheet:
    """What people did last, and what came of it where it was more than an answer."""
    sheet = asked.sheet()
    page = await asked.desk.read(lambda store: store.actions(limit=25))
    sheet.title(sheet.phrase("audit"))
    for one in page.items:
        who = sheet.name(one.name or one.person.removeprefix(PERSON))
        did = [sheet.when(one.at), who, sheet.written(f"{one.action} {one.given}")]
        came = [] if one.result == sheet.result else [sheet.written(one.result)]
        sheet.line(" · ".join(did + came))
    return sheet
