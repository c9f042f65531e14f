import csv
from collections import Counter
from pathlib import Path

import pytest

from monitor.runtime import configuration
from monitor.runtime.configuration import Configuration
from monitor.runtime.lint import lint
from monitor.runtime.words import dictionary

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config"
OUTLETS = ROOT.parent / "shared" / "data" / "outlets.csv"


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return configuration.load(CONFIG, {"TZ": "UTC"})


def test_the_shipped_files_have_no_problems_and_no_warnings(shipped: Configuration) -> None:
    assert [str(one) for one in shipped.warnings if not one.file.endswith(".env")] == []


def test_no_shipped_rule_hardly_does_what_it_should(shipped: Configuration) -> None:
    report = lint(shipped.rules, dictionary(print))
    assert [str(one.problem) for one in report.findings if not one.hint] == []


def test_at_least_forty_arabic_feeds_of_ten_countries_are_polled(shipped: Configuration) -> None:
    polled = [feed for feed in shipped.catalog.feeds if feed.enabled]
    assert len(polled) >= 40
    assert all(feed.language == "ar" for feed in polled)
    assert len({feed.outlet.country for feed in polled}) >= 10


def test_every_outlet_has_both_names_country_and_language(shipped: Configuration) -> None:
    for outlet in shipped.catalog.outlets.values():
        assert any("\u0600" <= letter <= "\u06ff" for letter in outlet.name_ar), outlet.id
        assert outlet.name_en.isascii(), outlet.id
        assert len(outlet.country) == 2
        assert outlet.language
    names = Counter(outlet.name_ar for outlet in shipped.catalog.outlets.values())
    assert names.most_common(1)[0][1] == 1


def test_the_default_channel_is_on_telegram_and_a_console_stands_beside_it(shipped: Configuration) -> None:
    assert [(one.name, one.type) for one in shipped.channels.values()] == [("main", "telegram"), ("console", "console")]


def test_the_commented_defaults_of_rasid_yaml_are_the_defaults(tmp_path: Path) -> None:
    lines = []
    for line in (CONFIG / "rasid.yaml").read_text(encoding="utf-8").splitlines():
        bare = line.removeprefix("# ") if line.startswith("# ") else ""
        key = bare.strip().partition(":")[0]
        if ":" in bare and key.replace("_", "").isalpha() and key.islower() and key != "timezone":
            lines.append(bare)
    (tmp_path / "rasid.yaml").write_text("\n".join(lines), encoding="utf-8")
    from monitor import settings

    found = settings.load(tmp_path, {"TZ": "UTC"})
    plain = settings.load(CONFIG, {"TZ": "UTC"})
    assert sum(origin.startswith("rasid.yaml") for origin in found.origins.values()) >= 20
    assert found.settings.model_copy(update={"database": None}) == plain.settings.model_copy(update={"database": None})


def test_shipped_feeds_have_a_good_grade_in_the_survey(shipped: Configuration) -> None:
    if not OUTLETS.exists():
        pytest.skip("the survey of outlets (../shared/data/outlets.csv) is not here")
    with OUTLETS.open(encoding="utf-8", newline="") as file:
        grades = {row["feed_url"]: row["grade"] for row in csv.DictReader(file)}
    assert {feed.url: grades.get(feed.url) for feed in shipped.catalog.feeds}.items() <= {
        url: grade for url, grade in grades.items() if grade in ("A", "A*", "B+", "B")
    }.items()
