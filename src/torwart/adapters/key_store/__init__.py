"""Key stores behind ``ports.KeyStore``: the encrypted file store, and PKCS#11 tokens."""

from torwart.adapters.key_store.files import FileKeyStore
from torwart.adapters.key_store.pkcs11 import Pkcs11KeyStore

__all__ = ["FileKeyStore", "Pkcs11KeyStore"]
