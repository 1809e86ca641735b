"""Key stores behind ``ports.KeyStore``: the encrypted file store."""

from torwart.adapters.key_store.files import FileKeyStore

__all__ = ["FileKeyStore"]
