"""What our mails say: one function per kind of mail, which makes a ``wire.mail.Letter`` in the reader's language.

Letters decide nothing and read nothing; verbs hand them what to say. ``services.outbox`` adds the ticket to the subject
and the footer.
"""
