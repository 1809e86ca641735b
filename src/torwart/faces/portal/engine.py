"""The durable engine as the portal uses it: to start, nudge and cancel runs within its own transactions.

Telling their stories is the workers' part; their engines see what commits here.
"""

from torwart.adapters.engine import AbsurdEngine

ENGINE = AbsurdEngine()
