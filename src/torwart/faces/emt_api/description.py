"""The interface's description (OpenAPI 3.1): what ninja makes of the operations, and what holds for all of them."""

from typing import Any

from torwart.faces.emt_api import problem, schema

_PROBLEM = {"content": {problem.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_PROBLEMS = {
    "400": "Unusable request",
    "401": "Not identified by a certificate",
    "403": "Not allowed, or not over the interface",
    "404": "Nothing of that name for this client",
    "409": "Not possible in the present state, or another use of a key",
    "413": "Larger than 1 MiB",
    "415": "Another media type than application/json, or packed",
    "422": "Refused: what is wrong is listed by JSON pointer",
    "429": "Too many requests; Retry-After says when",
    "503": "Not available at present; Retry-After says when",
}
REQUEST_ID = {"X-Request-Id": {"description": "Names this call in the interface log.", "schema": {"type": "string"}}}
_VERSION = {
    "name": "Torwart-Version",
    "in": "header",
    "required": False,
    "description": "Version to be served by; without it the one pinned at the first call.",
    "schema": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
}
_OPERATION_LINKS = {
    "Look": ("get_operation", "number"),
    "History": ("get_history", "number"),
    "Withdraw": ("withdraw_operation", "number"),
    "Cancel": ("cancel_operation", "number"),
}
_WEBHOOK_LINKS = {
    "Look": ("get_webhook", "webhook"),
    "Change": ("change_webhook", "webhook"),
    "Rotate": ("rotate_webhook_key", "webhook"),
    "Test": ("test_webhook", "webhook"),
    "Deliveries": ("list_deliveries", "webhook"),
    "Remove": ("remove_webhook", "webhook"),
}
_NUMBER = {"type": "string", "maxLength": 20, "examples": ["A-123456782"]}
_NAMES = {"number": _NUMBER, "webhook": {"type": "string", "format": "uuid"}}


def complete(document: dict[str, Any], versions: tuple[str, ...]) -> dict[str, Any]:
    """``document`` with problems, links, certificates and webhooks; changed in place."""
    document["components"]["schemas"]["Problem"] = schema.Problem.model_json_schema()
    document["components"]["securitySchemes"] = {
        "emt": {"type": "mutualTLS", "description": "EMT certificate of the SM-PKI"}
    }
    document["security"] = [{"emt": []}]
    document["servers"] = [{"url": "/"}]
    document["info"]["x-versions"] = list(versions)
    document["webhooks"] = {"event": {"post": _event(document)}}
    for path, methods in document["paths"].items():
        for each in methods.values():
            _complete(path, each)
    return document


def _complete(path: str, operation: dict[str, Any]) -> None:
    operation["parameters"] = [*operation.get("parameters", ()), _VERSION]
    for parameter in operation["parameters"]:
        if parameter["in"] == "path" and parameter["name"] in _NAMES:
            parameter["schema"] = _NAMES[parameter["name"]]
    answers = operation["responses"] = {str(status): each for status, each in operation["responses"].items()}
    for answer in answers.values():
        answer["headers"] = {**answer.get("headers", {}), **REQUEST_ID}
    for status, words in _PROBLEMS.items():
        answers.setdefault(status, {"description": words, "headers": REQUEST_ID, **_PROBLEM})
    if operation["operationId"].startswith("order_"):
        answers["202"]["links"] = _links(_OPERATION_LINKS)
        answers["202"]["headers"] |= {
            "Location": {"description": "The operation.", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds until looking makes sense.", "schema": {"type": "string"}},
        }
    if operation["operationId"] == "add_webhook":
        answers["201"]["links"] = _links(_WEBHOOK_LINKS)


def _links(follow: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        name: {"operationId": operation, "parameters": {parameter: "$response.body#/id"}}
        for name, (operation, parameter) in follow.items()
    }


def _event(document: dict[str, Any]) -> dict[str, Any]:
    """What we send to a client's webhook."""
    return {
        "operationId": "event",
        "summary": "An event, signed (Standard Webhooks, v1a)",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": words}
            for name, words in (
                ("webhook-id", "The event's id; the same again is a repeat."),
                ("webhook-timestamp", "Seconds since 1970; older than five minutes is to be refused."),
                ("webhook-signature", "v1a,<base64> for each valid key, separated by blanks."),
            )
        ],
        "requestBody": {
            "required": True,
            "content": {"application/cloudevents+json": {"schema": {"$ref": "#/components/schemas/Event"}}},
        },
        "responses": {"2XX": {"description": "Taken."}, "410": {"description": "Nobody is here any more."}},
        "security": [],
    }
