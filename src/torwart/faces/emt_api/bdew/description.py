"""The dialect's description (OpenAPI 3.1): headers, refusals, and the calls we answer with."""

from collections.abc import Sequence
from typing import Any

from torwart.faces.emt_api import problem, schema
from torwart.faces.emt_api.description import REQUEST_ID
from torwart.processes.api_call import slug
from torwart.processes.definition import Process
from torwart.wire import bdew as wire

_PROBLEM = {"content": {problem.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_PROBLEMS = {
    "400": "Unusable header or body: what is wrong is listed by JSON pointer",
    "401": "Not identified by a certificate",
    "403": "No address to answer at, or the coupling is suspended",
    "404": "No such address",
    "405": "Another method than POST",
    "409": "The transaction was another request, or is being worked on",
    "413": "Larger than 1 MiB",
    "415": "Another media type than application/json, or packed",
    "429": "Too many requests; Retry-After says when",
    "500": "Fault on our side",
    "503": "Not available at present; Retry-After says when",
}
_ID = {"type": "string", "pattern": wire.UUID_PATTERN, "examples": ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"]}
_TIME = {"type": "string", "pattern": wire.CREATED_PATTERN, "examples": ["2026-11-23T12:30:00.170Z"]}
_HEADERS = [
    (wire.TRANSACTION, True, _ID, "A new one for each attempt."),
    (wire.CREATED, True, _TIME, "When this attempt was made, UTC; at most 24 hours ago."),
    (wire.INITIAL, False, _ID, "Only of a retry: the transactionId of the first attempt."),
]
_REFERENCE = (wire.REFERENCE, True, _ID, "The first transactionId of the call this answers.")
_SAID = {"type": "object", "properties": {"de": {"type": "string"}, "en": {"type": "string"}}}
_LINE = {"label": _SAID, "value": {"type": "string"}, "words": _SAID}
_REFUSAL = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("code", "side", "retry", "de", "en")},
}
_ANSWERS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    wire.PRELIMINARY_POSITIVE: (
        "The order is accepted: its number, and until when it is done",
        {
            "preliminaryStatePositive": {"const": "possible"},
            "id": {"type": "string", "examples": ["A-123456782"]},
            "planned": {"type": "boolean"},
            "due_at": {"type": "string", "format": "date-time"},
        },
        ["preliminaryStatePositive", "id", "planned", "due_at"],
    ),
    wire.PRELIMINARY_NEGATIVE: (
        "The order is refused: nothing was placed",
        {
            "stateNegative": {"const": "failed"},
            "reasonNegative": {"enum": ["communicationFailure", "overload", "unable"]},
            "reason": {"type": "string"},
            "refusal": _REFUSAL,
            "errors": {"type": "array", "items": _REFUSAL},
        },
        ["stateNegative", "reasonNegative", "reason", "refusal", "errors"],
    ),
    wire.POSITIVE: (
        "The order is done, with its result",
        {
            "statePositive": {"const": "succeeded"},
            "id": {"type": "string"},
            "result": {
                "type": "object",
                "properties": {
                    "rows": {
                        "type": "array",
                        "items": {"type": "object", "properties": _LINE},
                    }
                },
            },
        },
        ["statePositive", "id"],
    ),
    wire.NEGATIVE: (
        "The order has failed, or was refused, cancelled or withdrawn later (state)",
        {
            "stateNegative": {"const": "failed"},
            "reasonNegative": {"enum": ["communicationFailure", "overload", "unable"]},
            "reason": {"type": "string"},
            "id": {"type": "string"},
            "state": {"enum": ["failed", "refused", "cancelled", "withdrawn"]},
            "refusal": _REFUSAL,
        },
        ["stateNegative", "reasonNegative", "reason", "id", "state"],
    ),
}


def complete(document: dict[str, Any], processes: Sequence[Process]) -> dict[str, Any]:
    """``document`` with headers, problems, certificates and our answering calls; changed in place."""
    document["components"]["schemas"]["Problem"] = schema.Problem.model_json_schema()
    document["components"]["securitySchemes"] = {
        "emt": {"type": "mutualTLS", "description": "EMT certificate of the SM-PKI"}
    }
    document["security"] = [{"emt": []}]
    document["servers"] = [{"url": "/"}]
    document["webhooks"] = {
        f"{slug(process.name)}/{name}/v1": {"post": _call(process, name)} for process in processes for name in _ANSWERS
    }
    for methods in document["paths"].values():
        for each in methods.values():
            each["parameters"] = [_parameter(*header) for header in _HEADERS]
            each["responses"] = {
                "202": {"description": "Taken; the answers come as calls to the partner.", "headers": REQUEST_ID},
                **{
                    status: {"description": words, "headers": REQUEST_ID, **_PROBLEM}
                    for status, words in _PROBLEMS.items()
                },
            }
    return document


def _call(process: Process, name: str) -> dict[str, Any]:
    """What we send to the partner's address."""
    about, properties, required = _ANSWERS[name]
    body = {"type": "object", "properties": properties, "required": required}
    return {
        "operationId": f"{process.name}_{name}",
        "summary": f"{process.code} {process.words.en}: {about}",
        "parameters": [_parameter(*header) for header in (*_HEADERS, _REFERENCE)],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"202": {"description": "Taken."}, "410": {"description": "Nobody is here any more."}},
        "security": [{"emt": []}],
    }


def _parameter(name: str, required: bool, kind: dict[str, Any], words: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": words, "schema": kind}
