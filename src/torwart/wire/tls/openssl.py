"""The few things of OpenSSL that pyOpenSSL has no public way to; all use of its private binding is here.

``torwart.wire.tls.self_test`` proves at the start that they do what they should.
"""

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

_lib: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]

Judge = Callable[[int, Any], int]
"""OpenSSL's verify callback: (whether the certificate is good so far, the store context) → whether to go on."""


def set_groups(context: SSL.Context, names: tuple[str, ...]) -> bool:
    """The groups of key exchange, in order of preference; whether OpenSSL knows them all."""
    return bool(_lib.SSL_CTX_set1_curves_list(context._context, ":".join(names).encode()))


def set_signatures(context: SSL.Context, names: tuple[str, ...]) -> bool:
    """The signature algorithms offered and taken; whether OpenSSL knows them all."""
    return bool(_lib.SSL_CTX_set1_sigalgs_list(context._context, ":".join(names).encode()))


def demand_certificate(context: SSL.Context, judge: Judge) -> Any:
    """Make the peer show a certificate and ``judge`` decide. Keep what is returned as long as the context.

    pyOpenSSL's own wrapper of the callback cannot tell OpenSSL *why* a certificate is refused, and that makes the
    alert; hence the bare one.
    """
    callback = _ffi.callback("int (*)(int, X509_STORE_CTX *)", judge, error=0)
    _lib.SSL_CTX_set_verify(context._context, SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, callback)
    return callback


def error_of(store: Any) -> int:
    """What OpenSSL found wrong (X509_V_ERR_…)."""
    return int(_lib.X509_STORE_CTX_get_error(store))


def set_error(store: Any, error: int) -> None:
    _lib.X509_STORE_CTX_set_error(store, error)


def depth_of(store: Any) -> int:
    """Which certificate of the chain it is about: 0 is the peer's own."""
    return int(_lib.X509_STORE_CTX_get_error_depth(store))


def explain(error: int) -> str:
    """A verification error in OpenSSL's words."""
    return str(_ffi.string(_lib.X509_verify_cert_error_string(error)).decode())


def chain_of(store: Any) -> tuple[bytes, ...]:
    """The chain under judgement in DER, end entity first."""
    stack = _lib.X509_STORE_CTX_get1_chain(store)
    bio = _lib.BIO_new(_lib.BIO_s_mem())
    pointer = _ffi.new("char **")
    chain: list[bytes] = []
    start = 0
    for index in range(_lib.sk_X509_num(stack)):
        certificate = _lib.sk_X509_value(stack, index)
        _lib.i2d_X509_bio(bio, certificate)
        _lib.X509_free(certificate)
        end = _lib.BIO_get_mem_data(bio, pointer)
        chain.append(_ffi.buffer(pointer[0] + start, end - start)[:])
        start = end
    _lib.BIO_free(bio)
    _lib.sk_X509_free(stack)
    return tuple(chain)


def received(connection: SSL.Connection) -> int:
    """Bytes from the wire that wait to be taken in."""
    return int(_lib.BIO_get_mem_data(connection._into_ssl, _ffi.NULL))


def to_send(connection: SSL.Connection) -> int:
    """Bytes that wait to go out to the wire."""
    return int(_lib.BIO_get_mem_data(connection._from_ssl, _ffi.NULL))


def renew_buffers(connection: SSL.Connection) -> None:
    """Give a connection empty buffers for its ciphertext, small again; they must be empty now."""
    into, out = _lib.BIO_new(_lib.BIO_s_mem()), _lib.BIO_new(_lib.BIO_s_mem())
    _lib.SSL_set_bio(connection._ssl, into, out)  # frees the old ones
    connection._into_ssl, connection._from_ssl = into, out


def extended_master_secret(connection: SSL.Connection) -> bool:
    """Whether RFC 7627 is in use (TLS 1.2)."""
    return bool(_lib.SSL_get_extms_support(connection._ssl) == 1)
