"""Words of grammar: they match only a term typed just so, never as the inflected form of another word."""

from __future__ import annotations

_TEXT = """
    من في فى على إلى الى الي عن مع حتى حتي لدى لدي متى منذ مذ خلا عدا حاشا بين عند بعد قبل تحت فوق أمام امام خلف
    وراء دون بدون ضد نحو حول خلال عبر تجاه إزاء ازاء أن ان إن كأن كان لكن لعل ليت أو او أم ام بل ثم حيث إذ اذ إذا
    اذا إذن اذن لو لولا لما كما كي لكي مما فيما بينما حينما عندما كلما طالما ربما إنما انما أما اما إما ألا لا لم لن
    ما ليس ليست قد لقد سوف هل أي اي أية اية كل بعض غير سوى مثل كلا كلتا لأن لان بأن بان فإن فان وإن وان أنما هذا
    هذه هذان هذين هاتان هاتين ذلك تلك هؤلاء أولئك اولئك ذاك هنا هناك هنالك هو هي هى هم هن هما أنا انا نحن أنت انت
    أنتم انتم بهذا لهذا كهذا بهذه لهذه بذلك لذلك كذلك بتلك لتلك كهذه بعدما قبلما حسبما ريثما وفقا الذي التي الذى
    التى الذين اللذان اللذين اللتان اللتين اللاتي اللواتي ماذا لماذا كيف أين اين كم إلا الا الآن الان أيضا ايضا فقط
    جدا كانت كانوا يكون تكون قال قالت يقول تقول تم يتم
"""
_WORDS = frozenset(_TEXT.split())
_HOSTS = (
    "أن ان إن لأن لان كأن لكن بأن بان فإن فان علي إلي الي في من عن ب ل مع عند لدي بين بعد قبل كل بعض غير مثل دون حول "
    "ضد نحو خلال"
)
_PRONOUNS = ("ه", "ها", "هم", "هن", "هما", "نا", "ك", "كم", "ي")
_WITH_PRONOUN = frozenset(("كل", "بعض", "غير"))  # nouns among them, the same word with a pronoun: غيرها, بعضهم
_NOUNS = frozenset(("والي", "فهم", "وهم", "وهن"))  # the governor, understanding, illusion: no «and to», «so they»
FUNCTION_WORDS = _WORDS | {word + pronoun for word in _HOSTS.split() for pronoun in _PRONOUNS}


def is_function_word(soft: str) -> bool:
    """Whether a word (soft form), or what follows its و or ف, is one of the some 400 words of grammar."""
    return soft in FUNCTION_WORDS or (soft[:1] in ("و", "ف") and soft[1:] in FUNCTION_WORDS and soft not in _NOUNS)


def is_guarded(soft: str, typed: str) -> bool:
    """Whether a word (soft form) is a word of grammar other than the one typed."""
    if typed in (soft, soft[1:]) or not is_function_word(soft):
        return False
    return typed not in _WITH_PRONOUN or not {soft.removeprefix(typed), soft[1:].removeprefix(typed)} & set(_PRONOUNS)
