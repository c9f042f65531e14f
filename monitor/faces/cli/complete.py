"""What the shell offers when Tab is pressed: rules, outlets, feeds and channels as the configuration names them.

A configuration that cannot be read offers nothing; a shell is no place to tell its problems.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from monitor.delivery import channels as channel_file
from monitor.errors import RasidError
from monitor.feeds import catalog
from monitor.matching import rules as rule_file

Offer = tuple[str, str]


def rules(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Ids of rules, with their names."""
    try:
        paths = [path for path in (_folder(ctx) / "rules.yaml", _folder(ctx) / "rules") if path.exists()]
        found = rule_file.load(paths).rules if paths else ()
    except RasidError:
        return []
    return _beginning(((one.rule.id, one.rule.name_en) for one in found), incomplete)


def outlets(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Ids of outlets, with their names."""
    return _beginning(((one.id, one.name_en) for one in _catalog(ctx).outlets.values()), incomplete)


def feeds(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Ids of feeds, with their addresses."""
    return _beginning(((one.id, one.url) for one in _catalog(ctx).feeds), incomplete)


def channels(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """Names of channels, with their types."""
    try:
        found = channel_file.load(_folder(ctx) / "channels.yaml")
    except RasidError:
        return []
    return _beginning(((one.name, one.type) for one in found.values()), incomplete)


def _folder(ctx: typer.Context) -> Path:
    return Path(ctx.params.get("config") or "config")


def _catalog(ctx: typer.Context) -> catalog.Catalog:
    try:
        return catalog.load(_folder(ctx) / "feeds.yaml")
    except RasidError:
        return catalog.Catalog({}, ())


def _beginning(offers: Iterable[Offer], incomplete: str) -> list[Offer]:
    return [(name, about) for name, about in offers if name.startswith(incomplete)]
