"""Commands that change something: silence, follow, unfollow; and following, which shows what was followed."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from monitor.alerts.pieces import said
from monitor.errors import RasidError
from monitor.faces.bot.desk import Asked
from monitor.faces.bot.looking import one_rule, unknown
from monitor.faces.bot.people import Role
from monitor.faces.bot.sheet import Sheet
from monitor.model import LARGEST_ID, RuleState, Silence
from monitor.runtime import silencing
from monitor.store.store import Store
from monitor.yamlfile import parse_duration

USAGE = ("/silence shahed-drones 6h", "/silence story 12 2d", "/silence outlet bbc-arabic 3h", "/silence end 3")


async def silence(asked: Asked) -> Sheet:
    """The silences in force; or begin one, or end one."""
    sheet, given = asked.sheet(), asked.given.split()
    if not given or given == ["list"]:
        return await _silences(asked, sheet)
    if asked.person.role < Role.EDITOR:
        sheet.result = "refused: not an editor"
        return sheet.say("not_allowed", role=sheet.phrase(asked.person.role.name.lower()))
    if given[0] == "end" and len(given) == 2 and _is_number(given[1]):
        return await _end(asked, sheet, int(given[1]))
    kind = given.pop(0) if given[0] in ("rule", "story", "outlet") and len(given) > 2 else "rule"
    if len(given) < 2 or (kind == "story" and not _is_number(given[0])):
        return _usage(sheet)
    until = _end_of(given[1], asked.now)
    if until is None:
        sheet.result = "no duration"
        return sheet.say("no_duration")
    if not await _is_there(asked, sheet, kind, given[0]):
        return sheet
    rule, outlet = (given[0] if kind == one else None for one in ("rule", "outlet"))
    story = int(given[0]) if kind == "story" else None
    try:
        made = await begin(asked, until, reason=" ".join(given[2:]), rule=rule, outlet=outlet, story=story)
    except RasidError as error:
        sheet.result = f"refused: {error}"
        return sheet.line(sheet.headline(str(error)))
    sheet.result = f"silence {made.id} until {made.until.isoformat(timespec='minutes')}"
    return sheet.say("silenced", until=sheet.when(made.until), what=what(made, sheet), id=made.id)


def _end_of(lasts: str, now: datetime) -> datetime | None:
    """now and so much later; None where that is no duration, or none at all."""
    try:
        until = now + parse_duration(lasts)
    except (ValueError, OverflowError):
        return None
    return until if until > now else None


async def _is_there(asked: Asked, sheet: Sheet, kind: str, name: str) -> bool:
    """Whether there is such a rule, story, outlet; where not, the sheet says so, with what was probably meant."""
    if kind == "rule":
        return one_rule(asked, sheet, name, USAGE[0]) is not None
    if kind == "outlet":
        known = asked.desk.found.catalog.outlets
        if name not in known:
            unknown(sheet, "outlet", name, known)
        return name in known
    number = int(name)
    there, became = await asked.desk.read(lambda store: (store.story_record(number), store.became(number)))
    if there is None:
        sheet.say("no_story", id=number)
        if became:
            sheet.say("meant", name=became)
        sheet.result = "no such story"
    return there is not None


async def begin(
    asked: Asked,
    until: datetime,
    *,
    reason: str = "",
    rule: str | None = None,
    outlet: str | None = None,
    story: int | None = None,
) -> Silence:
    """A silence in the person's name. Raises RasidError."""
    author = f"telegram:{asked.person.id} {asked.person.name}".strip()
    about = partial(silencing.silence, rule=rule, outlet=outlet, story=story, reason=reason, author=author)
    return await asked.desk.write(lambda store: about(store, asked.desk.found, until, asked.now))


async def _silences(asked: Asked, sheet: Sheet) -> Sheet:
    found = await asked.desk.read(lambda store: store.silences(asked.now))
    wrong = silencing.unread(asked.desk.found, found[:40])
    sheet.title(sheet.phrase("silences"))
    for one in found[:40]:
        effect = f" · {sheet.phrase('silence_unread')}" if one.id in wrong else ""
        why = f" · {sheet.name(one.reason)}" if one.reason else ""
        sheet.line(f"{one.id} · {what(one, sheet)} · {sheet.phrase('until', until=sheet.when(one.until))}{why}{effect}")
    return sheet if found else sheet.say("nothing")


async def _end(asked: Asked, sheet: Sheet, number: int) -> Sheet:
    ended = await asked.desk.write(lambda store: store.end_silence(number, asked.now))
    if ended is None:
        sheet.result = "no such silence"
        return sheet.say("no_silence", id=number)
    sheet.result = f"silence {number} ended"
    return sheet.say("silence_ended", id=number)


def _usage(sheet: Sheet) -> Sheet:
    sheet.result = "not understood"
    sheet.say("usage")
    for line in USAGE:
        sheet.line(sheet.written(line))
    return sheet


def what(silence: Silence, sheet: Sheet) -> str:
    """What a silence is of, in the reader's language."""
    given = {"rule": silence.rule_id, "story": silence.story_id, "outlet": silence.outlet_id, "text": silence.text}
    told = [sheet.phrase(f"silence_{kind}", name=sheet.name(str(value))) for kind, value in given.items() if value]
    return sheet.phrase("comma").join(told)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= LARGEST_ID


# ── following ──


async def follow(asked: Asked) -> Sheet:
    """Have a rule's alerts sent to the person, here."""
    sheet = asked.sheet()
    rule = one_rule(asked, sheet, asked.given.strip(), "/follow shahed-drones")
    if rule is None:
        return sheet
    person, now = asked.person, asked.now
    new = await asked.desk.write(lambda store: store.follow(person.key, rule.id, person.language, now))
    await asked.desk.followed()
    sheet.result = f"follows {rule.id}" if new else f"followed {rule.id} already"
    sheet.say("followed" if new else "followed_already", name=sheet.rule_name(rule.id))
    if rule.state is not RuleState.ON:
        sheet.say("followed_asleep", state=sheet.phrase(rule.state.value))
    return sheet


async def unfollow(asked: Asked) -> Sheet:
    """… no longer. What was made for them before still arrives."""
    sheet, rule_id = asked.sheet(), asked.given.strip()
    if not rule_id:
        sheet.result = "no rule given"
        return sheet.say("usage").line(sheet.written("/unfollow shahed-drones")).line(sheet.written("/unfollow all"))
    everything = rule_id.lower() in ("all", "الكل")
    ended = await asked.desk.write(_unfollowing(asked.person.key, None if everything else rule_id))
    await asked.desk.followed()
    if everything:
        sheet.result = f"unfollowed {ended} rules"
        return sheet.say("unfollowed_all", n=ended)
    sheet.result = f"unfollowed {rule_id}" if ended else "did not follow it"
    return sheet.say("unfollowed" if ended else "not_followed", name=sheet.rule_name(rule_id))


def _unfollowing(person: str, rule_id: str | None) -> partial[int]:
    return partial(Store.unfollow, person=person, rule_id=rule_id)


async def following(asked: Asked) -> Sheet:
    """The rules that the person follows."""
    sheet = asked.sheet()
    found = await asked.desk.read(lambda store: [one for one in store.follows() if one.person == asked.person.key])
    sheet.title(sheet.phrase("following"))
    for one in found:
        sheet.line(said(f"• {sheet.rule_name(one.rule_id)}"))
    return sheet if found else sheet.say("nothing")
