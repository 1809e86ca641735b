"""Evidence of an order (O-8): everything that can be shown about it, in one file to keep.

``bundle`` collects it, ``as_json`` writes it for programs (the audit entries can be checked by a stranger), ``as_pdf``
for people.
"""

from torwart.services.evidence.collecting import Evidence, as_json, bundle
from torwart.services.evidence.printing import as_pdf

__all__ = ["Evidence", "as_json", "as_pdf", "bundle"]
