"""The EMT–GWA interface (KL 4.1, spec/07): the processes of the catalogue for a client's own system.

How a call goes: the head-end has ended TLS and proven the certificate (``wire.peer_proof``); ``middleware.Interface``
finds whose system it is, keeps rate, version and log, and turns every refusal into a problem document; ``operation``
places orders through ``processes.ordering`` like the portal does. Operations, their bodies and their description come
from ``processes.definition``: a process added there is offered here without a line in this package.
"""
