"""Words that mean several things in the news, which no rule of form can tell apart. Add what you meet, a line each."""

from __future__ import annotations

from monitor.arabic.normalise import fold, soft

_TABLE = """
    شاهد | a drone, «watch!» in headlines, a witness
    مسيرة | a drone, a march, a career
    درع | a shield, a trophy
    هدف | a target, an aim, a goal in sport
    ضربة | a strike, a penalty kick
    هجوم | an attack, the forwards of a team
    قمة | a summit, a top, a match of leaders
    جولة | a round, a tour
    دورية | a patrol, a periodical
    حماس | the movement, enthusiasm
    فتح | the movement, opening, conquest
    أمل | the movement, hope, a name
    سلام | peace, a greeting, a name
    عين | an eye, a spring, the town of Al Ain, to appoint
    النصر | victory, the club, a place
    الاتحاد | a union, the clubs, the newspaper
    الهلال | a crescent, the club, the Red Crescent
    الأهلي | domestic, the clubs
    الشباب | the youth, the movement, the club
    تحرير | liberation, editing
    نشر | to publish, to deploy
    أسد | a lion, the name
    ذكر | to mention, male
    خاصة | special, especially
    عام | a year, public
    بيان | a statement, a name
    زلزال | an earthquake, an upheaval
    حرب | a war, a name
    عاصفة | a storm, an outcry, the name of a campaign
    إعصار | a hurricane, the nickname of teams
    طوفان | a flood, the operation
    قبة | a dome, the Iron Dome
    صقر | a falcon, a missile, a name
    فهد | a leopard, a missile, a name
    لواء | a brigade, a major general, a district
    فرقة | a division, a troupe
    عملية | an operation, a process, surgery
"""


def _read() -> dict[str, str]:
    rows = [line.split("|") for line in _TABLE.strip().splitlines()]
    return {fold(soft(word.strip())): senses.strip() for word, senses in rows}


_SENSES = _read()


def senses(word: str) -> str:
    """What a word may mean, where that is several things; "" else."""
    folded = fold(soft(word))
    return _SENSES.get(folded) or _SENSES.get(folded.removeprefix("ال")) or ""
