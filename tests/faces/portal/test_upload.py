"""Many orders from one table: every row looked at, nothing placed before, all good ones or none (O-9)."""

import re
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook
from portal_world import Town

from torwart.faces.portal import table
from torwart.processes.definition import catalogue
from torwart.store.models import Order

ORDERABLE = [process.name for process in catalogue().values() if process.over_form]
ADDRESS = "/portal/bestellen/wake_up/tabelle/"


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def _upload(contact: Client, *rows: str, head: str = "SMGW-ID;Grund;Ihre Referenz") -> Any:
    content = "\n".join([head, *rows]).encode()
    return contact.post(ADDRESS, {"file": SimpleUploadedFile("t.csv", content)})


@pytest.mark.requirement("O-9")
@pytest.mark.parametrize("process", ORDERABLE)
def test_every_process_has_its_template(home: Town, contact: Client, process: str) -> None:
    """CSV and XLSX with the same columns, in both languages, and what they hold can be uploaded again."""
    chosen = catalogue()[process]
    for language, index in (("de", 0), ("en", 1)):
        contact.get(f"/portal/?sprache={language}")
        head = [(label.de, label.en)[index] for _, label in table.columns(chosen)]
        sheet = contact.get(f"/portal/bestellen/{process}/vorlage.xlsx").content
        plain = contact.get(f"/portal/bestellen/{process}/vorlage.csv").content.decode("utf-8-sig")
        assert [cell.value for cell in load_workbook(BytesIO(sheet)).worksheets[0][1]] == head
        assert plain.strip().replace('"', "") == ";".join(head)
    assert contact.get(f"/portal/bestellen/{process}/vorlage.txt").status_code == 404


@pytest.mark.requirement("O-9")
def test_errors_stand_by_row_and_cell_before_anything_is_placed(home: Town, contact: Client, neighbour: Town) -> None:
    """A wrong cell, a device of somebody else, the same device twice: each by its row and with its reason."""
    good, other = home.gateways[:2]
    answer = _upload(contact, f"{good};a;R1", "EPPC02;b", f"{neighbour.gateways[0]};c", f"{good};d", f"{other};e")
    page = _text(contact.get(answer["Location"]))

    assert '2 </span><span class="tw-figure__label">Zeilen sind gut' in page.replace("2</span>", "2 </span>")
    assert "<strong>SMGW-ID:</strong>" in page
    assert f"Das Gateway {neighbour.gateways[0]} ist nicht bekannt" in page
    assert "Dasselbe Gerät steht schon in Zeile 2" in page
    assert not Order.objects.exists()


@pytest.mark.requirement("O-9")
def test_all_or_none_places_none_while_a_row_is_wrong(home: Town, contact: Client) -> None:
    """The default; the good rows alone are placed when asked for, once."""
    answer = _upload(contact, f"{home.gateways[0]};a;R1", "falsch;b", f"{home.gateways[1]};c;R3")
    address = answer["Location"]
    contact.post(address, {"wie": "alle"})
    assert not Order.objects.exists()
    page = _text(contact.post(address, {"wie": "gute"}, follow=True))
    contact.post(address, {"wie": "gute"})

    orders = {order.gateway.device_id: order for order in Order.objects.select_related("gateway")}
    assert set(orders) == set(home.gateways[:2])
    assert {order.channel for order in orders.values()} == {"upload"}
    assert orders[home.gateways[1]].reference == "R3"
    assert "2 Aufträge gesendet" in page


@pytest.mark.requirement("O-9")
def test_what_fails_at_the_last_moment_undoes_all(home: Town, contact: Client) -> None:
    """An order placed elsewhere in between: all or none means none, and the page says why."""
    address = _upload(contact, f"{home.gateways[0]};a", f"{home.gateways[1]};b")["Location"]
    assert "Zeilen haben Fehler" in _text(contact.get(address))
    home.order("wake_up", home.gateways[1])
    page = _text(contact.post(address, follow=True))

    assert Order.objects.count() == 1
    assert "schon beauftragt" in page


@pytest.mark.requirement("O-9")
@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        ("SMGW-ID;Farbe", ["x;y"], "Die Spalte „Farbe“ gehört nicht zu diesem Prozess"),
        ("Grund", ["x"], "Die Spalte „SMGW-ID“ fehlt"),
        ("SMGW-ID", [], "enthält keine Aufträge"),
        ("SMGW-ID;gateway", ["x;y"], "kommt doppelt vor"),
    ],
)
def test_a_table_of_another_shape_is_refused_at_the_file(
    home: Town, contact: Client, head: str, rows: list[str], said: str
) -> None:
    """The reason stands at the file, and where to get the template."""
    page = _text(_upload(contact, *rows, head=head))

    assert said in page
    assert 'id="id_file_error"' in page


@pytest.mark.requirement("O-9")
def test_choices_and_lists_are_read_as_people_write_them(home: Town) -> None:
    """Words of a choice in either language, several values apart, columns in any order and language."""
    chosen = catalogue()["commissioning"]
    labels = dict(table.columns(chosen))
    head = ";".join(labels[name].en for name in ("tafs", "wan_type", "emts", "meters", "gateway", "melo", "malos"))
    rest = [
        each
        for each in chosen.fields
        if each.name not in ("tafs", "wan_type", "emts", "meters", "gateway", "melo", "malos") and not each.optional
    ]
    head += ";" + ";".join(each.label.de for each in rest)
    line = "TAF 7: Zählerstandsgang|1;DSL;A, B|C;1EMH1, 1EMH2;E1;DE;5" + ";x" * len(rest)
    (row,) = table.read(chosen, f"{head}\n{line}".encode())

    assert (row["tafs"], row["wan_type"]) == (["7", "1"], "DSL")
    assert (row["emts"], row["meters"]) == (["A, B", "C"], ["1EMH1", "1EMH2"])
