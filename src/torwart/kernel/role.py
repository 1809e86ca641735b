"""Who may do what (P-2): roles of the provider's people and of a client's people; nobody has roles on both sides."""

from enum import StrEnum

from torwart.kernel.words import Words


class Role(StrEnum):
    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    CONTACT = "contact"
    READER = "reader"


PROVIDER = frozenset({Role.OPERATOR, Role.APPROVER, Role.AUDITOR, Role.ADMINISTRATOR})
CLIENT = frozenset({Role.CONTACT, Role.READER})

ROLES: dict[Role, Words] = {
    Role.OPERATOR: Words("Operator: bearbeitet Vorgänge und Gateways", "operator: works on tickets and gateways"),
    Role.APPROVER: Words("Freigeber: zweites Augenpaar", "approver: the second pair of eyes"),
    Role.AUDITOR: Words("Prüfer: liest alles, ändert nichts", "auditor: reads everything, changes nothing"),
    Role.ADMINISTRATOR: Words(
        "Administrator: Auftraggeber, Benutzer, Einstellungen", "administrator: clients, users, settings"
    ),
    Role.CONTACT: Words("Ansprechpartner: darf Aufträge erteilen", "contact: may place orders"),
    Role.READER: Words("Leser: sieht alles, erteilt keine Aufträge", "reader: sees everything, places no orders"),
}
