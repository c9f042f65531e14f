"""The shape of rules.yaml as pydantic models: what may stand where, of which type, with its default and its meaning."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.model import RuleState, Severity
from monitor.yamlfile import Countries, Duration, Languages, Strict, Strings, quoted

KindName = Literal["name", "word"]


def _id(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(?:[-_][a-z0-9]+)*", value) or len(value) > 64:
        raise ValueError(f"{quoted(value)} is no id: use up to 64 small Latin letters, digits and -, like red-sea-2")
    return value


def _list_name(value: str) -> str:
    if not re.fullmatch(r"[\w-]+", value):
        raise ValueError(f"{quoted(value)} is no name for a list: use letters, digits, - and _ only")
    return value


def _both_names(value: object) -> object:
    return {"ar": value, "en": value} if isinstance(value, str) else value


def _upper_bound(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("should be longer than nothing: write it like 12h or 2d")
    return value


RuleId = Annotated[str, AfterValidator(_id)]
ListName = Annotated[str, AfterValidator(_list_name)]
Weight = Annotated[float, Field(ge=-100_000, le=100_000)]


class Name(Strict):
    """What a rule is called in messages. One of the two is enough."""

    ar: str = Field("", description="the name in Arabic messages")
    en: str = Field("", description="the name in English messages")


class Outlets(Strict):
    """Which outlets a rule looks at, by the ids of feeds.yaml."""

    include: Strings = Field((), description="only these outlets")
    exclude: Strings = Field((), description="all outlets but these")


class Examples(Strict):
    """Headlines that the rule must hit, and headlines that it must leave alone: the rule's tests."""

    match: Strings = Field((), description="headlines that the rule must hit")
    skip: Strings = Field((), description="headlines that the rule must not hit")


class RuleEntry(Strict):
    """One watch rule. It needs match, any, all or score; where several are given, all of them must hold."""

    id: RuleId = Field(description="a short unchanging name for commands and links, like red-sea-shipping")
    name: Annotated[Name, BeforeValidator(_both_names)] = Field(
        default_factory=lambda: Name(ar="", en=""), description="what messages call the rule"
    )
    match: str | None = Field(None, description="a query; docs/query-language.md explains its language")
    any_: Strings = Field((), alias="any", description="queries of which one must hold; bare words are a phrase")
    all_: Strings = Field((), alias="all", description="queries that must all hold; bare words are a phrase")
    none: Strings = Field((), description="queries none of which may hold; bare words are a phrase")
    score: dict[str, Weight] = Field({}, description="queries and what each adds when it holds; may be negative")
    threshold: float | None = Field(None, gt=0, le=1_000_000, description="the score from which on the rule hits")
    severity: Severity = Field(Severity.NORMAL, description="low arrives silently; high is not held by a cooldown")
    state: RuleState = Field(RuleState.ON, description="trial: hits are stored, nothing is sent. off: not matched")
    channels: Strings = Field((), description="names of channels.yaml; none: where its routes lead")
    cooldown: Duration = Field(
        timedelta(0), description="after an alert, further stories of the rule wait this long and come as one digest"
    )
    cooldown_high: bool = Field(False, description="true: severity high waits for the end of the cooldown too")
    max_per_hour: int = Field(
        0,
        ge=0,
        le=100_000,
        description="past so many alerts an hour the others wait and come as one digest; 0: no limit",
    )
    muted_by: Strings = Field((), description="rules; a story that one of them alerted does not alert this one")
    escalate: int = Field(
        0, ge=0, le=1000, description="once so many outlets carry a story it is raised to high and told again; 0: never"
    )
    languages: Languages = Field((), description="only articles in these languages (ar, en …)")
    outlets: Outlets = Field(
        default_factory=lambda: Outlets(include=(), exclude=()), description="which outlets the rule looks at"
    )
    countries: Countries = Field((), description="only outlets of these countries (SA, EG …)")
    min_outlets: int = Field(1, ge=1, le=1000, description="alert once so many outlets carry the story")
    developments: bool = Field(False, description="alert a story again when a number in its headlines changes (4 → 7)")
    max_age: Annotated[Duration, AfterValidator(_upper_bound)] | None = Field(
        None, description="articles published longer ago never alert; without it the feed's max_age counts"
    )
    tags: Strings = Field((), description="your own labels")
    examples: Examples = Field(
        default_factory=lambda: Examples(match=(), skip=()), description="headlines the rule must hit, and must not hit"
    )
    kinds: dict[str, KindName] = Field(
        {}, description="words to take as a name (no endings) or as a word, in this rule"
    )


class RuleFile(Strict):
    """A file of watch rules. Several files are read as one; term lists are shared by all."""

    terms: dict[ListName, Strings] = Field({}, description="lists of terms, used in any query as $name")
    kinds: dict[str, KindName] = Field({}, description="words to take as a name (no endings) or as a word, everywhere")
    rules: tuple[RuleEntry, ...] = Field((), description="the watch rules")


def json_schema() -> dict[str, object]:
    """The JSON Schema of a rule file, for editors that complete and check YAML."""
    schema: dict[str, Any] = RuleFile.model_json_schema()
    for model in (schema, *schema["$defs"].values()):
        for field in model.get("properties", {}).values():
            _one_or_many(field)
            if isinstance(field.get("additionalProperties"), dict):
                _one_or_many(field["additionalProperties"])
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Rasid watch rules"
    entry = schema["$defs"]["RuleEntry"]
    entry["anyOf"] = [{"required": [key]} for key in ("match", "any", "all", "score")]
    entry["dependentRequired"] = {"score": ["threshold"], "threshold": ["score"]}
    entry["properties"]["name"] = {
        "description": entry["properties"]["name"].get("description", ""),
        "anyOf": [{"$ref": "#/$defs/Name"}, {"type": "string"}],
    }
    return schema


def _one_or_many(field: dict[str, Any]) -> None:
    """A list of texts may be written as one text."""
    if field.get("type") == "array" and field.get("items") == {"type": "string"}:
        field["type"] = ["array", "string"]
