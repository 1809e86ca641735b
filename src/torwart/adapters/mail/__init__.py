"""Mail made real: an SMTP receiver, an SMTP sender, an IMAP fetcher (``ports.mailbox``)."""

from torwart.adapters.mail.imap import ImapAccount, ImapFetcher
from torwart.adapters.mail.smtp_in import SmtpReceiver
from torwart.adapters.mail.smtp_out import SmtpSender, StartTls

__all__ = ["ImapAccount", "ImapFetcher", "SmtpReceiver", "SmtpSender", "StartTls"]
