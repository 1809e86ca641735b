"""The mailbox of a client: people with S/MIME identities who receive, read and answer mail."""
