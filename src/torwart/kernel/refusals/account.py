"""Refusals of accounts: invitations, roles, links, places."""

from torwart.kernel.refusals import Retry, Side, kind

ACCOUNT_EXISTS = kind(
    "account.exists",
    de="Für {email} gibt es schon ein Konto. Ändern Sie dort die Rollen oder schicken Sie die Einladung noch einmal.",
    en="There is already an account for {email}. Change its roles or send the invitation again.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-4",
)
ACCOUNT_ADDRESS_REFUSED = kind(
    "account.address_refused",
    de="Mit der Adresse {email} kann hier kein Konto angelegt werden. Nennen Sie eine andere persönliche Adresse oder "
    "rufen Sie uns an.",
    en="No account can be made here with the address {email}. Give another personal address or call us.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
ACCOUNT_ROLES = kind(
    "account.roles",
    de="Die Rollen {roles} passen nicht zu diesem Konto. Ein Konto hat mindestens eine Rolle, und alle gehören zu "
    "einer Seite: der des Anbieters oder der eines Auftraggebers.",
    en="The roles {roles} do not fit this account. An account has at least one role, and all are of one side: the "
    "provider's or a client's.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-2",
)
ACCOUNT_UNKNOWN = kind(
    "account.unknown",
    de="Dieses Konto gibt es nicht. Prüfen Sie die Angabe.",
    en="There is no such account. Check the entry.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
ACCOUNT_LINK_SPENT = kind(
    "account.link_spent",
    de="Dieser Link gilt nicht mehr: Er wurde schon benutzt, ist abgelaufen oder unvollständig. Lassen Sie sich einen "
    "neuen schicken.",
    en="This link is no longer valid: it has been used, has expired or is incomplete. Ask for a new one.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-4",
)
ACCOUNT_LOCKED = kind(
    "account.locked",
    de="Dieses Konto ist gesperrt. Rufen Sie den Service an; er richtet den Zugang neu ein.",
    en="This account is locked. Call the service; it will set up the access anew.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-4",
)
ACCOUNT_OWN = kind(
    "account.own",
    de="Das eigene Konto kann man nicht sperren oder in seinen Rechten ändern. Bitten Sie eine zweite Person darum.",
    en="Nobody can lock their own account or change its rights. Ask a second person.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-2",
)
