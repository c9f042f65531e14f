"""The buttons under an alert: what pressing one does, and the few words that Telegram then shows."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.alerts import buttons
from monitor.alerts.pieces import linked, said, strong
from monitor.delivery.links import link
from monitor.errors import RasidError
from monitor.faces.bot import doing
from monitor.faces.bot.desk import Asked
from monitor.faces.bot.people import Role
from monitor.faces.bot.sheet import Sheet
from monitor.store.records import AlertRow, HitFilter, Page

NAMES = {
    buttons.MUTE_RULE: "mute rule",
    buttons.MUTE_STORY: "mute story",
    buttons.NOT_RELEVANT: "not relevant",
    buttons.MORE: "more",
}
MOST_OUTLETS = 20


@dataclass(frozen=True, slots=True)
class Pressed:
    """popup: what the button says. private: what is sent to the person, if anything. result: for the audit log."""

    popup: str
    result: str
    private: Sheet | None = None


async def press(asked: Asked, action: str, alert_id: int) -> Pressed:
    """Do what a button says. Its signature was checked before."""
    sheet = asked.sheet()
    if action not in NAMES:
        return Pressed(sheet.phrase("button_old"), "an unknown button")
    if action != buttons.MORE and asked.person.role < Role.EDITOR:
        role = sheet.phrase(asked.person.role.name.lower())
        return Pressed(sheet.phrase("not_allowed", role=role), "refused: not an editor")
    page: Page[AlertRow] = await asked.desk.read(lambda store: store.alerts(HitFilter(before_id=alert_id + 1, limit=1)))
    alert = next((one for one in page.items if one.id == alert_id), None)
    if alert is None:
        return Pressed(sheet.phrase("alert_gone"), "the alert is gone")
    if action == buttons.MORE:
        return Pressed(sheet.phrase("more_sent"), "answered", private=_more(asked, sheet, alert))
    if action == buttons.NOT_RELEVANT:
        return await _not_relevant(asked, sheet, alert)
    return await _mute(asked, sheet, alert, whole_rule=action == buttons.MUTE_RULE)


async def _mute(asked: Asked, sheet: Sheet, alert: AlertRow, *, whole_rule: bool) -> Pressed:
    """Silence the rule or the story. Pressed again, the silence stays as it is."""
    key = "muted_rule" if whole_rule else "muted_story"
    name = sheet.rule_name(alert.rule_id) if whole_rule else f"#{alert.story_id}"
    of_rule, of_story = (alert.rule_id, None) if whole_rule else (None, alert.story_id)
    for one in await asked.desk.read(lambda store: store.silences(asked.now)):
        if (one.rule_id, one.story_id) == (of_rule, of_story) and one.outlet_id is None and not one.text:
            return Pressed(sheet.phrase(key, name=name, until=sheet.when(one.until)), f"silence {one.id} held already")
    until = asked.now + (buttons.RULE_MUTED_FOR if whole_rule else buttons.STORY_MUTED_FOR)
    try:
        made = await doing.begin(asked, until, reason=f"alert {alert.id}", rule=of_rule, story=of_story)
    except RasidError as error:  # the rule was removed since
        return Pressed(sheet.headline(str(error)).text, f"refused: {error}")
    result = f"silence {made.id} until {made.until.isoformat(timespec='minutes')}"
    return Pressed(sheet.phrase(key, name=name, until=sheet.when(made.until)), result)


async def _not_relevant(asked: Asked, sheet: Sheet, alert: AlertRow) -> Pressed:
    try:
        new = await asked.desk.write(
            lambda store: store.add_feedback(alert.id, asked.person.key, "not_relevant", asked.now)
        )
    except KeyError:  # merged into another meanwhile
        return Pressed(sheet.phrase("alert_gone"), "the alert is gone")
    if not new:
        return Pressed(sheet.phrase("noted_already"), "noted already")
    return Pressed(sheet.phrase("noted"), f"alert {alert.id} is not relevant")


def _more(asked: Asked, sheet: Sheet, alert: AlertRow) -> Sheet:
    """The outlets that carry the story, the passage that matched, and why."""
    article = alert.article
    sheet.title(sheet.rule_name(alert.rule_id))
    sheet.line(sheet.headline(article.title or article.summary or article.body, article.url))
    told = [name for name in ("summary", "body") if any(span.field == name for span in alert.spans)]
    for name in told or ["title"]:
        sheet.passage(str(getattr(article, name)), alert.spans, name)
    terms = list(dict.fromkeys(sheet.name(_said(alert, index)) for index in range(len(alert.spans))))
    sheet.say("more_why", terms=sheet.phrase("comma").join(sheet.phrase("quoted", what=one) for one in terms[:12]))
    sheet.line(strong(sheet.phrase("more_outlets")))
    for outlet in alert.outlets[:MOST_OUTLETS]:
        known = asked.flow.outlets.get(outlet)
        sheet.line(said(f"• {sheet.outlet(known, article) if known else sheet.name(outlet)}"))
    if len(alert.outlets) > MOST_OUTLETS:
        sheet.say("more", n=len(alert.outlets) - MOST_OUTLETS)
    sheet.say("more_story", id=alert.story_id, articles=alert.article_count)
    for post in alert.posts:
        address = link(post.chat, post.external_id)
        if address:
            sheet.line(linked(address.removeprefix("https://"), address))
    return sheet


def _said(alert: AlertRow, index: int) -> str:
    """The words of the text that a span is of."""
    span = alert.spans[index]
    if span.field == "tags":
        return " | ".join(alert.article.tags)[span.start : span.end]
    return str(getattr(alert.article, span.field, ""))[span.start : span.end]
