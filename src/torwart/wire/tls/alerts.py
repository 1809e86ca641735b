"""OpenSSL's errors as our refusals, and our refusals as the errors whose alerts fit them."""

from OpenSSL import SSL

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.tls import (
    TLS_ALERT,
    TLS_BAD_CERTIFICATE,
    TLS_EXPIRED,
    TLS_NO_AGREEMENT,
    TLS_NO_CERTIFICATE,
    TLS_NOT_YET_VALID,
    TLS_PROTOCOL,
    TLS_REVOKED,
    TLS_TRUNCATED,
    TLS_UNKNOWN_CA,
    TLS_WRONG_USE,
)
from torwart.wire.tls import openssl

# OpenSSL's verification errors that have a refusal of their own; every other is tls.bad_certificate.
_V_UNKNOWN_CA = frozenset((2, 18, 19, 20, 21, 24, 27))
_V_NOT_YET_VALID, _V_EXPIRED, _V_REVOKED, _V_PURPOSE, _V_REJECTED = 9, 10, 23, 26, 28

# The alert a refusal makes: OpenSSL derives it from the verification error (RFC 5246 §7.2.2). access_denied(49) has
# no such error, so a peer refused by policy gets bad_certificate(42).
_UNKNOWN_ISSUER = 20
_ERROR_FOR = {
    "tls.revoked": _V_REVOKED,  # certificate_revoked(44)
    "pki.revoked": _V_REVOKED,
    "pki.suspended": _V_REVOKED,
    "tls.expired": _V_EXPIRED,  # certificate_expired(45)
    "pki.expired": _V_EXPIRED,
    "tls.unknown_ca": _UNKNOWN_ISSUER,  # unknown_ca(48)
    "pki.issuer_unknown": _UNKNOWN_ISSUER,
    "tls.wrong_use": _V_PURPOSE,  # unsupported_certificate(43)
    "pki.use": _V_PURPOSE,
    "pki.key_usage": _V_PURPOSE,
    "pki.extended_key_usage": _V_PURPOSE,
}


def error_for(refusal: Refusal) -> int:
    """The verification error that makes OpenSSL send the alert for ``refusal``."""
    return _ERROR_FOR.get(refusal.code, _V_REJECTED)


def of_verification(error: int) -> Refusal:
    """OpenSSL's verification error as one of our refusals."""
    why = openssl.explain(error)
    if error in _V_UNKNOWN_CA:
        return TLS_UNKNOWN_CA(why=why)
    if error == _V_EXPIRED:
        return TLS_EXPIRED()
    if error == _V_NOT_YET_VALID:
        return TLS_NOT_YET_VALID()
    if error == _V_REVOKED:
        return TLS_REVOKED(serial="")
    if error == _V_PURPOSE:
        return TLS_WRONG_USE(why=why)
    return TLS_BAD_CERTIFICATE(why=why)


_DISAGREEMENTS = ("no shared", "unsupported protocol", "no suitable", "no protocols", "wrong curve", "bad ecpoint")


def of_connection(error: SSL.Error) -> Refusal:
    """What OpenSSL reports of a broken handshake or record."""
    if isinstance(error, SSL.SysCallError):
        return TLS_TRUNCATED()
    reasons = [reason for _, _, reason in error.args[0]] if error.args and isinstance(error.args[0], list) else []
    why = ", ".join(reasons) or "unknown"
    if " alert " in why:
        return TLS_ALERT(alert=why.split(" alert ", 1)[1])
    if "did not return a certificate" in why:
        return TLS_NO_CERTIFICATE()
    if "unexpected eof" in why:
        return TLS_TRUNCATED()
    if any(word in why for word in _DISAGREEMENTS):
        return TLS_NO_AGREEMENT(why=why)
    return TLS_PROTOCOL(why=why)
