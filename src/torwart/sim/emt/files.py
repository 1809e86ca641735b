"""What a client's own system needs to call the interface, as files any program can take."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from torwart_client import tls_context

from torwart.sim.pki import Credential, TestPki
from torwart.sim.pki.files import write_chain, write_file


@dataclass(frozen=True, slots=True)
class EmtFiles:
    """``chain.pem``: the TLS certificate and its Sub-CA; ``key.pem``; ``root.pem``: the root that is trusted; ``curl``:
    the same as options of curl (``curl -K``); ``url``: where to call, if that is known.
    """

    directory: Path

    @property
    def chain(self) -> Path:
        return self.directory / "chain.pem"

    @property
    def key(self) -> Path:
        return self.directory / "key.pem"

    @property
    def root(self) -> Path:
        return self.directory / "root.pem"

    @classmethod
    def write(cls, directory: Path, pki: TestPki, shown: Credential | None = None, *, url: str = "") -> "EmtFiles":
        """Write them for ``shown``, by default the PKI's EMT."""
        made = cls(directory)
        credential = shown or pki.emt.tls
        write_chain(made.chain, pki.chain_of(credential.certificate)[:2])
        write_file(made.key, credential.key_pem, secret=True)
        write_file(made.root, pki.root.certificate.public_bytes(Encoding.PEM))
        write_file(directory / "curl", made._curl().encode())
        if url:
            write_file(directory / "url", url.encode())
        return made

    def _curl(self) -> str:
        given = {"cert": self.chain, "key": self.key, "cacert": self.root, "curves": "brainpoolP256r1", "tls-max": 1.2}
        return "".join(f'{name} = "{value}"\n' for name, value in given.items()) + "tlsv1.2\nsilent\nshow-error\n"

    def context(self) -> ssl.SSLContext:
        """TLS with these files, as ``torwart-client`` makes it."""
        return tls_context(certificate=self.chain, key=self.key, trust=self.root)
