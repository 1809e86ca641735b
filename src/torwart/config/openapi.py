"""``python -m torwart.config.openapi``: the interface's descriptions as files, kept as the promises they are.

``docs/api/openapi.json`` is what clients have built on, ``openapi-bdew.json`` the same for the BDEW dialect. The
command writes them anew, but not over a promise: a change that breaks callers needs a new version
(``services.interface.VERSIONS``) first.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[3] / "docs/api/openapi.json"
BDEW_PATH = PATH.with_name("openapi-bdew.json")
Document = Mapping[str, Any]


def present(path: Path = PATH) -> dict[str, Any]:
    """The description that belongs in ``path``, as the program makes it now."""
    from torwart.faces.emt_api.api import api
    from torwart.faces.emt_api.bdew.api import api as bdew

    made = (bdew if path == BDEW_PATH else api).get_openapi_schema()
    document: dict[str, Any] = json.loads(json.dumps(made, default=str))
    return document


def text(document: Document) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def breaking(old: Document, new: Document) -> list[str]:
    """What callers of ``old`` would trip over in ``new``; nothing if the version is another."""
    if old["info"]["version"] != new["info"]["version"]:
        return []
    return [f"{where}: {what}" for where, what in _operations(old, new)]


Change = tuple[str, str]


def _operations(old: Document, new: Document) -> Iterator[Change]:
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            where = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                yield where, "is gone"
                continue
            yield from _parameters(where, before, after, old, new)
            yield from _request(where, before, after, old, new)
            yield from _answers(where, before, after, old, new)


def _parameters(where: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[Change]:
    known = {(each["in"], each["name"]): each for each in before.get("parameters", ())}
    for each in after.get("parameters", ()):
        was = known.pop((each["in"], each["name"]), None)
        if each.get("required") and not (was and was.get("required")):
            yield where, f"needs {each['name']}"
        if was:
            yield from _narrowed(f"{where} {each['name']}", was["schema"], each["schema"], old, new)
    for _, name in known:
        yield where, f"knows {name} no more"


def _request(where: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[Change]:
    was, now = (_body(each.get("requestBody", {})) for each in (before, after))
    if now is not None:
        yield from _narrowed(where, was or {}, now, old, new)


def _answers(where: str, before: Document, after: Document, old: Document, new: Document) -> Iterator[Change]:
    for status, was in before["responses"].items():
        now = after["responses"].get(status)
        if status.startswith("2") and now is None:
            yield where, f"answers {status} no more"
        elif now is not None and (body := _body(was)) is not None:
            yield from _lost(f"{where} {status}", body, _body(now) or {}, old, new)


def _body(holder: Document) -> Document | None:
    for kind, content in holder.get("content", {}).items():
        if "json" in kind:
            found: Document = content["schema"]
            return found
    return None


def _narrowed(
    where: str, was: Document, now: Document, old: Document, new: Document, depth: int = 8
) -> Iterator[Change]:
    """What was allowed to be sent and is not any more."""
    was, now = _resolved(was, old), _resolved(now, new)
    for name in set(now.get("required", ())) - set(was.get("required", ())):
        yield where, f"needs {name}"
    for name in was.get("properties", {}).keys() - now.get("properties", {}).keys():
        yield where, f"knows {name} no more"
    if (was and _types(now)) and _types(was) - _types(now):
        yield where, f"takes {', '.join(sorted(_types(was) - _types(now)))} no more"
    if "enum" in now and set(was.get("enum", ["anything"])) - set(now["enum"]):
        yield where, "takes fewer values"
    if now.get("maxLength", 1 << 60) < was.get("maxLength", 1 << 60) or (
        "pattern" in now and was and now["pattern"] != was.get("pattern")
    ):
        yield where, "takes less text"
    for name, each in was.get("properties", {}).items():
        if depth and name in now.get("properties", {}):
            yield from _narrowed(f"{where} {name}", each, now["properties"][name], old, new, depth - 1)


def _lost(where: str, was: Document, now: Document, old: Document, new: Document, depth: int = 8) -> Iterator[Change]:
    """What was promised to be in an answer and is not any more."""
    was, now = _resolved(was, old), _resolved(now, new)
    if _types(now) - _types(was) and _types(was):
        yield where, f"may be {', '.join(sorted(_types(now) - _types(was)))} now"
    for name in set(was.get("required", ())) - set(now.get("required", ())):
        yield where, f"may lack {name} now"
    for name, each in was.get("properties", {}).items():
        if name not in now.get("properties", {}):
            yield where, f"has no {name} any more"
        elif depth:
            yield from _lost(f"{where} {name}", each, now["properties"][name], old, new, depth - 1)
    if depth and "items" in was and "items" in now:
        yield from _lost(f"{where}[]", was["items"], now["items"], old, new, depth - 1)


def _resolved(schema: Document, document: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _types(schema: Document) -> set[str]:
    if "anyOf" in schema:
        return {kind for each in schema["anyOf"] for kind in _types(each) or {"object"}}
    kind = schema.get("type", ())
    return {kind} if isinstance(kind, str) else set(kind)


def main() -> int:
    """Write the files; 1 if that would break a promise."""
    from torwart.config.installation import django_setup

    django_setup("postgresql:///unused", migrated=False, web=True)
    documents = {path: present(path) for path in (PATH, BDEW_PATH)}
    broken = []
    for path, document in documents.items():
        if path.exists():
            broken += breaking(json.loads(path.read_text(encoding="utf-8")), document)
    if broken:
        print("\n".join(broken), file=sys.stderr)
        return 1
    PATH.parent.mkdir(parents=True, exist_ok=True)
    for path, document in documents.items():
        path.write_text(text(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
