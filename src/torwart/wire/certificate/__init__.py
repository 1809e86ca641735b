"""Certificates of the SM-PKI: whose they are, what for, and whether they keep to the profile (spec/04 §3.1–3.3).

``identify`` reads who a certificate belongs to and for which use; ``check`` refuses what breaks the profile,
``findings`` lists everything that does; ``Trust`` validates the fixed three-level chain (root, Sub-CA, end user),
``Series`` many certificates of one maker; ``RevocationList`` is a verified CRL as a mapping; ``Content`` + ``issue``
build certificates exactly by the profile.
"""

from torwart.wire.certificate.check import check, findings
from torwart.wire.certificate.names import Identity, Role, Subject, Use, common_name, identify, subject_for
from torwart.wire.certificate.pem import load_certificate, load_certificates
from torwart.wire.certificate.profile import BSI_CONTACT, Contact, Content, end_of_day, issue, request_extensions
from torwart.wire.certificate.series import Checked, Series
from torwart.wire.certificate.trust import Issuer, Revocation, RevocationList, Trust

__all__ = [
    "BSI_CONTACT",
    "Checked",
    "Contact",
    "Content",
    "Identity",
    "Issuer",
    "Revocation",
    "RevocationList",
    "Role",
    "Series",
    "Subject",
    "Trust",
    "Use",
    "check",
    "common_name",
    "end_of_day",
    "findings",
    "identify",
    "issue",
    "load_certificate",
    "load_certificates",
    "request_extensions",
    "subject_for",
]
