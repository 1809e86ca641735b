"""Refusals of uploaded tables of orders (O-9); those of single cells are the fields' own."""

from torwart.kernel.refusals import Retry, Side, kind

TABLE_UNREADABLE = kind(
    "upload.unreadable",
    de="Diese Datei lässt sich nicht als Tabelle lesen. Speichern Sie sie als CSV (UTF-8) oder XLSX und laden Sie sie "
    "noch einmal hoch.",
    en="This file cannot be read as a table. Save it as CSV (UTF-8) or XLSX and upload it again.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-9",
)
TABLE_TOO_LARGE = kind(
    "upload.too_large",
    de="Die Tabelle ist zu groß: höchstens {rows} Zeilen und {size} MiB. Teilen Sie sie auf.",
    en="The table is too large: at most {rows} rows and {size} MiB. Split it.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-9",
)
TABLE_EMPTY = kind(
    "upload.empty",
    de="Die Tabelle enthält keine Aufträge. Tragen Sie unter der Kopfzeile je Auftrag eine Zeile ein.",
    en="The table holds no orders. Enter one row an order below the head.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-9",
)
TABLE_COLUMN = kind(
    "upload.column",
    de="Die Spalte „{column}“ gehört nicht zu diesem Prozess oder kommt doppelt vor. Nehmen Sie die Vorlage.",
    en="The column “{column}” does not belong to this process or comes twice. Use the template.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-9",
)
TABLE_MISSING = kind(
    "upload.missing",
    de="Die Spalte „{column_de}“ fehlt. Nehmen Sie die Vorlage.",
    en="The column “{column_en}” is missing. Use the template.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-9",
)
ROW_REPEATED = kind(
    "upload.row_repeated",
    de="Dasselbe Gerät steht schon in Zeile {row}. Je Gerät und Prozess geht nur ein Auftrag auf einmal.",
    en="The same device stands in row {row} already. Only one order a device and process at a time.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-9",
)
