"""`rasid rules`: list the watch rules, run their examples, look for doubts, print the schema for editors."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from monitor.faces.cli import complete, explained
from monitor.faces.cli.common import (
    AsJson,
    ConfigDir,
    dictionary,
    err,
    isolated,
    load_rules,
    out,
    print_json,
    print_table,
    told,
    unknown,
)
from monitor.faces.cli.expand import expand_term
from monitor.faces.cli.lint import lint_rules
from monitor.faces.cli.times import moment
from monitor.faces.cli.variants import name_variants
from monitor.matching import examples, schema
from monitor.matching.examples import ExampleResult
from monitor.matching.explain import Explanation
from monitor.matching.rules import RuleSet, WatchRule
from monitor.runtime import configuration, logs
from monitor.runtime.assembly import open_flow
from monitor.runtime.backfill import BackfillReport, backfill
from monitor.runtime.configuration import Configuration
from monitor.runtime.database import open_store
from monitor.store.connection import utc_now

app = typer.Typer(no_args_is_help=True)


app.command("expand")(expand_term)
app.command("lint")(lint_rules)
app.command("variants")(name_variants)


@app.command("list")
def list_rules(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """List the watch rules with their state, severity and channels.

    Examples: rasid rules list · rasid rules list --json
    """
    with told():
        found = load_rules(config)
    if as_json:
        print_json(
            [
                {
                    "id": one.rule.id,
                    "name": {"ar": one.rule.name_ar, "en": one.rule.name_en},
                    "state": one.rule.state,
                    "severity": one.rule.severity,
                    "channels": one.rule.channels,
                    "examples": {"match": len(one.matches), "skip": len(one.skips)},
                    "query": one.text,
                    "file": one.file,
                    "line": one.line,
                    "version": one.rule.version,
                }
                for one in found.rules
            ]
        )
        return
    print_table(
        ["rule", "name", "", "state", "severity", "channels", "examples"],
        [
            [
                one.rule.id,
                one.rule.name_en,
                isolated(one.rule.name_ar),
                one.rule.state,
                one.rule.severity,
                ", ".join(one.rule.channels) or "(default)",
                f"{len(one.matches)} match, {len(one.skips)} skip",
            ]
            for one in found.rules
        ],
    )


@app.command("test")
def test_rules(
    rule: Annotated[str | None, typer.Argument(autocompletion=complete.rules, help="Only this rule.")] = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Run the examples of the rules, and show of each that fails which terms decided; ends with 1 if one fails.

    Examples: rasid rules test · rasid rules test shahed-drones --json
    """
    with told():
        found = load_rules(config)
        if rule is not None and found.get(rule) is None:
            raise unknown("rule", rule, (one.rule.id for one in found.rules))
    chosen = [one for one in found.rules if rule in (None, one.rule.id)]
    results = examples.run(chosen, dictionary=dictionary())
    failed = [one for one in results if not one.passed]
    if as_json:
        print_json([_example_json(one, found) for one in results])
    else:
        for one in failed:
            _print_failure(one, found)
        sign = ("✗ ", "red") if failed else ("✓ ", "green")
        count = f"{len(results) - len(failed)} of {len(results)} examples of {len(chosen)} rules hold"
        out.print(Text.assemble(sign, count))
    raise typer.Exit(1 if failed else 0)


def _explained(result: ExampleResult, found: RuleSet) -> tuple[WatchRule, Explanation]:
    watch = found.get(result.rule_id)
    assert watch is not None, "the examples are those of the set"
    return watch, examples.explained(watch, result.text, dictionary=dictionary())


def _example_json(result: ExampleResult, found: RuleSet) -> dict[str, object]:
    made: dict[str, object] = {
        "rule": result.rule_id,
        "text": result.text,
        "expected": result.expected,
        "hit": result.hit,
        "passed": result.passed,
    }
    if not result.passed:
        _, explanation = _explained(result, found)
        made["lacks"] = explanation.lacks()
        made["query"] = explained.as_json(explanation.root)
    return made


def _print_failure(result: ExampleResult, found: RuleSet) -> None:
    """What was expected, the headline with the words that hit, and the terms that decided."""
    watch, explanation = _explained(result, found)
    what = "should be hit, was not" if result.expected else "should be skipped, was hit"
    place = (f"  {watch.file}:{watch.line}", "dim")
    out.print(Text.assemble(("✗ ", "red"), (result.rule_id, "bold"), f": {what}", place))
    body = explained.marked(result.text, result.spans, out)
    for line in explained.hanging(Text("  "), body, out):
        out.print(line)
    for lack in explanation.lacks():
        for line in explained.hanging(Text("    "), Text(lack, "yellow"), out):
            out.print(line)
    for line in explained.tree(explanation.root, watch.text, out):
        out.print(line)


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of rules.yaml, for editors that complete and check YAML.

    Example: rasid rules schema > rules.schema.json; then begin rules.yaml with the line
    # yaml-language-server: $schema=rules.schema.json
    """
    print_json(schema.json_schema())


@app.command("backfill")
def backfill_rule(
    rule: Annotated[str, typer.Argument(autocompletion=complete.rules, help="The rule's id.")],
    since: Annotated[str, typer.Option("--since", help="How far back: 7d, 12h, yesterday, 2026-11-20.")] = "7d",
    alert: Annotated[bool, typer.Option("--alert", help="Also alert, as digests, what was never alerted.")] = False,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Look for a rule's hits in the articles that are stored already. Alerts only with --alert.

    Example: rasid rules backfill shahed-drones --since 7d
    """
    with told():
        found = configuration.load(config)
        watch = found.rules.get(rule)
        if watch is None:
            raise unknown("rule", rule, (one.rule.id for one in found.rules.rules))
        settings = found.settings.settings
        begin = moment(since, settings.zone)
        logs.configure(settings.log.level, settings.log.format, found.secrets())  # so that none is among the JSON
        report = asyncio.run(_backfill(found, watch, begin, alert))
    if as_json:
        print_json(asdict(report))
    else:
        typer.echo(
            f"{report.looked} articles, {report.hits} new hits, {report.known} known already, {report.alerts} alerts"
        )


async def _backfill(found: Configuration, watch: WatchRule, since: datetime, alert: bool) -> BackfillReport:
    """Beside a running daemon: what is to be sent waits in the database for it."""
    with closing(open_store(found)) as store:
        total = store.count_since(since)
    columns = (TextColumn("looking"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total)
        async with open_flow(found, lock=False, primed=False) as (flow, _):
            return await flow.write(
                lambda: backfill(
                    flow,
                    watch,
                    since,
                    utc_now(),
                    alert=alert,
                    progress=lambda done: progress.update(task, completed=done),
                )
            )
