"""YAML → watch rules, or every problem of every file at once, each with its line and column, also inside a query.

Several files are one set: their term lists are shared, and no rule id may occur twice.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor import yamlfile
from monitor.arabic.normalise import fold, soft
from monitor.errors import ConfigError, Problem
from monitor.matching.assemble import Composed, Kinds, Parts, Reading, TermLists
from monitor.matching.lexer import pieces
from monitor.matching.query import show
from monitor.matching.schema import KindName, RuleEntry, RuleFile
from monitor.matching.tree import Node, Phrase, Term
from monitor.matching.uncollected import uncollected
from monitor.matching.walk import rebuild, walk
from monitor.model import Rule, Severity
from monitor.yamlfile import Document

__all__ = ["RuleSet", "WatchRule", "load"]


Mark = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WatchRule:
    """A rule with its query. text is the query as written, which the places of query's nodes are places of."""

    rule: Rule
    query: Node
    text: str
    matches: tuple[str, ...]  # examples that the query must hold for
    skips: tuple[str, ...]  # examples that it must not hold for
    file: str
    line: int
    parts: Parts = ()
    kinds: Kinds = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TermList:
    """A term list as one query, the fields as of WatchRule."""

    name: str
    query: Node
    text: str
    file: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class FileRead:
    """What a file said that holds rules only; mark tells one state of the file from another."""

    mark: Mark
    rules: tuple[WatchRule, ...]
    warnings: tuple[Problem, ...]


Kept = Mapping[pathlib.Path, FileRead]


@dataclass(frozen=True)
class RuleSet:
    """All rules of all files, in the order written. warnings: what is accepted and should be known.

    lists: the term lists of all files by name; kinds: those of the top of the files. files: those that a later `load`
    need not read again.
    """

    rules: tuple[WatchRule, ...]
    warnings: tuple[Problem, ...] = ()
    lists: Mapping[str, TermList] = field(default_factory=dict)
    kinds: Kinds = field(default_factory=dict)
    files: Mapping[pathlib.Path, FileRead] = field(default_factory=dict, repr=False)

    def get(self, rule_id: str) -> WatchRule | None:
        """The rule of that id, or None."""
        return next((one for one in self.rules if one.rule.id == rule_id), None)


@uncollected()
def load(paths: Sequence[pathlib.Path], before: RuleSet | None = None) -> RuleSet:
    """The rules of all files (of a folder: its *.yaml and *.yml); ConfigError with every problem of every file.

    before: the rules as loaded earlier. A file that did not change since is not read again, as long as the term lists
    and kinds, which all files share, are still the same.
    """
    marks = {file: _mark(file) for path in paths for file in _files(path)}
    kept = {file: one for file, one in (before.files if before else {}).items() if marks.get(file) == one.mark}
    if before and kept:
        with contextlib.suppress(ConfigError):  # then all files are read, for all their problems
            found = _load(paths, marks, kept)
            if (found.lists, found.kinds) == (before.lists, before.kinds):
                return found
    return _load(paths, marks, {})


def _load(paths: Sequence[pathlib.Path], marks: Mapping[pathlib.Path, Mark], kept: Kept) -> RuleSet:
    reading = Reading()
    documents = _documents([file for file in marks if file not in kept], reading)
    lists = TermLists(list(documents.values()), reading)
    entries = {file: _entries(document, lists, reading) for file, document in documents.items()}
    _refuse_twice(documents.values(), kept, reading)
    models = {file: _validated(document, reading) for file, document in documents.items()}
    _refuse_long_kinds(documents.values(), reading)
    if reading.errors:
        raise ConfigError(reading.errors)
    shared: Kinds = {}
    for model in models.values():
        shared |= _kinds(model.kinds if model else {})
    read = dict(kept)
    for file, document in documents.items():
        model = models[file]
        assert model is not None, "a file without a model has errors"
        rules = _rules(document, model, entries[file], shared, reading)
        warnings = tuple(one for one in reading.warnings if one.file == document.path)
        read[file] = FileRead(marks[file], rules, warnings)
    alone = {file for file, document in documents.items() if _keys(document) <= {"rules"}}
    return RuleSet(
        tuple(rule for file in marks for rule in read[file].rules),
        tuple(sorted([warning for one in read.values() for warning in one.warnings] + _nothing(paths, read))),
        _term_lists(lists, shared),
        shared,
        {file: one for file, one in read.items() if file in alone or file in kept},
    )


