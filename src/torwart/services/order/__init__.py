"""Orders: placed with ticket, mail and durable run in one transaction; taken back, moved to another time, ended.

Theory of operation. The order's row is locked first by whoever changes it, then its run, then the engine's rows, so
that a client who cancels and a run that just ends never wait for each other in a circle. The run of an order sleeps
until the order may begin and asks ``begin``; from then on what the run says about its end is the order's end too, in
one transaction with the ticket and the mail (O-3).

placing      the transaction of a new order
looking      what is asked about orders, what stands against new ones
taking_back  withdrawn, cancelled, refused
times        other times proposed, chosen, declined
running      what the run asks and tells
rows         what every verb does
"""

from torwart.services.order.looking import (
    Failed,
    Standing,
    Subject,
    about_device,
    client_of,
    device_unknown,
    failed,
    form_url,
    mail_untested,
    number_of_run,
    process_of,
    standing,
    subject,
    ticket_of,
)
from torwart.services.order.placing import Placement, grace, place
from torwart.services.order.running import begin, changed, fail, given_up, silent, succeed, topic
from torwart.services.order.taking_back import cancel, refuse, withdraw
from torwart.services.order.times import MOST_TIMES, choose, decline, propose

__all__ = [
    "MOST_TIMES",
    "Failed",
    "Placement",
    "Standing",
    "Subject",
    "about_device",
    "begin",
    "cancel",
    "changed",
    "choose",
    "client_of",
    "decline",
    "device_unknown",
    "fail",
    "failed",
    "form_url",
    "given_up",
    "grace",
    "mail_untested",
    "number_of_run",
    "place",
    "process_of",
    "propose",
    "refuse",
    "silent",
    "standing",
    "subject",
    "succeed",
    "ticket_of",
    "topic",
    "withdraw",
]
