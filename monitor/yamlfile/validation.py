"""A Document as an instance of a pydantic model, or every problem in words, each with its place."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from monitor.errors import ConfigError, Problem
from monitor.yamlfile.document import Document, Path
from monitor.yamlfile.kinds import quoted

M = TypeVar("M", bound=BaseModel)


def validate(document: Document, model: type[M]) -> M:
    """The document as an instance of model; ConfigError with the place of every problem, and near misses of keys."""
    data: object = copy.deepcopy(document.data)
    if data == "":
        data = {}
    for _ in range(20):  # each round takes empty values out; a value can only become empty once per level
        try:
            return model.model_validate(data)
        except ValidationError as error:
            if not _drop_empty(document, data, error):
                raise ConfigError(problems_of(document, model, error)) from None
    raise AssertionError("unreachable: every round removes a value")


def _drop_empty(document: Document, data: object, error: ValidationError) -> bool:
    """Whether plain empty values (`interval:`) were among the errors' causes, and were taken out of data."""
    dropped = False
    for found in error.errors(include_url=False, include_context=False):
        at = _place_of(data, found["loc"])
        if found["input"] != "" or not at or document.style(at) or isinstance(at[-1], int):
            continue
        parent = _get(data, at[:-1])
        if isinstance(parent, dict) and parent.get(str(at[-1])) == "":
            del parent[str(at[-1])]
            dropped = True
    return dropped


def problems_of(document: Document, model: type[BaseModel], error: ValidationError) -> list[Problem]:
    """The problems in a pydantic error, in our words; those of one value that fits no branch of a union are joined."""
    found: dict[tuple[Path, bool], list[str]] = {}
    for one in error.errors(include_url=False):
        at = _place_of(document.data, one["loc"])
        kind = one["type"]
        if kind in ("missing", "extra_forbidden"):
            at = (*at, one["loc"][-1]) if kind == "missing" else at
        words = _unknown_key(model, at) if kind == "extra_forbidden" else _words(dict(one), document, at)
        found.setdefault((at, kind == "extra_forbidden"), []).append(words)
    deepest = {at for at, _ in found}
    problems = []
    for (at, key), several in found.items():
        if len(several) > 1 and any(len(other) > len(at) and other[: len(at)] == at for other in deepest):
            continue  # another branch of the union came further: its problem is the telling one
        problems.append(document.problem(at, " or ".join(dict.fromkeys(several)), key=key))
    return problems


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one probably means, or None."""
    by_fold = {name.lower().replace("-", "_"): name for name in known}
    close = difflib.get_close_matches(word.lower().replace("-", "_"), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def _unknown_key(model: type[BaseModel], at: Path) -> str:
    inner = _model_at(model, at[:-1])
    known = [field.alias or name for name, field in inner.model_fields.items()] if inner else []
    if guess := near(str(at[-1]), known):
        return f"there is no such key: did you mean {guess}?"
    return f"there is no such key: known here are {', '.join(known)}" if known else "there is no such key"


def _model_at(annotation: Any, at: Path) -> type[BaseModel] | None:
    """The model that describes the mapping at `at`, looked up through lists, dicts and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not at:
            return annotation
        for name, one in annotation.model_fields.items():
            if at[0] in (name, one.alias):
                return _model_at(one.annotation, at[1:])
        return None
    origin = getattr(annotation, "__origin__", None)
    arguments = get_args(annotation)
    steps = isinstance(origin, type) and issubclass(origin, (list, tuple, dict, Mapping))
    if steps:
        return _model_at(arguments[-1] if arguments[-1] is not Ellipsis else arguments[0], at[1:]) if at else None
    for argument in arguments:
        if inner := _model_at(argument, at):
            return inner
    return None


def _place_of(data: Any, loc: tuple[int | str, ...]) -> Path:
    """The part of a pydantic location that exists in data; names of union branches are passed over."""
    at: list[str | int] = []
    for part in loc:
        within = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if within or (isinstance(data, dict) and part in data):
            at.append(part)
            data = data[part]
    return tuple(at)


def _get(data: Any, at: Path) -> object:
    for part in at:
        data = data[part]
    return data


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value == "" else quoted(value)


_WANTED = {
    "string_type": "text",
    "list_type": "a list, each entry on a line that starts with -",
    "tuple_type": "a list, each entry on a line that starts with -",
    "dict_type": "lines of `key: value`",
    "mapping_type": "lines of `key: value`",
    "model_type": "lines of `key: value`",
    "model_attributes_type": "lines of `key: value`",
    "dataclass_type": "lines of `key: value`",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
}
_LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def _words(one: dict[str, Any], document: Document, at: Path) -> str:
    kind, value, context = one["type"], one["input"], one.get("ctx", {})
    if kind == "missing":
        comment = document.comment_after(at)
        if comment:
            return f"is empty, because YAML takes {quoted(comment)} for a comment: wrap the text in '…'"
        return "is required"
    if kind in _WANTED:
        return f"should be {_WANTED[kind]}; here is {_shape(value)}"
    if kind in _LIMITS:
        key, words = _LIMITS[kind]
        return f"should be {words} {context[key]}; here is {_shape(value)}"
    if kind in ("literal_error", "enum"):
        return _choice(str(value), str(context.get("expected", "")))
    if kind == "string_pattern_mismatch":
        return f"{quoted(value)} does not have the form {context['pattern']}"
    if kind in ("too_short", "string_too_short"):
        return f"should have at least {context['min_length']} entries" if kind == "too_short" else "should not be empty"
    if kind in ("too_long", "string_too_long"):
        return f"is too long: at most {context['max_length']}"
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    return str(one["msg"])


def _choice(value: str, expected: str) -> str:
    known = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    guess = near(value, known)
    return f"{quoted(value)} is not one of {', '.join(known)}" + (f": did you mean {guess}?" if guess else "")