def _nothing(paths: Sequence[pathlib.Path], read: Kept) -> list[Problem]:
    """The warning that there are no rules, where there are none."""
    if any(one.rules for one in read.values()):
        return []
    names = ", ".join(map(str, paths)) or "rules"
    return [Problem(names, 0, 0, "rules", "there are no rules: nothing will be watched", "warning")]


def _keys(document: Document) -> set[str]:
    return set(document.data) if isinstance(document.data, dict) else set()


def _mark(file: pathlib.Path) -> Mark:
    """What tells one state of a file from another; none where it is not there."""
    try:
        state = file.stat()
    except OSError:
        return ()
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _rules(
    document: Document, model: RuleFile, composed: Sequence[Composed | None], shared: Kinds, reading: Reading
) -> tuple[WatchRule, ...]:
    rules: list[WatchRule] = []
    for index, (entry, query) in enumerate(zip(model.rules, composed, strict=True)):
        assert query is not None, "a rule without a query has errors"
        at: yamlfile.Path = ("rules", index)
        rules.append(_rule(document, at, entry, query, shared))
        reading.warnings += _idle_kinds(document, at, entry, rules[-1].query)
        reading.warnings += _idle_controls(document, at, entry)
    return tuple(rules)


def _term_lists(lists: TermLists, kinds: Kinds) -> dict[str, TermList]:
    found = {}
    for name in lists.names:
        file, composed = lists.composed(name)
        found[name] = TermList(name, with_kinds(composed.query, kinds), composed.text, file, composed.parts)
    return found


def _documents(files: Sequence[pathlib.Path], reading: Reading) -> dict[pathlib.Path, Document]:
    found: dict[pathlib.Path, Document] = {}
    for path in files:
        try:
            found[path] = yamlfile.read(path)
        except ConfigError as error:
            reading.errors += error.problems
    return found


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml") and file.is_file())
    return [path]


def _validated(document: Document, reading: Reading) -> RuleFile | None:
    """The file as a model; its problems are noted unless the place has a more telling one already."""
    try:
        return yamlfile.validate(document, RuleFile)
    except ConfigError as error:
        told = {(one.file, one.where) for one in reading.errors}
        reading.errors += [one for one in error.problems if (one.file, one.where) not in told]
        return None


def _raw_rules(document: Document) -> list[object]:
    rules = document.data.get("rules") if isinstance(document.data, dict) else None
    return rules if isinstance(rules, list) else []


def _entries(document: Document, lists: TermLists, reading: Reading) -> list[Composed | None]:
    """The query of every rule, None where it has problems. Read before the model, so that all problems show."""
    found: list[Composed | None] = []
    for index, raw in enumerate(_raw_rules(document)):
        composed = None
        if isinstance(raw, dict):
            composed = lists.compose(document, ("rules", index), raw)
        found.append(composed)
    return found


def _refuse_twice(documents: Iterable[Document], kept: Kept, reading: Reading) -> None:
    first = {rule.rule.id: f"{rule.file}:{rule.line}" for read in kept.values() for rule in read.rules}
    for document in documents:
        for index, raw in enumerate(_raw_rules(document)):
            rule_id = raw.get("id") if isinstance(raw, dict) else None
            if not isinstance(rule_id, str) or not rule_id:
                continue
            at = ("rules", index, "id")
            line, _ = document.place(at)
            if rule_id in first:
                what = f"the id {rule_id} is taken (first in {first[rule_id]}): give each rule its own"
                reading.errors.append(document.problem(at, what))
            else:
                first[rule_id] = f"{document.path}:{line}"


