"""What tells two like-worded reports apart: one denies what the other confirms, counts differ, names differ.

Word lists are written in plain spelling and folded like every text. They hold the verbs of headlines in both genders
and tenses; a word outside them is only judged by where else it occurs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from monitor.arabic.tokens import words
from monitor.stories.signature import Signature, stem, term, unpack

_OPPOSITES = (
    ("نفى نفت ينفي تنفي نفي ينفون نافيا نافية يكذب تكذب تكذيب", "أكد أكدت يؤكد تؤكد تأكيد يؤكدون مؤكدا مؤكدة"),
    ("نفى نفت ينفي تنفي نفي نافيا نافية", "أعلن أعلنت يعلن تعلن إعلان أقر أقرت يقر تقر يعترف تعترف اعترف اعترفت"),
    ("ارتفع ارتفعت يرتفع ترتفع ارتفاع صعود يصعد تصعد صعد زيادة يزيد تزيد", "انخفض انخفضت ينخفض تنخفض انخفاض هبوط "
     "يهبط تهبط هبط تراجع يتراجع تتراجع نقص"),
    ("رفع يرفع ترفع رفعت", "خفض يخفض تخفض خفضت تخفيض"),
    ("قبل قبلت يقبل تقبل قبول وافق وافقت يوافق توافق موافقة", "رفض رفضت يرفض ترفض"),
    ("أيد أيدت يؤيد تؤيد تأييد", "عارض عارضت يعارض تعارض معارضته عارضوا"),
    ("فوز فاز فازت يفوز تفوز يهزم تهزم انتصار", "خسارة خسر خسرت يخسر تخسر هزيمة"),
    ("فتح يفتح تفتح فتحت افتتاح إعادة", "إغلاق أغلق أغلقت يغلق تغلق"),
    ("بدء بدأ بدأت يبدأ تبدأ بداية انطلاق استئناف يستأنف تستأنف", "انتهاء انتهى انتهت ينتهي تنتهي إنهاء تعليق يعلق "
     "تعلق وقف يوقف توقف إلغاء يلغي تلغي تأجيل يؤجل تؤجل"),
    ("اعتقال اعتقل اعتقلت يعتقل تعتقل توقيف احتجاز حبس سجن", "إفراج أفرج أفرجت يفرج تفرج إطلاق إخلاء تبرئة براءة"),
    ("إدانة يدين تدين أدان أدانت", "تبرئة براءة يبرئ تبرئ برأ برأت إشادة يشيد تشيد أشاد"),
    ("نجاح نجح نجحت ينجح تنجح", "فشل فشلت يفشل تفشل إخفاق يخفق تخفق"),
    ("نجاة نجا نجت ينجو تنجو", "مقتل وفاة مصرع يقتل قتل توفي"),
    ("تصعيد يصعد تتصاعد اشتباكات مواجهات قصف", "هدوء تهدئة هدنة"),
    ("سيطر سيطرت يسيطر تسيطر سيطرة", "انسحب انسحبت ينسحب تنسحب انسحاب تحرير خروج"),
    ("تقدم يتقدم تتقدم تقدمت", "تراجع يتراجع تتراجع تراجعت تأخر"),
    ("سمح سمحت يسمح تسمح السماح", "منع منعت يمنع تمنع حظر يحظر تحظر حظرت"),
    ("تعيين عين عينت يعين تعين", "إقالة أقال أقالت يقيل تقيل استقالة استقال عزل"),
    ("أعلى أكثر أكبر", "أدنى أقل أصغر"),
    ("دخول دخل دخلت يدخل تدخل وصول", "خروج خرج خرجت يخرج تخرج مغادرة يغادر تغادر"),
    ("اتفاق اتفق اتفقا يتفق يتفقان", "خلاف اختلف يختلف خلافات"),
    ("حقيقة صحيح صحة", "شائعة إشاعة كذب مفبرك"),
)  # fmt: skip
_PARTICLES = "لا لم لن ليس ليست ليسوا ولا ولم ولن وليس عدم بلا"
_DENIALS = "نفى نفت ينفي تنفي نفي رفض رفضت يرفض ترفض يغيب يغيبان تغيب نزع كذب يكذب تكذب تكذيب"
_NUMERALS = (
    ("واحد واحدة", 1), ("اثنان اثنين اثنتان اثنتين", 2), ("ثلاثة ثلاث", 3), ("أربعة أربع", 4), ("خمسة خمس", 5),
    ("ستة ست", 6), ("سبعة سبع", 7), ("ثمانية ثماني ثمان", 8), ("تسعة تسع", 9), ("عشرة عشر عشرات", 10),
    ("عشرون عشرين", 20), ("ثلاثون ثلاثين", 30), ("أربعون أربعين", 40), ("خمسون خمسين", 50), ("ستون ستين", 60),
    ("سبعون سبعين", 70), ("ثمانون ثمانين", 80), ("تسعون تسعين", 90), ("مئة مائة مئات", 100),
    ("مئتان مئتين مائتان مائتين", 200), ("ألف آلاف", 1000),
)  # fmt: skip
# Too common to be what a report is about; they may come and go between two wordings.
_FILLERS = (
    "في من إلى على عن مع بعد قبل بين حول خلال ضد عند منذ حتى أن إن أنه أنها التي الذي هذا هذه ذلك تلك هو هي و ثم أو "
    "كما قد لقد كان كانت يكون اليوم أمس غدا عاجل بالفيديو بالصور فيديو صور شاهد خاص تقرير مصدر مصادر جديد جديدة "
    "له لها لهم به بها فيه فيها عليه عليها منه منها إثر جراء بسبب رغم عبر لدى نحو كل بعض"
)


def _poles() -> dict[str, set[tuple[int, bool]]]:
    poles: dict[str, set[tuple[int, bool]]] = {}
    for pair, sides in enumerate(_OPPOSITES):
        for side, listed in enumerate(sides):
            for word in words(listed):
                poles.setdefault(stem(word), set()).add((pair, bool(side)))
    return poles


_POLES = _poles()
_POLES_BY_TERM = {term(word): sides for word, sides in _POLES.items()}
_NEGATIVE = frozenset(words(_PARTICLES + " " + _DENIALS))
_NUMBERS = {stem(word): str(value) for listed, value in _NUMERALS for word in words(listed)}
_FILLER = frozenset(words(_FILLERS + " " + _PARTICLES))


@lru_cache(maxsize=65536)
def number(word: str) -> str:
    """The number a folded word is, in digits, or "" (twenty-five is two words, so two numbers: enough to compare)."""
    if word.isdecimal():
        return word.lstrip("0") or "0"
    return _NUMBERS.get(stem(word), "")


def opposed(one: Collection[str], other: Collection[str]) -> str:
    """The first pair of words where one text says the opposite of the other, "" if none. Takes stems.

    A text that holds both sides of a pair (it confirms this and denies that) takes no side.
    """
    mine, yours = _sides(one), _sides(other)
    for (pair, side), word in mine.items():
        against = yours.get((pair, not side))
        if against and (pair, not side) not in mine and (pair, side) not in yours:
            return f"{word} / {against}"
    return ""


def opposed_leads(one: Signature, other: Signature) -> bool:
    """`opposed` over the words that only one of the two leads has (only hashes of them are kept)."""
    mine, yours = set(unpack(one.lead)), set(unpack(other.lead))
    ours = {side for hashed in mine - yours for side in _POLES_BY_TERM.get(hashed, ())}
    theirs = {side for hashed in yours - mine for side in _POLES_BY_TERM.get(hashed, ())}
    return any((pair, not side) in theirs - ours and (pair, side) not in theirs for pair, side in ours)


def negations(title: Sequence[str]) -> int:
    """How many words of a title negate."""
    return sum(word in _NEGATIVE for word in title)


def numbers_differ(one: Signature, other: Signature) -> str:
    """Numbers of each title that the other article has neither in its title nor in its lead, as "5 / 7"."""
    mine, yours = _strange_numbers(one, other), _strange_numbers(other, one)
    return f"{', '.join(mine)} / {', '.join(yours)}" if mine and yours else ""


def strangers(one: Signature, other: Signature) -> list[str]:
    """Content words of one's title that the other has neither in its title nor in its lead, numbers aside.

    Where one has a text, only those that its lead repeats: a name does, the wording of a headline mostly does not.
    """
    known, own = {*unpack(other.lead), *unpack(other.terms)}, set(unpack(one.lead))
    theirs = other.title.split()
    return [
        word
        for word in one.title.split()
        if word not in _FILLER
        and (hashed := term(word)) not in known
        and (not own or hashed in own)
        and not number(word)
        and not any(alike(word, their) for their in theirs)
    ]


def content(title: str) -> list[str]:
    """The stems of a title's words that say something."""
    return [stem(word) for word in title.split() if word not in _FILLER]


@lru_cache(maxsize=16384)
def alike(one: str, other: str) -> bool:
    """Whether two folded words are inflections or spellings of each other, going by four letters at the front."""
    a, b = stem(one), stem(other)
    if a == b or (len(a) > 3 and sorted(a) == sorted(b)):  # أميركي, أمريكي
        return True
    a, b = a.removeprefix("ب").removeprefix("ل"), b.removeprefix("ب").removeprefix("ل")
    shorter = min(len(a), len(b))
    same = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    return same >= 4 and same >= max(len(a), len(b)) - 3


def _sides(stems: Collection[str]) -> dict[tuple[int, bool], str]:
    return {side: word for word in stems for side in _POLES.get(word, ())}


def _strange_numbers(one: Signature, other: Signature) -> list[str]:
    known = {*unpack(other.lead), *unpack(other.terms)}
    theirs = {number(word) for word in other.title.split()}
    return [
        value
        for word in one.title.split()
        if (value := number(word)) and value not in theirs and term(word) not in known and term(value) not in known
    ]
