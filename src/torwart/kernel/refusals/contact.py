"""Refusals of clients' contacts: their data, their certificates, the test of secure mail (P-3, S-MAIL-1 … S-MAIL-4)."""

from torwart.kernel.refusals import Retry, Side, kind

CONTACT_UNKNOWN = kind(
    "contact.unknown",
    de="Diesen Ansprechpartner gibt es nicht. Prüfen Sie die Angabe.",
    en="There is no such contact. Check the entry.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
CONTACT_FIELD = kind(
    "contact.field",
    de="„{given}“ geht hier nicht. Geben Sie {expected_de} ein.",
    en="“{given}” does not fit here. Enter {expected_en}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-3 (KL 3.3: name, first name, phone, e-mail)",
)
CONTACT_ADDRESS_TAKEN = kind(
    "contact.address_taken",
    de="Unter {email} gibt es schon einen Ansprechpartner. Ändern Sie diesen oder nennen Sie eine andere Adresse.",
    en="There is already a contact with {email}. Change that one or give another address.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-3",
)
CONTACT_TOO_FEW = kind(
    "contact.too_few",
    de="{name} kann nicht entfallen: Es blieben weniger als zwei Ansprechpartner. Nennen Sie zuerst einen weiteren.",
    en="{name} cannot be removed: fewer than two contacts would be left. Name another one first.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-3 (KL 3.3: at least two)",
)
CONTACT_CERTIFICATE_ADDRESS = kind(
    "contact.certificate_address",
    de="Das Zertifikat gilt für {addresses}, nicht für {email}. Nehmen Sie das Zertifikat dieses Ansprechpartners.",
    en="The certificate is for {addresses}, not for {email}. Take the certificate of this contact.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/05 (identity)",
)
CONTACT_CERTIFICATE_USE = kind(
    "contact.certificate_use",
    de="Mit diesem Zertifikat darf man Mails weder signieren noch verschlüsseln. Nehmen Sie das für E-Mail (S/MIME).",
    en="This certificate may neither sign nor encrypt mail. Take the one for e-mail (S/MIME).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="RFC 8550 §4.4",
)
CONTACT_NO_ENCRYPTION = kind(
    "contact.no_encryption",
    de="Für {name} ist kein gültiges Zertifikat zum Verschlüsseln hinterlegt. Hinterlegen Sie zuerst eines; dann "
    "senden wir die Testmail.",
    en="No valid certificate for encryption is stored for {name}. Store one first; then we send the test mail.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-3",
)
CONTACT_NOT_TESTED = kind(
    "contact.not_tested",
    de="Die gesicherte Mail mit dem Zertifikat dieser Signatur ist noch nicht getestet. Beantworten Sie unsere "
    "Testmail und senden Sie diese Mail danach noch einmal.",
    en="Secure mail with the certificate of this signature has not been tested yet. Answer our test mail and then send "
    "this mail again.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-3 (KL 3.2.2)",
)
TEST_UNSIGNED = kind(
    "contact.test_unsigned",
    de="Ihre Antwort auf die Testmail ist nicht signiert. Senden Sie sie signiert und verschlüsselt.",
    en="Your answer to the test mail is not signed. Send it signed and encrypted.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-3",
)
TEST_UNENCRYPTED = kind(
    "contact.test_unencrypted",
    de="Ihre Antwort auf die Testmail ist nicht verschlüsselt. Senden Sie sie signiert und verschlüsselt.",
    en="Your answer to the test mail is not encrypted. Send it signed and encrypted.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-3",
)
TEST_WRONG_WORD = kind(
    "contact.test_wrong_word",
    de="In Ihrer Antwort steht nicht das Prüfwort aus unserer letzten Testmail. Schreiben Sie es so ab, wie es dort "
    "steht.",
    en="Your answer does not contain the test word of our last test mail. Copy it as it stands there.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-3",
)
TEST_WRONG_SIGNER = kind(
    "contact.test_wrong_signer",
    de="Die Testmail prüft ein neues Zertifikat zum Signieren; Ihre Antwort ist mit einem anderen signiert. "
    "Signieren Sie mit dem neuen.",
    en="The test mail is about a new certificate for signing; your answer is signed with another one. Sign with the "
    "new one.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-3",
)
TEST_TOO_LATE = kind(
    "contact.test_too_late",
    de="Das Prüfwort dieser Testmail galt bis {end}. Wir haben Ihnen eine neue Testmail gesendet.",
    en="The test word of this test mail was valid until {end}. We have sent you a new test mail.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-3 (ours: 14 days)",
)
TEST_OVER = kind(
    "contact.test_over",
    de="Der Test ist nach drei falschen Antworten beendet. Fordern Sie im Portal eine neue Testmail an.",
    en="The test has ended after three wrong answers. Ask for a new test mail in the portal.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-2 (failed)",
)
CLIENT_UNKNOWN = kind(
    "contact.client_unknown",
    de="Diesen Auftraggeber gibt es nicht. Prüfen Sie die Angabe.",
    en="There is no such client. Check the entry.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
PARTICIPANT_TAKEN = kind(
    "contact.participant_taken",
    de="Die Codenummer {code} kann hier nicht eingetragen werden. Prüfen Sie sie oder rufen Sie den Service an.",
    en="The code number {code} cannot be recorded here. Check it or call the service.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
CLIENT_NOT_ACTIVE = kind(
    "contact.client_not_active",
    de="Aufträge gehen noch nicht: {name} braucht zwei Ansprechpartner mit getesteter gesicherter Mail, getestet sind "
    "{tested}.",
    en="No orders yet: {name} needs two contacts with tested secure mail, {tested} are tested.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-3",
)
CLIENT_CLOSED = kind(
    "contact.client_closed",
    de="{name} ist {state_de}; Aufträge gehen nicht. Rufen Sie den Service an.",
    en="{name} is {state_en}; no orders can be placed. Call the service.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-3",
)
