"""Refusals of the mail room: mails that cannot be taken where they go, and mails that do not arrive (C-2, spec/05)."""

from torwart.kernel.refusals import Retry, Side, kind

MAIL_UNSIGNED = kind(
    "mailroom.unsigned",
    de="Die Mail ist nicht signiert. Dateien zu diesem Vorgang nehmen wir nur signiert und verschlüsselt "
    "an: Antworten Sie bitte noch einmal mit beidem.",
    en="The mail is not signed. Files for this ticket are accepted only signed and encrypted: please reply again with "
    "both.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P01; O-7 (KL 4.2.2)",
)
MAIL_UNENCRYPTED = kind(
    "mailroom.unencrypted",
    de="Die Mail ist nicht verschlüsselt. Dateien zu diesem Vorgang nehmen wir nur signiert und verschlüsselt "
    "an: Antworten Sie bitte noch einmal mit beidem.",
    en="The mail is not encrypted. Files for this ticket are accepted only signed and encrypted: please reply again "
    "with both.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P01; O-7 (KL 4.2.2)",
)
MAIL_FLOOD = kind(
    "mailroom.flood",
    de="Von {address} kamen mehr als {limit} Mails in einer Stunde. Diese ist zurückgestellt.",
    en="More than {limit} mails came from {address} within an hour. This one has been put aside.",
    side=Side.CLIENT,
    retry=Retry.LATER,
    source="C-2 (loops are cut)",
)
MAIL_BREAKS = kind(
    "mailroom.breaks",
    de="Die Mail ließ sich {attempts}-mal nicht verarbeiten: {why}. Bitte von Hand ansehen.",
    en="The mail could not be processed {attempts} times: {why}. Please look at it by hand.",
    side=Side.OURS,
    source="spec/05 (limits: never dropped silently)",
)
MAIL_BOUNCED = kind(
    "mailroom.bounced",
    de="Der Mailserver des Empfängers meldet: nicht zustellbar ({words}). Adresse des Empfängers prüfen.",
    en="The recipient's mail server reports: cannot be delivered ({words}). Check the recipient's address.",
    side=Side.CLIENT,
    source="RFC 3464",
)
MAIL_GIVEN_UP = kind(
    "mailroom.given_up",
    de="Seit {days} Tagen vergeblich versucht, zuletzt: {why_de}",
    en="Tried in vain for {days} days, lastly: {why_en}",
    side=Side.NETWORK,
    source="spec/05 (transport out)",
)
MAIL_NOT_FAILED = kind(
    "mailroom.not_failed",
    de="Diese Mail kann nicht noch einmal gesendet werden. Nur gescheiterte Mails ohne Geheimnis gehen erneut.",
    en="This mail cannot be sent again. Only failed mails without a secret go once more.",
    side=Side.OURS,
    source="spec/05 (transport out)",
)
MAIL_NOT_ASIDE = kind(
    "mailroom.not_aside",
    de="Diese Mail ist bearbeitet oder wartet noch; nur zurückgestellte, abgelehnte und übergangene liest man noch "
    "einmal.",
    en="This mail has been handled or still waits; only those put aside, refused or passed over are read again.",
    side=Side.OURS,
    source="C-2",
)
MAIL_OWN = kind(
    "mailroom.own",
    de="Die Mail trägt unsere eigene Adresse als Absender. Sie wird aufbewahrt, aber nicht bearbeitet.",
    en="The mail has our own address as its sender. It is kept but not handled.",
    side=Side.CLIENT,
    source="C-2 (loops are cut)",
)
MAIL_AUTOMATIC = kind(
    "mailroom.automatic",
    de="Die Mail hat ein Programm geschrieben (Auto-Submitted). Sie wird aufbewahrt, aber nicht bearbeitet.",
    en="The mail was written by a program (Auto-Submitted). It is kept but not handled.",
    side=Side.CLIENT,
    source="C-2 (loops are cut); RFC 3834",
)
MAIL_FROM_LIST = kind(
    "mailroom.from_list",
    de="Die Mail kommt aus einer Mailingliste. Sie wird aufbewahrt, aber nicht bearbeitet.",
    en="The mail comes from a mailing list. It is kept but not handled.",
    side=Side.CLIENT,
    source="C-2 (loops are cut); RFC 2919",
)
MAIL_REPORT = kind(
    "mailroom.report",
    de="Die Mail ist ein Zustellbericht. Was er über unsere Mails sagt, steht bei diesen.",
    en="The mail is a delivery report. What it says about our mails stands with them.",
    side=Side.CLIENT,
    source="C-2; RFC 3464",
)
MAIL_REPEATED = kind(
    "mailroom.repeated",
    de="Die Mail wiederholt Mail {mail} desselben Absenders (gleiche Message-ID). Jene ist bearbeitet.",
    en="The mail repeats mail {mail} of the same sender (same Message-ID). That one has been handled.",
    side=Side.CLIENT,
    source="spec/05 (transport in)",
)
