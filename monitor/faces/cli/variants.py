"""`rasid rules variants`: how the stored articles spell a name, and which of its spellings `~` finds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from monitor.faces.cli.common import AsJson, ConfigDir, dictionary, err, isolated, print_json, print_table, told
from monitor.faces.cli.stored import stored
from monitor.matching.variants import Variant, Variants


def name_variants(
    name: Annotated[str, typer.Argument(help="A name, of one word or several.")],
    since: Annotated[str, typer.Option("--since", help="Only articles of 30d, 12h, since 2026-11-20.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many spellings that ~ does not find.")] = 20,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Suggest how a name is spelled, from the stored articles, with counts.

    What ~ finds is marked; of the others take into a list of terms what is the same name, and leave the rest. Ends with
    1 where nothing like it occurs. Examples: rasid rules variants نتنياهو · rasid rules variants "قره باغ" --json
    """
    with told():
        variants = Variants(name, dictionary())
    read = 0
    with stored(config, since, "reading") as archive:
        for article in archive.articles() if archive else ():
            variants.read(article)
            read += 1
    found = variants.spellings(limit)
    if as_json:
        print_json({"name": name, "articles": read, "spellings": [asdict(one) for one in found]})
    elif not read:
        err.print("no articles are stored yet, so there is nothing to look at: `rasid run` collects them")
    elif not found:
        err.print(f"nothing like {isolated(name)} occurs in {read:,} articles")
    else:
        print_table(["spelling", "times", f"of {read:,} articles"], [_row(one) for one in found])
    raise typer.Exit(0 if found else 1)


def _row(one: Variant) -> list[str]:
    how = "as typed" if one.typed else "~ finds it" if one.found else "not found: is it the same name?"
    return [isolated(one.spelling), f"{one.count:,}", how]
