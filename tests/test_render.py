"""How messages read: golden texts in Arabic and English, and the limits that hold for any input."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts import passages, words
from monitor.alerts.passages import FSI, PDI, RLM, Mark, Passage
from monitor.alerts.render import render, repeats
from monitor.model import Article, Outlet, Rule, Severity, Span
from monitor.model_delivery import ArticleLine, MessageView, Rendered, StoryLines
from tests.telegram_html import covered, parse_html

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
SEEN = datetime(2026, 11, 24, 10, 6, tzinfo=UTC)
JAZEERA = Outlet("aljazeera", "الجزيرة", "Al Jazeera", "QA", "ar")
ARABIYA = Outlet("alarabiya", "العربية", "Al Arabiya", "AE", "ar")
BBC = Outlet("bbc", "BBC عربي", "BBC Arabic", "GB", "ar")
DRONES = Rule("drones", "مسيّرات شاهد", "Shahed drones", severity=Severity.HIGH)
UKRAINE = Rule("ukraine", "أوكرانيا", "Ukraine", severity=Severity.LOW)
RULES = {"drones": DRONES, "ukraine": UKRAINE}
BODY = (
    "قالت هيئة الأركان الأوكرانية إن ليلة أمس كانت الأعنف منذ مطلع الشهر. "
    "وأضافت أن روسيا أطلقت 136 طائرة مسيرة من طراز Shahed-136 على أوديسا وكييف. "
    "ولم تعلق موسكو على الفور."
)


def article(
    title: str, *, body: str = "", summary: str = "", url: str = "https://example.com/1", **more: object
) -> Article:
    published = more.get("published", datetime(2026, 11, 24, 10, 5, tzinfo=UTC))
    values = ("f", "o", "k", url, url, title, summary, body, "", (), "ar", published, SEEN, "h")
    return Article(*values)  # type: ignore[arg-type]


def spans(text: str, *terms: str, field: str = "body") -> tuple[Span, ...]:
    return tuple(Span(field, text.index(t), text.index(t) + len(t), t) for t in terms)


LEAD = ArticleLine(
    article('أوكرانيا: هجوم بمسيّرات "شاهد" على أوديسا', body=BODY, url="https://example.com/news?id=7&ref=rss"),
    JAZEERA,
    spans(BODY, "طائرة مسيرة", "Shahed-136"),
)
STORY = StoryLines(
    1,
    ("ukraine", "drones"),
    (
        LEAD,
        ArticleLine(article("هجوم", url="https://example.com/2"), ARABIYA),
        ArticleLine(article("هجوم", url=""), BBC),
    ),
    6,
    5,
)


def show(*stories: StoryLines, kind: str = "story", language: str = "ar", text: str = "", **more: object) -> Rendered:
    view = MessageView(1, kind, "main", stories, text)
    timezone = str(more.pop("timezone", "Asia/Riyadh"))
    return render(view, RULES, language=language, timezone=timezone, now=NOW, **more)  # type: ignore[arg-type]


def one(lead: ArticleLine, *rules: str) -> StoryLines:
    return StoryLines(1, rules or ("drones",), (lead,), 1, 1)


# ── golden messages ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_story_in_arabic() -> None:
    rendered = show(STORY)
    assert rendered.html == (
        "🔴 <b>مسيّرات شاهد · أوكرانيا</b>\n"
        '<b><a href="https://example.com/news?id=7&amp;ref=rss">'
        "أوكرانيا: هجوم بمسيّرات &quot;شاهد&quot; على أوديسا</a></b>\n"
        "<blockquote>قالت هيئة الأركان الأوكرانية إن ليلة أمس كانت الأعنف منذ مطلع الشهر. "
        "وأضافت أن روسيا أطلقت 136 <b>طائرة مسيرة</b> من طراز \u2068<b>Shahed-136</b>\u2069 على أوديسا وكييف. "
        "ولم تعلق موسكو على الفور.</blockquote>\n"
        "الجزيرة · قطر · 24 نوفمبر، 13:05\n"
        'ونقلته أيضًا: <a href="https://example.com/2">العربية</a>، \u2068BBC\u2069 عربي، +2 (5 وسائل)'
    )
    assert rendered.text == (
        "🔴 مسيّرات شاهد · أوكرانيا\n"
        'أوكرانيا: هجوم بمسيّرات "شاهد" على أوديسا\n'
        "https://example.com/news?id=7&ref=rss\n"
        "قالت هيئة الأركان الأوكرانية إن ليلة أمس كانت الأعنف منذ مطلع الشهر. "
        "وأضافت أن روسيا أطلقت 136 طائرة مسيرة من طراز \u2068Shahed-136\u2069 على أوديسا وكييف. "
        "ولم تعلق موسكو على الفور.\n"
        "الجزيرة · قطر · 24 نوفمبر، 13:05\n"
        "ونقلته أيضًا: العربية، \u2068BBC\u2069 عربي، +2 (5 وسائل)"
    )
    assert not rendered.silent


def test_the_same_story_in_english_words() -> None:
    html = show(STORY, language="en", timezone="Europe/London").html or ""
    assert html.startswith("🔴 <b>Shahed drones · Ukraine</b>\n")
    assert "\nAl Jazeera · Qatar · 24 November, 10:05\n" in html
    assert html.endswith('Also in: <a href="https://example.com/2">Al Arabiya</a>, BBC Arabic, +2 (5 outlets)')


def test_a_story_that_a_later_report_alerted_says_where_it_began_and_which_rule_came_later() -> None:
    began = ArticleLine(
        article("دوي انفجارات", url="https://example.com/0", published=datetime(2026, 11, 24, 9, 30, tzinfo=UTC)), BBC
    )
    last = ArticleLine(article("بيان", url="https://example.com/3", published=SEEN), ARABIYA)
    late = replace(STORY, lines=(LEAD, began, last), began=began, later=(("ukraine", last),), outlet_count=3)
    lines = (show(late).html or "").split("\n")
    assert lines[-3:] == [
        'أول من نشر القصة: <a href="https://example.com/0">\u2068BBC\u2069 عربي</a>، 24 نوفمبر، 12:30؛ '
        "والتنبيه من تقرير لاحق.",
        'أوكرانيا: من تقرير لاحق في <a href="https://example.com/3">العربية</a>، 24 نوفمبر، 13:06.',
        'ونقلته أيضًا: <a href="https://example.com/0">\u2068BBC\u2069 عربي</a>، '
        '<a href="https://example.com/3">العربية</a> (3 وسائل)',
    ]
    english = show(late, language="en", timezone="UTC").text
    assert "First told by BBC Arabic, 24 November, 09:30; a later report raised the alert.\n" in english
    assert "Ukraine: raised by a later report in Al Arabiya, 24 November, 10:06.\n" in english


def test_a_story_tells_how_its_toll_rose_and_what_denied_it() -> None:
    toll = ArticleLine(article("مقتل 7", url="https://example.com/3", published=SEEN), ARABIYA)
    denial = ArticleLine(article("موسكو تنفي الهجوم", url="https://example.com/4", published=SEEN), BBC)
    grown = replace(one(LEAD), changes=(("4 → 7", toll),), denied=denial)
    assert (show(grown).html or "").split("\n")[-2:] == [
        'تغيّر العدد: 4 ← 7 (<a href="https://example.com/3">العربية</a>، 24 نوفمبر، 13:06)',
        'نُفي أو صُحِّح لاحقًا، <a href="https://example.com/4">\u2068BBC\u2069 عربي</a>، 24 نوفمبر، 13:06: '
        "موسكو تنفي الهجوم",
    ]
    assert "The number changed: 4 → 7 (Al Arabiya, 24 November, 13:06)" in show(grown, language="en").text
    denying = show(replace(one(denial), denies=LEAD)).text
    assert 'ينفي أو يصحّح خبرًا من الجزيرة، 24 نوفمبر، 13:05: أوكرانيا: هجوم بمسيّرات "شاهد" على أوديسا' in denying


def test_a_digest_in_arabic_puts_each_story_once_under_its_gravest_rule() -> None:
    low = StoryLines(2, ("ukraine",), (ArticleLine(article("محادثات في جنيف", url=""), BBC),), 1, 3)
    assert show(low, STORY, kind="digest").html == (
        "🗂 <b>موجز: خبران</b>\n"
        "\n"
        "🔴 <b>مسيّرات شاهد</b>\n"
        '• <a href="https://example.com/news?id=7&amp;ref=rss">'
        "أوكرانيا: هجوم بمسيّرات &quot;شاهد&quot; على أوديسا</a> · الجزيرة، 13:05 · 5 وسائل\n"
        "\n"
        "⚪️ <b>أوكرانيا</b>\n"
        "• محادثات في جنيف · \u2068BBC\u2069 عربي، 13:05 · 3 وسائل"
    )


def test_a_digest_counts_what_does_not_fit() -> None:
    stories = [one(ArticleLine(article(f"خبر رقم {n} " + "كلمة " * 40), JAZEERA)) for n in range(200)]
    rendered = show(*stories, kind="digest")
    text, _ = parse_html(rendered.html or "")
    shown = text.count("•")
    assert 10 <= shown <= 40 and len(text) <= 4096 and len(rendered.text) <= 4096
    assert text.startswith("🗂 موجز: 200 خبر\n")
    assert text.endswith(words.count("more_stories", 200 - shown, "ar") + "…")


def test_a_digest_takes_smaller_portions_before_it_leaves_a_story_out() -> None:
    long = [
        one(ArticleLine(article(f"خبر رقم {n} " + "كلمة " * 60, url=f"https://example.com/{n}"), JAZEERA))
        for n in range(25)
    ]
    rendered = show(*long, kind="digest", hashtags=True)
    assert (rendered.html or "").count("<a href=") == 25 and "أخرى" not in rendered.text.splitlines()[-1]
    assert len(parse_html(rendered.html or "")[0]) <= 4096 and rendered.text.count("•") == 25


def test_hashtags_are_letters_digits_and_lines_below_and_nothing_else() -> None:
    tagged = show(STORY, hashtags=True)
    assert tagged.text.splitlines()[-1] == "#مسيرات_شاهد #أوكرانيا"
    assert show(STORY, hashtags=True, language="en").text.splitlines()[-1] == "#Shahed_drones #Ukraine"
    assert "#" not in show(STORY).text.replace("https://", "")
    names = {"nato": Rule("nato", "ناتو/NATO — ٢٠٢٦", "NATO"), "n-1": Rule("n-1", "123", "…")}
    for rule_id, tag in (("nato", "#ناتو_NATO_٢٠٢٦"), ("n-1", "#n_1")):
        one_rule = replace(STORY, rule_ids=(rule_id,))
        shown = render(
            MessageView(1, "story", "main", (one_rule,)), names, language="ar", timezone="UTC", now=NOW, hashtags=True
        )
        assert shown.text.splitlines()[-1].strip(RLM) == tag


def test_an_operators_message_is_escaped_and_a_test_message_needs_no_text() -> None:
    notice = show(kind="operator", text="Channel main: chat <x> not found.\nقناة & أخرى", language="ar")
    assert notice.html == "⚙️ <b>راصد</b>\nChannel main: chat &lt;x&gt; not found.\nقناة &amp; أخرى"
    assert "القناة تعمل" in show(kind="test").text
    assert "the channel works" in show(kind="test", language="en").text
    assert len(show(kind="operator", text="كلمة " * 5000).text) <= 4096


def test_plain_form_has_no_html() -> None:
    rendered = show(STORY, plain=True)
    assert rendered.html is None and rendered.text == show(STORY).text and "<" not in rendered.text


def test_low_severity_is_silent_and_the_gravest_rule_decides() -> None:
    assert show(one(LEAD, "ukraine")).silent
    assert not show(one(LEAD, "ukraine", "drones")).silent
    assert not show(one(LEAD, "removed")).silent and "removed" in show(one(LEAD, "removed")).text


# ── passages ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_passage_begins_with_the_sentence_that_matched() -> None:
    body = "جملة أولى لا تعني أحدا. " * 40 + "وأطلقت طائرة مسيرة فوق المدينة. " + "جملة أخيرة لا تعني أحدا. " * 40
    text, entities = parse_html(
        show(one(ArticleLine(article("عنوان", body=body), JAZEERA, spans(body, "طائرة مسيرة")))).html or ""
    )
    (quote,) = [e for e in entities if e["type"] == "blockquote"]
    quoted = covered(text, quote)
    assert quoted.startswith("…وأطلقت طائرة مسيرة فوق المدينة.") and len(quoted) <= 340
    assert quoted.endswith(" جملة أخيرة لا تعني أحدا.")  # whole sentences, where they fit


def test_the_window_shows_most_different_terms() -> None:
    body = "شاهد " * 3 + "كلام آخر " * 100 + "شاهد فوق كييف " + "كلام آخر " * 100
    marks = [Mark(m.start(), m.end(), m.group()) for m in re.finditer("شاهد|كييف", body)]
    shown = passages.around(passages.clean(body, marks), 120)
    assert "كييف" in shown.text and len(shown.text) <= 120
    assert {shown.text[m.start : m.end] for m in shown.marks} == {"شاهد", "كييف"}


def test_overlapping_and_adjoining_marks_become_one() -> None:
    text = "طائرة مسيرة شاهد"
    merged = passages.clean(text, [Mark(0, 11, "a"), Mark(6, 11, "b"), Mark(12, 16, "c")])
    assert merged.marks == (Mark(0, 16, "a"),)
    assert passages.to_html(merged) == f"<b>{text}</b>"


def test_a_passage_of_another_outlet_says_whose_it_is() -> None:
    other = ArticleLine(article("هجوم", body=BODY), ARABIYA, spans(BODY, "طائرة مسيرة"))
    text = show(StoryLines(1, ("drones",), (ArticleLine(article("عنوان لا نص له"), JAZEERA), other), 2, 2)).text
    assert "\nالعربية: قالت هيئة الأركان" in text


@pytest.mark.parametrize(
    "summary", ["هجوم بمسيّرات على أوديسا", "«هجوم بمسيّرات على أوديسا»", "هجوم بمسيّرات على أوديسا... المزيد"]
)
def test_a_summary_that_repeats_the_title_is_not_shown(summary: str) -> None:
    title = "هجوم بمسيّرات على أوديسا"
    assert repeats(summary, title)
    assert "blockquote" not in (show(one(ArticleLine(article(title, summary=summary), JAZEERA))).html or "")


def test_a_headline_at_the_head_of_the_body_is_not_said_twice() -> None:
    title = "هجوم واسع بمسيّرات شاهد على مدينة أوديسا"
    body = f"{title} - أطلقت روسيا طائرة مسيرة على المدينة الليلة الماضية وفق بيان."
    text = show(one(ArticleLine(article(title, body=body), JAZEERA, spans(body, "طائرة مسيرة")))).text
    assert text.count(title) == 1 and "أطلقت روسيا طائرة مسيرة" in text


def test_cutting_respects_words_letters_and_their_marks() -> None:
    assert passages.cut("كلمة ثم كلمة أخرى", 12) == "كلمة ثم…"
    assert passages.cut("قصير", 10) == "قصير"
    marked = "ب" + "\u064e\u0651"
    cut = passages.cut(marked * 20, 31)
    assert len(cut) <= 31 and cut.endswith(f"{marked}…")
    assert passages.cut("نص", 0) == "" and passages.cut("نصوص", 1) == "…"


# ── direction and hostile text ───────────────────────────────────────────────────────────────────────────────────


def test_latin_runs_inside_arabic_are_isolated_whole() -> None:
    text = "قال Joe Biden إن F-16 وصلت"
    assert passages.isolate(Passage(text), True).text == f"قال {FSI}Joe Biden{PDI} إن {FSI}F-16{PDI} وصلت"


def test_arabic_runs_inside_english_are_isolated_and_an_english_line_needs_no_mark() -> None:
    assert (
        passages.isolate(Passage("The word شاهد means witness"), False).text == f"The word {FSI}شاهد{PDI} means witness"
    )
    assert passages.isolate(Passage("Nothing here"), False).text == "Nothing here"


def test_an_arabic_line_that_begins_in_latin_is_told_its_direction() -> None:
    assert passages.isolate(Passage("CNN: هجوم جديد"), True).text == f"{RLM}{FSI}CNN{PDI}: هجوم جديد"
    html = show(one(ArticleLine(article("CNN: هجوم جديد على المدينة"), JAZEERA))).html or ""
    assert f">{RLM}{FSI}CNN{PDI}: هجوم" in html


def test_an_english_headline_in_an_arabic_message_stays_as_it_is() -> None:
    assert "\nDrone attack on Odesa\n" in show(one(ArticleLine(article("Drone attack on Odesa", url=""), BBC))).text


def test_marks_stay_with_their_words_through_isolation() -> None:
    isolated = passages.isolate(Passage("من طراز Shahed-136 ثم", (Mark(8, 18, "x"),)), True)
    (mark,) = isolated.marks
    assert isolated.text[mark.start : mark.end] == "Shahed-136"


def test_hostile_controls_are_stripped_and_spans_still_point_at_their_words() -> None:
    text = "\u202eطا\u200bئرة\u2067 \u200f\u200f\x00مسيرة\ufeff \n\n في\u00ad السماء\udcff"
    start = text.index("\x00") + 1
    cleaned = passages.clean(text, [Mark(start, start + 5, "m")])
    assert cleaned.text == "طائرة مسيرة في السماء"
    assert [cleaned.text[m.start : m.end] for m in cleaned.marks] == ["مسيرة"]


def test_joiners_survive_where_they_mean_something() -> None:
    assert passages.clean("می\u200cخواهد").text == "می\u200cخواهد"
    assert passages.clean("👩\u200d🚀 هنا\u200d").text == "👩\u200d🚀 هنا"
    assert len(passages.clean("ب" + "\u064e" * 500).text) == 5


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.com/خبر?a=1&b=2", "https://example.com/خبر?a=1&b=2"),
        ('https://example.com/"><script>', "https://example.com/%22%3E%3Cscript%3E"),
        (" HTTPS://example.com/\u202ea\nb ", "HTTPS://example.com/ab"),
        ("javascript:alert(1)", ""),
        ("//example.com", ""),
        ("https://", ""),
        ("https://example.com/" + "a" * 3000, ""),
    ],
)
def test_only_web_addresses_become_links(url: str, safe: str) -> None:
    assert passages.safe_url(url) == safe


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (0, "لا أخبار"),
        (1, "خبر واحد"),
        (2, "خبران"),
        (3, "3 أخبار"),
        (10, "10 أخبار"),
        (11, "11 خبرًا"),
        (99, "99 خبرًا"),
        (100, "100 خبر"),
        (103, "103 أخبار"),
    ],
)
def test_arabic_counts_take_their_plural_form(n: int, said: str) -> None:
    assert words.count("stories", n, "ar") == said


def test_english_counts() -> None:
    assert [words.count("stories", n, "en") for n in (1, 2)] == ["1 story", "2 stories"]


def test_months_follow_the_region_and_other_years_are_named() -> None:
    assert "24 تشرين الثاني، 12:05" in show(STORY, language="ar-LB", timezone="Asia/Beirut").text
    old = article("قديم", published=datetime(2025, 3, 1, 22, 30, tzinfo=UTC))
    assert "2 مارس 2025، 01:30" in show(one(ArticleLine(old, JAZEERA))).text
    undated = article("بلا تاريخ", published=None)
    assert "رُصد 24 نوفمبر، 13:06" in show(one(ArticleLine(undated, JAZEERA))).text


def test_an_unknown_zone_or_country_or_language_does_not_stop_an_alert() -> None:
    nowhere = Outlet("x", "", "", "??", "ar")
    text = show(one(ArticleLine(article("خبر"), nowhere)), timezone="Mars/Base", language="xx").text
    assert "x · 24 November, 10:05" in text


# ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_structured_form_is_json_with_every_match() -> None:
    data = json.loads(json.dumps(show(STORY).data))
    assert (data["kind"], data["severity"]) == ("story", "high")
    first = data["stories"][0]["articles"][0]
    assert first["outlet"]["id"] == "aljazeera" and first["published"] == "2026-11-24T10:05:00+00:00"
    assert [m["text"] for m in first["matches"]] == ["طائرة مسيرة", "Shahed-136"]
    assert [r["id"] for r in data["stories"][0]["rules"]] == ["ukraine", "drones"]


# ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "ابتشاهد مسيرة \n\u064e\u0651<>&\"'/=\u202e\u2067\u2068\u2069\u200f\u200b\u200d\ufeffAbc 136-.؟!🚀👩\ud800"
        ),
        st.characters(),
    ),
    max_size=600,
)


LONG_URL = "https://example.com/" + "ط" * 1500


@st.composite
def lines(draw: st.DrawFn) -> ArticleLine:
    fields = {name: draw(HOSTILE) for name in ("title", "summary", "body")}
    repeat = draw(st.sampled_from([1, 1, 30]))
    fields["body"] *= repeat
    found = []
    for _ in range(draw(st.integers(0, 6))):
        field = draw(st.sampled_from(["title", "summary", "body", "tags"]))
        start = draw(st.integers(0, 700))
        found.append(Span(field, start, start + draw(st.integers(0, 40)), draw(st.sampled_from("abc"))))
    outlet = Outlet(
        draw(st.sampled_from(["a", "b", "c"])),
        draw(HOSTILE),
        draw(HOSTILE),
        draw(st.sampled_from(["QA", "", "ZZ"])),
        "ar",
    )
    url = draw(st.sampled_from([LONG_URL, "https://e.com/?a&b", "javascript:x", ""]))
    return ArticleLine(
        article(fields["title"], summary=fields["summary"], body=fields["body"], url=url), outlet, tuple(sorted(found))
    )


STORIES = st.builds(
    StoryLines,
    st.just(1),
    st.lists(st.sampled_from(["drones", "ukraine", "odd", "<x>" * 99]), max_size=4).map(tuple),
    st.lists(lines(), max_size=4).map(tuple),
    st.integers(0, 50),
    st.integers(0, 500),
    began=st.none() | lines(),
    later=st.lists(st.tuples(st.sampled_from(["drones", "odd"]), lines()), max_size=9).map(tuple),
    changes=st.lists(st.tuples(st.just("4 → 7"), lines()), max_size=3).map(tuple),
    denies=st.none() | lines(),
    denied=st.none() | lines(),
)


anything = given(
    kind=st.sampled_from(["story", "digest", "operator", "test"]),
    stories=st.lists(STORIES, max_size=4),
    repeat=st.sampled_from([1, 1, 40]),
    text=HOSTILE,
    name=HOSTILE,
    language=st.sampled_from(["ar", "en", "ar-LB"]),
    limit=st.sampled_from([4096, 4096, 300, 40]),
)


@settings(max_examples=40, deadline=None)
@anything
def test_any_input_gives_balanced_html_within_the_limit(**given: Any) -> None:
    _is_balanced(**given)


@pytest.mark.soak
@settings(max_examples=1_000, deadline=None)
@anything
def test_at_length_any_input_gives_balanced_html_within_the_limit(**given: Any) -> None:
    _is_balanced(**given)


def _is_balanced(
    *, kind: str, stories: list[StoryLines], repeat: int, text: str, name: str, language: str, limit: int
) -> None:
    rules = {**RULES, "odd": Rule("odd", name, name)}
    view = MessageView(1, kind, "main", tuple(stories) * repeat, text)
    rendered = render(view, rules, language=language, timezone="Asia/Riyadh", now=NOW, limit=limit)
    assert rendered.html is not None
    parsed, entities = parse_html(rendered.html)
    for shown in (parsed, rendered.text):
        assert len(shown) <= limit
        assert shown.encode("utf-8") is not None
        assert shown.count(FSI) == shown.count(PDI)
        assert not re.search("[\u202a-\u202e\u2066\u2067\u200b\ufeff\u2028]", shown)
    assert len(entities) <= 100
    assert all(entity["offset"] + entity["length"] <= len(parsed.encode("utf-16-le")) // 2 for entity in entities)
    json.dumps(rendered.data, ensure_ascii=False).encode("utf-8")


@settings(max_examples=300, deadline=None)
@given(
    text=HOSTILE,
    places=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 30)), max_size=8),
    limit=st.integers(40, 200),
)
def test_marks_never_leave_the_text_or_overlap(text: str, places: list[tuple[int, int]], limit: int) -> None:
    cleaned = passages.clean(text, [Mark(start, start + size, str(size % 3)) for start, size in places])
    window = passages.around(cleaned, limit)
    assert len(window.text) <= limit
    for passage in (cleaned, window, passages.isolate(window, True)):
        ends = 0
        for mark in passage.marks:
            assert ends <= mark.start < mark.end <= len(passage.text)
            ends = mark.end
