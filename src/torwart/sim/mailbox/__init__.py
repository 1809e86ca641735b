"""The mailbox of a client: people with S/MIME identities who receive, read and answer mail, well or badly.

ca = MailCa.create(now)
with ClientMailbox(ca, [ca.identity("a@client.test")], deliver_to=(host, port)) as box:
    box.reply(box.wait("a@client.test"), "…", fault=MailFault.CBC)
"""

from torwart.sim.mailbox.ca import Credential, MailCa
from torwart.sim.mailbox.fault import REFUSED, MailFault, Secure
from torwart.sim.mailbox.mailbox import ClientMailbox, Received
from torwart.sim.mailbox.server import Behaviour

__all__ = ["REFUSED", "Behaviour", "ClientMailbox", "Credential", "MailCa", "MailFault", "Received", "Secure"]
