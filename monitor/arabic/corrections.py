"""What the list of Arabic forms has wrong, or what no rule can know: words by hand, for an Arabic speaker to add to.

The list files every form under one lemma. Where that is not what a reader of news means by the word, it is put right
here: each table says what its words have in common.
"""

from __future__ import annotations

from collections.abc import Mapping

# Words of their own that the list has as forms of another: حجاز is no plural of حاجز, nor السودان one of أسود.
_ON_THEIR_OWN = """
أواخر إياب سادات داعم ضامن ناجم وافد حاشد صاعد صامد خاسر خارق نافذ غائب هادف فاضل حاسب عالق عابد بادئ خاطب راهن رهان
شروق غروب ظهور صعود ذهاب مرور مثول فضول فراق حفاظ رباط حجاز عريش سودان أمان أربعاء صلاح عماد عدل قران تبع عبودية تقوية
حيلولة برودة متانة صلابة ضخامة وجاهة حرمة عيادة ممنهج ممانعة جائر شراعي مهارة هرمون نفاق سيرورة بنيان حرمان أعرب مشابه
شمل شجار فقار خوارج عرفان دوران أزهر سلفية مشاة مراسم إخوان طوال صادرات واردات آباد ماس أجراء مجريات عبيد معارض
غياب حضور حضارة كتابة خطاب نشاط شعور خوف ولاء جهل شلل فرار عموم كرامة غيبوبة أمومة حضانة حصانة هشاشة شراسة جدارة شرارة
عظمة علانية رطوبة سكون نطق غرور أنحاء أعقاب حضر بريق ثراء ريع بأس عرش حجب بسط سرعان عصام مراد طفيل نجاد رباح ملول
سيلفي كروز
"""

# Adjectives whose feminine the list has as a word of its own: المياه الباردة is بارد.
_WITH_FEMININE = """
آثم آجل بارد حثيث خاطئ خارق خلاب رافض رائع رشاش زائد سائب شاق شيق ضار ضال طارئ طريف عارم عجيب غاشم غريب فاحش فتاك فاره
كفيل لاحق ماس متاخم مجنح محاصر محتجز محرم مدمج مرخص مزمع مزور مساند مشابه مشع مشغل مصاحب معاكس معلب مقام ملزم مناهض
مهيمن موجه موسع ناسف نادر نشط نفاث نقال هام هدام وعر
"""

# Adjectives of four letters in ي that the list lacks: others that it lacks are names (ميسي, هاني).
_SHORT_ADJECTIVES = """
بحثي جهوي حتمي حوثي خدمي خلوي دامي راقي صخري غاني فئوي فطري قسري كشفي كلوي مظلي ورقي وضعي
"""

# Women whom the list files under the man: «رئيسة الوزراء» is a woman; but who types رئيس hears of her too.
_WOMEN = """
سفيرة وزيرة رئيسة مديرة مواطنة طالبة تلميذة طبيبة نائبة معلمة أستاذة شاعرة كاتبة فنانة مطربة لاعبة بطلة أميرة زعيمة
قائدة محامية قاضية ناشطة خبيرة مستشارة موظفة ممرضة باحثة راهبة مذيعة مخرجة مؤلفة متحدثة زميلة سجينة أسيرة
"""

# Nouns in ة that are more than the feminine of an adjective or a participle: محافظة is a province, محافظ its governor.
_NOUNS_IN_TA = """
آلية أصالة أغلبية أغنية أقلية أهمية إمبراطورية إمكانية اتفاقية بطولة بلدية بنية بوابة تحية تظاهرة جائزة جراحة جمعية
جمهورية جنسية حاجة حاضنة حافلة حالة حداثة حراسة حركة حرية خبرة خرافة خصوصية خلفية خلية خيانة دراجة دقيقة دورية ديانة
رؤية رحمة رصاصة رياضة زجاجة زيادة سعادة سمة شائعة شخصية شركة شعيرة صراحة ضحية طائرة عبادة عجلة عدالة عقلية عملية عينة
غارة غرابة غرامة فضيلة فعالية قابلية قراءة قرية قصاصة قضية قوة كلية كمية متابعة مجلة مجموعة محاضرة محافظة محاكمة محمية
مخاطرة مخالفة مدرسة مديرية مذكرة مراسلة مركبة مسؤولية مستعمرة مستوطنة مسرحية مسيرة مشاركة مشاهدة مشكلة مصالحة مضايقة
مطالبة معاملة معاهدة مقابلة مقاتلة مقاولة ملاحقة ممارسة مناسبة منافسة مناقشة منظمة منظومة موافقة موجة موقعة ميزانية
نظرية نفقة نقابة هدية هوية ورقة وصية
"""

# Under another lemma than the list has them: lemma: forms.
_REFILED = """
أول: أولى
بعد: أبعاد
ثاني: ثان
جد: أجداد
حارس: حراس
دقيقة: دقائق
ربح: أرباح
سؤال: سؤالا
عائد: عوائد
مشتري: مشتر مشترو مشترون مشترين
معتدي: معتد معتدو معتدون معتدين معتديا معتدية
معني: معنيين
مفتي: مفت مفتو مفتين مفتيا مفتيان
مولود: مواليد
ناجي: ناج
نادي: ناد ناديا ناديان ناديي ناديين أندية نوادي
ناشط: نشطاء
هرم: أهرام
"""

# Hardly ever meant, and spelled like a common word: أعدام, plural of «lack», like إعدام, execution; يومنا is «our day».
_NEVER_MEANT = """
أعدام أفشال أسلام أخفاء أجلاء أخلاء أسقاط أضراب أثبات أظهار أنجاب أدراك أتساع أطلاق أمارة بدور لدة مناص سوآء أسوآن جرآء
ألسنة يومنا بلدنا أهلنا شعبنا بيتنا عصرنا عيدنا هدفنا وقتنا عملنا وضعنا
"""

# Which of two words a spelling without its hamza is: اعلام is إعلام (media) rather than أعلام (flags).
_UNMARKED = """
إعلام إجراء إعدام إشراف إضراب إسلام إنصاف إطلاق إسقاط إثبات إدراك إخفاء إجلاء إخلاء إصدار إمداد أحياء أبطال أضرار
أخبار أشغال أشكال أحكام أرجاء أعمال أحداث أتباع أقدام أسرار أمن أمر أسرة أداء آخر آثار إغلاق إخراج إبداع إيمان إحراز
إدراج إشراك إشعار إجرام إعصار إبحار إلقاء إعفاء إحلال إخوان أفراد أرواح أمطار أطباق أنباء أرباح أقسام أهداف أعوام ألعاب
أخلاق أسر أمل
"""


def _lines(text: str) -> dict[str, tuple[str, ...]]:
    pairs = (line.split(":") for line in text.strip().splitlines())
    return {lemma: tuple(forms.split()) for lemma, forms in pairs}


ON_THEIR_OWN = frozenset(_ON_THEIR_OWN.split())
WITH_FEMININE = frozenset(_WITH_FEMININE.split())
SHORT_ADJECTIVES = frozenset(_SHORT_ADJECTIVES.split())
NOUNS_IN_TA = frozenset(_NOUNS_IN_TA.split())
WOMEN = frozenset(noun[:-1] + ending for noun in _WOMEN.split() for ending in ("ة", "ات", "تان", "تين"))
REFILED: Mapping[str, tuple[str, ...]] = _lines(_REFILED)
NEVER_MEANT = frozenset(_NEVER_MEANT.split())
UNMARKED = frozenset(_UNMARKED.split())
