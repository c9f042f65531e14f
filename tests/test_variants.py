"""`rasid rules variants`: how the stored articles spell a name."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.errors import RasidError
from monitor.matching.variants import Variant, Variants
from monitor.model import Article, Placement
from monitor.store.store import Store
from tests.command import rasid
from tests.small_dictionary import SMALL

NOW = datetime.now(UTC) - timedelta(hours=1)
ARTICLE = Article("f", "o", "k", "", "", "عنوان", "", "", "", (), "ar", None, NOW, "h")
TEXTS = [
    "التقى نتنياهو الوفد، وقال نتنياهو إن لنتانياهو خطة",
    "نتانياهو ونتانياهو، ثم نتياهو مرة ونتياهو أخرى",
    "حرب كاراباخ وبقره باغ هدنة، وفي قراباغ عملية",
]


def read(name: str) -> list[Variant]:
    variants = Variants(name, SMALL)
    for text in TEXTS:
        variants.read(replace(ARTICLE, body=text))
    return variants.spellings()


def test_spellings_are_counted_without_proclitics_and_those_not_found_are_suggested() -> None:
    assert read("نتنياهو") == [
        Variant("نتانياهو", 3, found=True, typed=False),
        Variant("نتنياهو", 2, found=True, typed=True),
        Variant("نتياهو", 2, found=False, typed=False),
    ]


def test_a_name_of_several_words_has_its_alternates() -> None:
    found = {one.spelling: (one.count, one.found, one.typed) for one in read("قره باغ")}
    assert found == {"كاراباخ": (1, True, False), "قراباغ": (1, True, False), "قره باغ": (1, True, True)}


def test_common_words_and_single_mistakes_are_not_suggested() -> None:
    variants = Variants("نتنياهو", SMALL)
    variants.read(replace(ARTICLE, body="نتنياه وتنياهو وعمليات وصواريخ"))
    assert variants.spellings() == []


def test_what_has_no_letter_is_no_name() -> None:
    with pytest.raises(RasidError, match="no name in «!»"):
        Variants("!")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    return tmp_path


def test_the_archive_is_asked(folder: Path, store_url: str) -> None:
    store = Store.open(store_url, owner="test")
    with store.intake(NOW) as tx:
        for number, text in enumerate(TEXTS):
            one = replace(ARTICLE, key=str(number), body=text, canonical_url=f"https://e.org/{number}")
            tx.add_article(one, tx.open_story(NOW), Placement(None, "new"), False)
    store.close()
    environ = {"RASID_DATABASE__URL": store_url}
    done = rasid(folder, "rules", "variants", "نتنياهو", "--json", environ=environ)
    told = json.loads(done.stdout)
    assert (done.returncode, told["name"], told["articles"]) == (0, "نتنياهو", 3)
    assert [(one["spelling"], one["count"], one["found"]) for one in told["spellings"]] == [
        ("نتانياهو", 3, True),
        ("نتنياهو", 2, True),
        ("نتياهو", 2, False),
    ]
    done = rasid(folder, "rules", "variants", "نتنياهو", "--limit", "0", environ=environ)
    assert [line.split("\t")[1:] for line in done.stdout.splitlines()] == [["3", "~ finds it"], ["2", "as typed"]]
    done = rasid(folder, "rules", "variants", "زيلينسكي", environ=environ)
    assert (done.returncode, "occurs in 3 articles" in done.stderr) == (1, True)


def test_an_empty_archive_is_told_in_words(folder: Path) -> None:
    done = rasid(folder, "rules", "variants", "نتنياهو", environ={})
    assert (done.returncode, "no articles are stored yet" in done.stderr) == (1, True)
    assert not (folder / "data").exists()
