"""Tickets (Vorgänge): opened, answered, asked back, assigned, resolved; their clocks rest while the client is asked.

Every verb is one transaction that holds the ticket's row, writes one entry of the audit trail and one line of the
ticket's history. A number of another client is refused like one that does not exist (P-1).

opening       a question, an incident, or with an order
conversation  answers, questions, replies, notes, calls, files
turn          whose turn it is, and whether the clock runs
work          assigned, resolved, reopened, closed, billed
rows          what every verb does
"""

from torwart.services.ticket.conversation import (
    add_message,
    answer,
    ask_client,
    attach,
    call,
    joined_by_mail,
    note,
    tell,
    write_to_client,
)
from torwart.services.ticket.opening import open_incident, open_question, opened_for_order
from torwart.services.ticket.rows import CALL, EVENT, LONGEST_TEXT, MESSAGE_IN, MESSAGE_OUT, NOTE, VERDICT
from torwart.services.ticket.turn import (
    clock,
    go_on,
    locked_of_order,
    reschedule,
    rest,
    resume,
    stop_waiting,
    wait_for_client,
    wait_on,
)
from torwart.services.ticket.work import (
    LONGEST_EFFORT,
    assign,
    bill,
    close,
    end_with_order,
    reopen,
    resolve,
    verdict,
)

__all__ = [
    "CALL",
    "EVENT",
    "LONGEST_EFFORT",
    "LONGEST_TEXT",
    "MESSAGE_IN",
    "MESSAGE_OUT",
    "NOTE",
    "VERDICT",
    "add_message",
    "answer",
    "ask_client",
    "assign",
    "attach",
    "bill",
    "call",
    "clock",
    "close",
    "end_with_order",
    "go_on",
    "joined_by_mail",
    "locked_of_order",
    "note",
    "open_incident",
    "open_question",
    "opened_for_order",
    "reopen",
    "reschedule",
    "resolve",
    "rest",
    "resume",
    "stop_waiting",
    "tell",
    "verdict",
    "wait_for_client",
    "wait_on",
    "write_to_client",
]
