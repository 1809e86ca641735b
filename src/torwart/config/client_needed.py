"""Who plays a client's own system needs ``torwart-client``, a package of its own that callers install alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from torwart.kernel.refusals.sim import CLIENT_MISSING


@contextmanager
def client_needed() -> Iterator[None]:
    """Around imports: where the package is missing, ``sim.client_missing`` says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "torwart_client":
            raise
        raise CLIENT_MISSING() from error
