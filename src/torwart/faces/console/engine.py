"""The durable engine as the web uses it: runs are spawned and nudged in the page's own transaction, never worked."""

from torwart.adapters.engine import AbsurdEngine

ENGINE = AbsurdEngine()
