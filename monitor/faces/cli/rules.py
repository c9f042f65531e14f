"""`rasid rules`: list the watch rules, run their examples, print the schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.faces.cli.common import AsJson, ConfigDir, err, load_rules, out, print_json, print_table, told
from monitor.matching import examples, schema

app = typer.Typer(no_args_is_help=True, help="Watch rules: list them, run their examples, schema for editors.")


@app.command("list")
def list_rules(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """List the watch rules with their state, severity and channels."""
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
                one.rule.name_ar,
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
    rule: Annotated[str | None, typer.Argument(help="Only this rule.")] = None,
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Run the examples of the rules; ends with 1 if one fails."""
    with told():
        found = load_rules(config)
    chosen = [one for one in found.rules if rule in (None, one.rule.id)]
    if not chosen:
        err.print(f"[red]✗[/red] no rule has the id {rule}; `rasid rules list` names them")
        raise typer.Exit(2)
    results = examples.run(chosen)
    failed = [one for one in results if not one.passed]
    if as_json:
        print_json(
            [
                {"rule": one.rule_id, "text": one.text, "expected": one.expected, "hit": one.hit, "passed": one.passed}
                for one in results
            ]
        )
    else:
        for one in failed:
            what = "should be hit, was not" if one.expected else "should be skipped, was hit"
            words = ", ".join(dict.fromkeys(one.text[span.start : span.end] for span in one.spans))
            typer.echo(f"✗ {one.rule_id}: {what}{f' by «{words}»' if words else ''}: {one.text}")
        mark = "[red]✗[/red]" if failed else "[green]✓[/green]"
        out.print(f"{mark} {len(results) - len(failed)} of {len(results)} examples of {len(chosen)} rules hold")
    raise typer.Exit(1 if failed else 0)


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of rules.yaml, for editors that complete and check YAML."""
    print_json(schema.json_schema())
