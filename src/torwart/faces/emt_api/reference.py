"""The description (OpenAPI) as people read it: every operation and every type, without scripts from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from torwart.faces.emt_api.api import api


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter or a member of a body. ``kind``: its type in words; ``refers``: the type among ours, or nothing."""

    name: str
    place: str
    required: bool
    kind: str
    refers: str
    words: str


@dataclass(frozen=True, slots=True)
class Call:
    """One operation. ``answers``: (status, words, type among ours or nothing)."""

    name: str
    method: str
    path: str
    summary: str
    words: str
    parameters: tuple[Member, ...]
    body: str
    answers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of bodies."""

    name: str
    words: str
    members: tuple[Member, ...]


@cache
def reference() -> tuple[tuple[Call, ...], tuple[Kind, ...]]:
    """All operations in the order of their addresses, and all types they name, by name."""
    document = api.get_openapi_schema()
    calls = [
        _call(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()
    ]
    found = document["components"]["schemas"].items()
    kinds = [Kind(name, each.get("description", ""), _members(each)) for name, each in sorted(found)]
    return tuple(sorted(calls, key=lambda call: call.path)), tuple(each for each in kinds if each.members)


def _call(path: str, method: str, operation: Mapping[str, Any]) -> Call:
    parameters = tuple(
        _member(each["name"], each["schema"], place=each["in"], required=each.get("required", False), whole=each)
        for each in operation.get("parameters", ())
    )
    answers = tuple(
        (status, answer["description"], _refers(_content(answer)))
        for status, answer in sorted(operation["responses"].items())
    )
    return Call(
        operation["operationId"],
        method.upper(),
        path,
        operation["summary"],
        operation.get("description", ""),
        parameters,
        _refers(_content(operation.get("requestBody", {}))),
        answers,
    )


def _content(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a body, whatever its media type."""
    media: Mapping[str, Any] = next(iter(part.get("content", {}).values()), {})
    schema: Mapping[str, Any] = media.get("schema", {})
    return schema


def _members(schema: Mapping[str, Any]) -> tuple[Member, ...]:
    required = schema.get("required", ())
    return tuple(
        _member(name, each, place="", required=name in required, whole=each)
        for name, each in schema.get("properties", {}).items()
    )


def _member(name: str, schema: Mapping[str, Any], *, place: str, required: bool, whole: Mapping[str, Any]) -> Member:
    words = whole.get("description") or schema.get("description", "")
    return Member(name, place, required, _kind(schema), _refers(schema), words)


def _refers(schema: Mapping[str, Any]) -> str:
    """The name of our own type in a schema, or nothing."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    inner = [schema.get("items", {}), *schema.get("anyOf", ()), *schema.get("allOf", ())]
    return next((name for each in inner if each for name in [_refers(each)] if name), "")


def _kind(schema: Mapping[str, Any]) -> str:
    """A type in words; types of our own stand behind it as links."""
    if "$ref" in schema:
        return ""
    if "anyOf" in schema:
        return " | ".join(filter(None, map(_kind, schema["anyOf"])))
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"[{_kind(schema.get('items', {}))}]"
    return " ".join(str(schema[part]) for part in ("type", "format") if part in schema)
