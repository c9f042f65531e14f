"""Every reason that a decision may carry, with the sentence that explains it, in English and in Arabic."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "new_story": "first hit of this rule in this story",
    "outlets_reached": "enough outlets now carry the story",
    "cooldown_over": "the rule's cooldown ended; released in a digest",
    "hour_over": "fewer than max_per_hour alerts of the rule in the last hour again; released in a digest",
    "escalated": "so many outlets carry the story that the rule raises it to high severity",
    "backfill": "found by backfill, with alerting asked for",
    "number_changed": "a number changed in a story that the rule alerted, and the rule asks to hear of that",
    "joined_story": "the rule already alerted this story",
    "cooldown": "the rule alerted recently; waits for the end of its cooldown",
    "number_waits": "a number changed, and the rule alerted recently or often; waits until it may alert again",
    "hour_full": "the rule alerted max_per_hour times within an hour; waits until it is fewer",
    "too_few_outlets": "waits until min_outlets outlets carry the story",
    "too_old": "published longer ago than max_age allows",
    "first_poll": "found on the first poll of its feed, which only marks what is already there",
    "trial": "the rule is on trial: hits are stored, nothing is sent",
    "rule_off": "the rule was turned off or removed while the hit was held",
    "backfill_silent": "found by backfill, which was not asked to alert",
    "outlets_missed": "fewer than min_outlets outlets carried the story for as long as it could grow",
    "split_off": "was told with another story before an analyst split them; too old to be told again",
    "silenced": "a silence was in force",
    "told_by_other": "a rule of muted_by alerted the story",
    "no_channel": "the rule names no channel that exists",
}

REASONS_AR: Mapping[str, str] = {
    "new_story": "أول إصابة لهذه القاعدة في هذه القصة",
    "outlets_reached": "بلغ عدد الوسائل الناقلة للقصة الحدَّ المطلوب",
    "cooldown_over": "انتهت مهلة التهدئة لهذه القاعدة؛ أُرسلت ضمن موجز",
    "hour_over": "عاد عدد تنبيهات القاعدة في الساعة الأخيرة إلى ما دون max_per_hour؛ أُرسلت ضمن موجز",
    "escalated": "اتسعت القصة حتى رفعتها القاعدة إلى أهمية عالية",
    "backfill": "وُجدت بالبحث في الأرشيف، وطُلب التنبيه",
    "number_changed": "تغيّر عدد في قصة نبّهت إليها القاعدة، وهي تطلب سماع ذلك",
    "joined_story": "سبق أن نبّهت القاعدة إلى هذه القصة",
    "cooldown": "نبّهت القاعدة قبل قليل؛ تنتظر نهاية مهلة التهدئة",
    "number_waits": "تغيّر عدد، والقاعدة نبّهت قبل قليل أو كثيرًا؛ ينتظر حتى يجوز لها التنبيه",
    "hour_full": "نبّهت القاعدة max_per_hour مرة خلال ساعة؛ تنتظر حتى يقلّ العدد",
    "too_few_outlets": "تنتظر حتى تنقل القصةَ وسائل بعدد min_outlets",
    "too_old": "نُشرت قبل أكثر مما يسمح به max_age",
    "first_poll": "وُجدت في القراءة الأولى للمصدر، وهي تكتفي بتسجيل ما فيه",
    "trial": "القاعدة قيد التجربة: تُحفظ الإصابات ولا يُرسل شيء",
    "rule_off": "أُوقفت القاعدة أو حُذفت أثناء انتظار الإصابة",
    "backfill_silent": "وُجدت بالبحث في الأرشيف دون طلب التنبيه",
    "outlets_missed": "لم يبلغ عدد الوسائل min_outlets طوال المدة التي كان يمكن للقصة أن تكبر فيها",
    "split_off": "أُرسلت مع قصة أخرى قبل أن يفصل المحلل بينهما؛ وهي أقدم من أن تُرسل ثانية",
    "silenced": "كان كتمٌ ساريًا",
    "told_by_other": "نبّهت إلى القصة قاعدة مذكورة في muted_by",
    "no_channel": "لا تسمّي القاعدة أي قناة موجودة",
}
