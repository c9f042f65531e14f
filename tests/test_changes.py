"""What changed between two texts of an article, by hand and at random."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.changes import COMPARED, changes


def told(before: str, after: str) -> str:
    marks = {"kept": "{}", "removed": "[-{}-]", "added": "{{+{}+}}", "gap": "{}"}
    return " ".join(marks[one.kind].format(one.text) for one in changes(before, after))


def test_a_toll_that_grew() -> None:
    assert told("مقتل 4 أشخاص في حريق", "مقتل 7 أشخاص في حريق") == "مقتل [-4-] {+7+} أشخاص في حريق"


def test_words_far_from_a_change_are_left_out() -> None:
    same = "أعلنت الشرطة في بيان نشر صباح اليوم أن الطريق الساحلي أغلق ساعات"
    shown = "[-قبل-] {+بعد+} أعلنت الشرطة في بيان نشر … أن الطريق الساحلي أغلق ساعات [-قبل-] {+بعد+}"
    assert told(f"قبل {same} قبل", f"بعد {same} بعد") == shown
    assert told(f"{same} قبل", f"{same} بعد") == "… أن الطريق الساحلي أغلق ساعات [-قبل-] {+بعد+}"
    assert told(f"قبل {same}", f"بعد {same}") == "[-قبل-] {+بعد+} أعلنت الشرطة في بيان نشر …"


def test_a_paragraph_that_was_added() -> None:
    assert told("خبر أول", "خبر أول ثم تفصيل") == "خبر أول {+ثم تفصيل+}"
    assert told("", "خبر") == "{+خبر+}"
    assert told("خبر", "") == "[-خبر-]"


def test_other_space_between_the_same_words_is_no_change() -> None:
    assert changes("خبر  أول", " خبر\nأول") == []


def test_very_long_texts_are_replaced_whole_and_not_compared_for_minutes() -> None:
    before, after = (" ".join(f"{letter}{n}" for n in range(COMPARED + 1)) for letter in "اب")
    assert [one.kind for one in changes(before, after)] == ["removed", "added"]


WORDS = st.lists(st.sampled_from(["ا", "ب", "ت", "ث", "ج"]), max_size=40).map(" ".join)


@given(WORDS, WORDS)
def test_what_is_shown_is_in_the_texts_in_its_order(before: str, after: str) -> None:
    found = changes(before, after)
    assert (found == []) == (before == after)
    for other, text in (("added", before), ("removed", after)):
        at = 0
        for one in found:
            if one.kind in (other, "gap"):
                continue
            at = text.index(one.text, at) + len(one.text)
