"""Names of countries and territories in Arabic, from CLDR: they are names although some end like common words."""

from __future__ import annotations

from functools import cache

from monitor.arabic.normalise import fold, soft

# Countries and parts of the world that CLDR lists under another name, or not at all.
_OTHERS = (
    *("السعودية", "الإمارات", "بريطانيا", "إنجلترا", "إنكلترا", "اسكتلندا", "أمريكا", "أميركا", "كوريا", "كردستان"),
    # Places that are common words else, or that a dictionary takes for one: ريف, روضة, خرطوم, قوة قاهرة, دك, ورل.
    *("يريفان", "الرياض", "الخرطوم", "القاهرة", "دكا", "أورال", "دارون"),
    *("آسيا", "أوروبا", "أوربا", "أفريقيا", "إفريقيا", "أستراليا"),
)

# Names that look like another word with something before or behind it: بسام is no «with سام», طالبان no dual of طالب.
_LIKE_WORDS = """
    بابل باراك باريس باكستان باول بايدن بدران برلين بري بسام بشار بشير بعبدا بغداد بكين بلال بلجيكا بلغاريا بلير
    بلينكن بنغازي بنغلاديش بنين بورما بوتين بوش بولندا بيروت بيريز بيكر بينيت فاروق فاطمة فادي فانس فراس فرنسا
    فريد فلسطين فنزويلا فنلندا فهد فهمي فؤاد فواز فيتنام فيدل فيصل فيينا كابول كارتر كاظم كاميرون كربلاء كردستان
    كركوك كرامي كريم كلينتون كمال كميل كندا كنعان كوبا كوشنر كوسوفو كولن كوهين كيري كيسنجر كينيا لارسن لافروف لاهاي
    لبنان لبنى لبيد لحود لطفي لندن لوران لولا ليبرمان ليبيا ليبيريا ليفني ليلى ليندا وارسو واشنطن واصف والدن وجدي
    وسام وسيم وليد ولفويتز وهبة وهبي ووكر ويلسون
    أصلان أنبار إيلات بابوا جاسر جبران جودي حسنين حمدان حمدي درعا زيدان سلمان سليمان شعبان صبحي طالبان طلال عدنان علاوي
    فرات كريات لهيان ماريان مارينا ميلان نجران نصيرات
"""
LIKE_WORDS = tuple(_LIKE_WORDS.split())

# Names of people in ي: with the ى of Egyptian newspapers (مرسى, صبرى) they are no anchorage and no patience.
_IN_YA = "مرسي حسني صبري لطفي مجدي صبحي حمدي مهدي زكي نوري حقي فهمي شكري رشدي حلمي فتحي شوقي رمزي فوزي"
IN_YA = frozenset(_IN_YA.split())

# Countries that mean nothing else without their article: «عراق جديد»; but جزائر are islands, and مغرب is the sunset.
ALSO_BARE = frozenset(("أردن", "سودان", "صومال", "عراق", "كويت", "يمن"))

# Names of people that are another word with the article: الكاميرون is a country, الماكرون are the cunning.
WITHOUT_ARTICLE = frozenset(("كاميرون", "ماكرون"))

# A country that some newspapers end in ا and some in ة; as a name it has no article, السورية is «Syrian». It is the
# only one: روسية, ليبية and تركية are always adjectives.
IN_TA = {"سوريا": "سورية", "سورية": "سوريا"}

# Words that names are made of, and what they also look like by case or spelling: في أبي ظبي.
PARTS = {
    **dict.fromkeys(("أبو", "ابو"), ("أبا", "أبي")),
    **{"أبا": ("أبو", "أبي"), "أبي": (), "أخو": ("أخا", "أخي"), "ذو": ("ذا", "ذي")},
    **{"بن": (), "آل": (), "عبد": ()},
}


@cache
def territories() -> frozenset[str]:
    """The folded one-word territory names, without a leading article also; read on first need."""
    from babel import Locale

    names = [fold(soft(name)).split() for name in Locale("ar").territories.values()]
    single = {name[0] for name in names if len(name) == 1 and not name[0].isdigit()}
    single |= {fold(soft(name)) for name in _OTHERS}
    return frozenset(single | {word for name in names for word in name if len(word) > 4 and word.endswith("يا")})
