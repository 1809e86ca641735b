"""Mail made real: an SMTP receiver, an SMTP sender, an IMAP fetcher."""
