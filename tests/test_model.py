from datetime import UTC, datetime, timedelta

from monitor.errors import ConfigError, Problem
from monitor.model import Article


def test_a_future_date_is_clamped_to_first_seen() -> None:
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    article = Article("f", "o", "k", "", "", "عنوان", "", "", "", (), "ar", seen + timedelta(days=1), seen, "h")
    assert article.when == seen


def test_a_config_error_prints_every_problem_in_file_order() -> None:
    error = ConfigError([Problem("r.yaml", 9, 1, "b", "two"), Problem("r.yaml", 2, 3, "a", "one")])
    assert str(error) == "r.yaml:2:3: a: one\nr.yaml:9:1: b: two"