def _refuse_long_kinds(documents: Iterable[Document], reading: Reading) -> None:
    """Note every key of `kinds`, at the top or in a rule, that is more than one word."""
    for document in documents:
        top = document.data if isinstance(document.data, dict) else {}
        places: list[tuple[yamlfile.Path, object]] = [(("kinds",), top.get("kinds"))]
        for index, raw in enumerate(_raw_rules(document)):
            places.append((("rules", index, "kinds"), raw.get("kinds") if isinstance(raw, dict) else None))
        for at, kinds in places:
            for word in kinds if isinstance(kinds, dict) else ():
                if len(pieces(str(word))) != 1:
                    what = "a kind is given to single words"
                    reading.errors.append(document.problem((*at, str(word)), what, key=True))


def _kinds(written: Mapping[str, KindName]) -> Kinds:
    return {fold(soft(word)): kind for word, kind in written.items()}


def _idle_kinds(document: Document, at: yamlfile.Path, entry: RuleEntry, query: Node) -> list[Problem]:
    """Warnings about kinds that the rule gives to words it does not look for."""
    used = {fold(soft(term.text)) for term in _terms(query)}
    what = "does not stand in the rule's query, so its kind changes nothing"
    idle = [word for word in entry.kinds if fold(soft(word)) not in used]
    return [document.problem((*at, "kinds", word), what, severity="warning", key=True) for word in idle]


def _idle_controls(document: Document, at: yamlfile.Path, entry: RuleEntry) -> list[Problem]:
    """Warnings about controls that change nothing beside what else the rule says."""
    high = entry.severity is Severity.HIGH
    idle = [
        ("escalate", bool(entry.escalate) and high, "changes nothing: the rule's severity is high already"),
        ("max_per_hour", bool(entry.max_per_hour) and high, "changes nothing: severity high passes it"),
        (
            "cooldown_high",
            entry.cooldown_high and not (entry.cooldown and (high or entry.escalate)),
            "changes nothing without a cooldown, and severity high or escalate",
        ),
    ]
    return [document.problem((*at, key), what, severity="warning", key=True) for key, wrong, what in idle if wrong]


def _rule(document: Document, at: yamlfile.Path, entry: RuleEntry, composed: Composed, shared: Kinds) -> WatchRule:
    kinds = shared | _kinds(entry.kinds)
    query = with_kinds(composed.query, kinds)
    line, _ = document.place(at)
    names = entry.name
    rule = Rule(
        id=entry.id,
        name_ar=names.ar or names.en or entry.id,
        name_en=names.en or names.ar or entry.id,
        severity=entry.severity,
        state=entry.state,
        channels=entry.channels,
        cooldown=entry.cooldown,
        cooldown_high=entry.cooldown_high,
        max_per_hour=entry.max_per_hour,
        muted_by=entry.muted_by,
        escalate=entry.escalate,
        languages=entry.languages,
        outlets_include=entry.outlets.include,
        outlets_exclude=entry.outlets.exclude,
        countries=entry.countries,
        min_outlets=entry.min_outlets,
        developments=entry.developments,
        max_age=entry.max_age,
        tags=entry.tags,
    )
    rule = dataclasses.replace(rule, version=_version(rule, query))
    examples = entry.examples
    return WatchRule(
        rule, query, composed.text, examples.match, examples.skip, document.path, line, composed.parts, kinds
    )


def _terms(query: Node) -> list[Term]:
    terms: list[Term] = []
    for node in walk(query):
        if isinstance(node, Phrase):
            terms += node.words
        elif isinstance(node, Term):
            terms.append(node)
    return terms


def with_kinds(query: Node, kinds: Kinds) -> Node:
    """The query with each word of the kind that is said of it."""

    def change(node: Node) -> Node:
        if isinstance(node, Term) and node.mode in ("word", "verb", "loose"):
            kind = kinds.get(fold(soft(node.text)))
            return dataclasses.replace(node, kind=kind) if kind else node
        return node

    return rebuild(query, change) if kinds else query


def _version(rule: Rule, query: Node) -> str:
    """Equal for rules that say the same, however they are laid out; examples and comments do not count."""
    says = {name: str(getattr(rule, name)) for name in sorted(Rule.__dataclass_fields__) if name != "version"}
    says["query"] = show(query)
    says["kinds"] = " ".join(f"{term.text}={term.kind}" for term in _terms(query) if term.kind != "auto")
    return hashlib.sha256(json.dumps(says, sort_keys=True).encode()).hexdigest()[:12]
