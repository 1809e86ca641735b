"""The head-end: ends mutual TLS of gateways and EMTs, speaks wire, knows no database and no use-case (design D4).

It publishes facts and takes commands over the bus. CMS is end to end between worker and gateway: the only private
key here is that of TLS. ``Headend(config, bus, clock)`` is the whole; ``station`` is what sessions share, ``session``
one connection, ``management``, ``http_service`` and ``ntp`` the conversations on it.
"""
