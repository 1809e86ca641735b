"""Mail: one letter becomes text and HTML, text and HTML become MIME, and MIME from anywhere is read safely.

    Letter → write → Written → compose → bytes            bytes → read → ReadMail

Whatever is wrong with received bytes raises a ``Refusal`` of the subject ``mail`` and nothing else.
"""

from torwart.wire.mail.address import Address
from torwart.wire.mail.letter import (
    Block,
    Facts,
    Heading,
    Items,
    Letter,
    Link,
    Paragraph,
    Quote,
    Steps,
    Track,
    Written,
    html,
    text,
    write,
)
from torwart.wire.mail.message import compose, new_message_id
from torwart.wire.mail.mime import LIMITS, Attachment, Limits
from torwart.wire.mail.reading import ReadMail, read

__all__ = [
    "LIMITS",
    "Address",
    "Attachment",
    "Block",
    "Facts",
    "Heading",
    "Items",
    "Letter",
    "Limits",
    "Link",
    "Paragraph",
    "Quote",
    "ReadMail",
    "Steps",
    "Track",
    "Written",
    "compose",
    "html",
    "new_message_id",
    "read",
    "text",
    "write",
]
