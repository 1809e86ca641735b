"""The EMT's own TLS side, in the form ``torwart.wire.tls`` takes."""

from torwart.sim.emt.config import EmtConfig
from torwart.wire.tls import Credentials


def tls_credentials(config: EmtConfig) -> Credentials:
    own = config.credentials.tls
    return Credentials((own.certificate_der, *config.chain), own.key)
