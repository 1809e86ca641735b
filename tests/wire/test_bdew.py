"""Headers and answers in the manner of the API-Webdienste of EDI@Energy."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from torwart.kernel.refusals import Refusal
from torwart.wire import bdew

pytestmark = pytest.mark.requirement("O-7")
ID, OTHER = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "0b1f2b3c-0000-4000-8000-00000000abcd"
HEADS = {"transactionId": ID, "creationDateTime": "2023-08-01T12:30:00.170Z"}


def test_a_call_is_known_by_its_first_transaction() -> None:
    """Without initialTransactionId by its own, with it by that one; capitals make no other id."""
    first = bdew.read(HEADS)
    retry = bdew.read({**HEADS, "transactionId": OTHER, "initialTransactionId": ID.upper()})

    assert first.key == retry.key == uuid.UUID(ID)
    assert first.created == datetime(2023, 8, 1, 12, 30, 0, 170_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("transactionId", value) for value in ("", "1", ID[:-1], ID + "0", f"{{{ID}}}", f"{ID}, {ID}", f"{ID}\n")),
        *(("initialTransactionId", value) for value in ("", "none", ID.replace("-", ""))),
        *(
            ("creationDateTime", value)
            for value in (
                "",
                "2023-08-01T12:30:00",
                "2023-08-01T14:30:00+02:00",
                "2023-08-01 12:30:00Z",
                "2023-02-29T12:30:00Z",
                "2023-08-01T24:00:00Z",
                "2023-08-01T12:30:60Z",
                "2023-08-01T12:30:00.12345Z",
                "1999-08-01T12:30:00Z",
                "٢٠٢٣-08-01T12:30:00Z",
                "1690893000",
            )
        ),
    ],
)
def test_what_the_published_schemas_do_not_allow_is_refused(name: str, value: str) -> None:
    """UUID as RFC 4122 writes it; UTC with Z and at most four digits of a second."""
    with pytest.raises(Refusal) as refused:
        bdew.read({**HEADS, name: value})
    assert (refused.value.code, refused.value.details["name"]) == ("bdew.header", name)


def test_the_examples_of_the_published_schemas_are_read() -> None:
    """With and without fractions, on 29 February of a leap year."""
    for text in ("2023-08-01T12:30:00.170Z", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.1234Z"):
        assert bdew.read({**HEADS, "creationDateTime": text}).created.tzinfo is UTC


def test_our_retry_has_a_new_id_and_names_the_first() -> None:
    """The first attempt names none; what it refers to is the same."""
    now = datetime(2026, 11, 23, 13, 30, 0, 170_900, tzinfo=timezone(timedelta(hours=1)))
    first = bdew.calling(ID, OTHER, repeat=False, now=now)
    retry = bdew.calling(ID, OTHER, repeat=True, now=now)

    assert first == {"transactionId": ID, "creationDateTime": "2026-11-23T12:30:00.170Z", "referenceId": OTHER}
    assert retry["transactionId"] not in (ID, OTHER)
    assert (retry["initialTransactionId"], retry["referenceId"]) == (ID, OTHER)
    assert bdew.read(first).key == bdew.read(retry).key
    assert "referenceId" not in bdew.calling(ID, None, repeat=False, now=now)


def test_every_end_of_an_order_is_a_final_answer() -> None:
    """No order a partner has placed ends without its being told."""
    from torwart.kernel.order_state import OPEN, OrderState

    ended = {f"de.torwart.operation.{state}" for state in OrderState if state not in OPEN}
    assert set(bdew.FINAL) == ended


def test_answers_speak_the_words_of_the_source_first() -> None:
    """possible, succeeded, failed with a reason; then what the event says."""
    refusal = {"code": "x.y", "de": "Weil.", "en": "Because."}
    assert bdew.answer(bdew.ACCEPTED, {"id": "A-1"}, "") == {"preliminaryStatePositive": "possible", "id": "A-1"}
    assert bdew.answer("de.torwart.operation.done", {}, "") == {"statePositive": "succeeded"}
    refused = bdew.answer(bdew.REFUSED, {"refusal": refusal}, "unable")
    assert refused == {
        "stateNegative": "failed",
        "reasonNegative": "unable",
        "reason": "Weil.",
        "refusal": refusal,
    }
    assert bdew.answer("de.torwart.operation.cancelled", {"state": "cancelled"}, "unable")["reason"] == "cancelled"
