"""`rasid rules lint`: what is doubtful about the rules, and what they would hit in the stored articles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from monitor.errors import Problem, RasidError
from monitor.faces.cli.common import AsJson, ConfigDir, dictionary, err, out, print_json, print_table, rule_files, told
from monitor.faces.cli.stored import stored
from monitor.feeds import catalog
from monitor.matching import rules as rule_file
from monitor.model import Outlet
from monitor.runtime.lint import Archive, Finding, Report, in_order, lint

Since = Annotated[str, typer.Option("--since", help="Stored articles to count in: 30d, 12h, 2026-11-20.")]


def lint_rules(config: ConfigDir = Path("config"), since: Since = "30d", as_json: AsJson = False) -> None:
    """Say what is doubtful about the rules: too broad, never true, covered by another term, ambiguous alone …

    Where articles are stored already, also what each rule would hit among them. Ends with 1 if a rule hardly does what
    it should, with 0 if there are hints at most. Example: rasid rules lint --since 7d
    """
    with told():
        found = rule_file.load(rule_files(config))
    with stored(config, since, "counting") as there:
        archive = Archive(there.store, there.since, _outlets(config), there.progress) if there else None
        report = lint(found, dictionary(), archive)
    warnings = [Finding(problem, "check") for problem in found.warnings]
    findings = in_order((*warnings, *report.findings))
    wrong = [one for one in findings if not one.hint]
    if as_json:
        print_json(_json(findings, report))
    else:
        _print(findings, report)
        count = f"{len(wrong)} doubts, {len(findings) - len(wrong)} hints in {len(found.rules)} rules"
        out.print(Text.assemble(("✗ ", "red") if wrong else ("✓ ", "green"), count))
    raise typer.Exit(1 if wrong else 0)


def _print(findings: list[Finding], report: Report) -> None:
    for one in findings:
        problem = one.problem
        place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
        sign = ("· ", "dim") if one.hint else ("! ", "yellow")
        out.print(Text.assemble(sign, (f"{place}: ", "dim"), (problem.where, "bold"), ": ", problem.what))
    if report.counted and report.counted.articles:
        articles = report.counted.articles
        rows = [[rule, f"{hits:,}", f"{hits / articles:.2%}"] for rule, hits in report.counted.hits.items()]
        print_table(["rule", f"would hit of {articles:,}", ""], rows)
    else:
        err.print("[dim]no articles are stored yet, so nothing was counted[/dim]")


def _json(findings: list[Finding], report: Report) -> dict[str, object]:
    return {
        "findings": [_finding_json(one, one.problem) for one in findings],
        "articles": report.counted.articles if report.counted else 0,
        "hits": dict(report.counted.hits) if report.counted else {},
    }


def _finding_json(one: Finding, problem: Problem) -> dict[str, object]:
    return {
        "code": one.code,
        "hint": one.hint,
        "rule": one.rule,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "where": problem.where,
        "what": problem.what,
        "articles": one.articles,
    }


def _outlets(config: Path) -> dict[str, Outlet]:
    """What rules that ask for a country are told by; nothing where the feeds cannot be read."""
    try:
        return dict(catalog.load(config / "feeds.yaml").outlets)
    except RasidError:
        return {}
