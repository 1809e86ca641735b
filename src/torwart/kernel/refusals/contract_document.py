"""Refusals of contract documents (C-4)."""

from torwart.kernel.refusals import Retry, Side, kind

DOCUMENT_NOT_PDF = kind(
    "document.not_pdf",
    de="„{name}“ ist kein PDF. Wählen Sie das Dokument als PDF-Datei.",
    en="“{name}” is not a PDF. Choose the document as a PDF file.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="C-4",
)
DOCUMENT_TOO_LARGE = kind(
    "document.too_large",
    de="Das Dokument ist größer als {most} MiB. Verkleinern Sie es, etwa die Bilder darin.",
    en="The document is larger than {most} MiB. Make it smaller, for example its pictures.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="C-4",
)
DOCUMENT_VERSION_KNOWN = kind(
    "document.version_known",
    de="Version {version} von „{title}“ gibt es schon, mit anderem Inhalt. Ein neuer Stand braucht eine neue Version.",
    en="Version {version} of “{title}” exists already with other content. A new state needs a new version.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="C-4",
)
