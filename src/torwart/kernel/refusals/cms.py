"""Refusals about CMS messages: each departure from the profile of TR-03109-1 DS ch. 5 has its own kind."""

from torwart.kernel.refusals import Kind, Retry, Side, kind

_DS = "TR-03109-1 DS 2.0"


def _theirs(name: str, source: str, *, de: str, en: str) -> Kind:
    """A fault of who made the message; the same message will never pass."""
    return kind(f"cms.{name}", de=de, en=en, side=Side.GATEWAY, source=source)


CMS_MALFORMED = _theirs(
    "malformed",
    "RFC 5652; ITU-T X.690",
    de="Die Nachricht ist kein lesbares CMS: {why}. Der Absender muss sie neu erzeugen.",
    en="The message is not readable CMS: {why}. The sender has to make it anew.",
)
CMS_TOO_LARGE = _theirs(
    "too_large",
    "(ours)",
    de="Die CMS-Nachricht hat {size} Bytes, erlaubt sind {limit}. Kleinere Teile senden oder die Grenze anheben.",
    en="The CMS message has {size} bytes, {limit} are allowed. Send smaller parts or raise the limit.",
)
CMS_BOMB = _theirs(
    "bomb",
    "(ours)",
    de="Der komprimierte Inhalt ({size} Bytes) wird entpackt größer als {limit} Bytes. Absender prüfen.",
    en="The compressed content ({size} bytes) unpacks to more than {limit} bytes. Check the sender.",
)
CMS_CONTENT_TYPE = _theirs(
    "content_type",
    f"{_DS} 5.3.1 REQ.CMS.ContentInfo.20",
    de="Die Nachricht enthält den Typ {found} statt {expected}. Der Absender muss das CMS-Profil einhalten.",
    en="The message holds type {found} instead of {expected}. The sender has to keep to the CMS profile.",
)
CMS_VERSION = _theirs(
    "version",
    f"{_DS} 5.3.2 and 5.3.3",
    de="{structure} hat nicht die Version {expected}. Der Absender muss das CMS-Profil einhalten.",
    en="{structure} does not have version {expected}. The sender has to keep to the CMS profile.",
)
CMS_ALGORITHM = _theirs(
    "algorithm",
    f"{_DS} 5.2.2, 5.3.2.2 and 5.3.3.2; TR-03116-3 ch. 8",
    de="Das Verfahren für {what} ist nicht erlaubt ({found}). Der Absender muss ein Verfahren des Profils nutzen.",
    en="The algorithm for {what} is not allowed ({found}). The sender has to use one of the profile.",
)
CMS_PARAMETERS = _theirs(
    "parameters",
    f"{_DS} 5.3.2.2.3, 5.3.2.2.4 and 5.4",
    de="Die Parameter der Inhaltsverschlüsselung weichen vom Profil ab: {why}. Der Absender muss sie berichtigen.",
    en="The parameters of the content encryption depart from the profile: {why}. The sender has to correct them.",
)

CMS_SIGNERS = _theirs(
    "signers",
    f"{_DS} 5.3.3.1 Table 5.6 (signerInfos)",
    de="Die Nachricht hat {count} Unterzeichner; genau einer ist vorgeschrieben.",
    en="The message has {count} signers; exactly one is prescribed.",
)
CMS_SIGNER_IDENTIFIER = _theirs(
    "signer_identifier",
    f"{_DS} 5.3.3.1 Table 5.6 (sid)",
    de="Der Unterzeichner ist nicht über die Schlüsselkennung (SKI) benannt, wie das Profil es verlangt.",
    en="The signer is not named by subject key identifier (SKI) as the profile demands.",
)
CMS_SIGNER_UNKNOWN = _theirs(
    "signer_unknown",
    f"{_DS} 5.2.1 REQ.CMS.Zertifikate.10",
    de="Der Unterzeichner mit der Schlüsselkennung {ski} ist hier nicht hinterlegt. Zertifikat des Absenders prüfen.",
    en="The signer with key identifier {ski} is not configured here. Check the sender's certificate.",
)
CMS_SIGNER_CERTIFICATE = _theirs(
    "signer_certificate",
    f"{_DS} 5.3.3.1 Table 5.6 (certificates)",
    de="Das mitgesandte Zertifikat passt nicht zum Unterzeichner: {why}. Der Absender muss sein eigenes beilegen.",
    en="The attached certificate does not fit the signer: {why}. The sender has to attach its own.",
)
CMS_REVOCATIONS = _theirs(
    "revocations",
    f"{_DS} 5.3.3.1 Table 5.6 (crls)",
    de="Die Nachricht führt Sperrlisten mit; das Profil lässt das Feld entfallen.",
    en="The message carries revocation lists; the profile leaves the field out.",
)
CMS_SIGNED_ATTRIBUTES = _theirs(
    "signed_attributes",
    f"{_DS} 5.3.3.1 Table 5.6 (signedAttrs)",
    de="Die signierten Attribute weichen vom Profil ab: {why}. Verlangt sind contentType und messageDigest.",
    en="The signed attributes depart from the profile: {why}. Demanded are contentType and messageDigest.",
)
CMS_UNSIGNED_ATTRIBUTES = _theirs(
    "unsigned_attributes",
    f"{_DS} 5.3.3.1 Table 5.6 (unsignedAttr)",
    de="Die Nachricht hat unsignierte Attribute; das Profil verbietet sie.",
    en="The message has unsigned attributes; the profile forbids them.",
)
CMS_DETACHED = _theirs(
    "detached",
    f"{_DS} 5.2.2 Table 5.2",
    de="Inhalt und Signatur passen nicht zusammen: {why}. Inhalt genau einmal angeben, innen oder daneben.",
    en="Content and signature do not go together: {why}. Give the content exactly once, inside or beside.",
)
CMS_DIGEST_WRONG = _theirs(
    "digest_wrong",
    "RFC 5652 5.4 and 5.6",
    de="Der Inhalt hat nicht den signierten Hashwert; er wurde verändert. Nachricht erneut anfordern.",
    en="The content does not have the signed digest; it was changed. Ask for the message again.",
)
CMS_SIGNATURE_WRONG = _theirs(
    "signature_wrong",
    f"{_DS} 5.3.3; TR-03116-3 8.2",
    de="Die Signatur der Nachricht ist falsch. Nachricht nicht verwenden; Schlüssel und Absender prüfen.",
    en="The message's signature is wrong. Do not use the message; check key and sender.",
)

CMS_RECIPIENTS = _theirs(
    "recipients",
    f"{_DS} 5.3.2.1 Table 5.5 (RecipientInfos)",
    de="Die Nachricht hat {count} Empfänger; genau einer ist vorgeschrieben.",
    en="The message has {count} recipients; exactly one is prescribed.",
)
CMS_RECIPIENT_KIND = _theirs(
    "recipient_kind",
    f"{_DS} 5.3.2.1 Table 5.5 (kari, rid)",
    de="Der Empfänger ist nicht nach Profil angegeben: {why}. Verlangt sind Schlüsselvereinbarung und rKeyId mit SKI.",
    en="The recipient is not given by the profile: {why}. Demanded are key agreement and rKeyId with SKI.",
)
CMS_WRONG_RECIPIENT = _theirs(
    "wrong_recipient",
    f"{_DS} 5.3.2.1 Table 5.5 (subjectKeyIdentifier)",
    de="Die Nachricht ist für den Schlüssel {ski} verschlüsselt, nicht für unseren. ENC-Zertifikat im Profil prüfen.",
    en="The message is encrypted for key {ski}, not for ours. Check the ENC certificate in the profile.",
)
CMS_ORIGINATOR = _theirs(
    "originator",
    f"{_DS} 5.3.2.1 Table 5.5 (originatorInfo, originator, ukm)",
    de="Der Absenderschlüssel ist nicht nach Profil angegeben: {why}. Verlangt ist nur ein ephemerer EC-Schlüssel.",
    en="The sender's key is not given by the profile: {why}. Demanded is an ephemeral EC key and nothing else.",
)
CMS_POINT = _theirs(
    "point",
    "TR-03116-3 2.2; TR-03111 4.3.2.2",
    de="Der ephemere Punkt liegt nicht unkomprimiert auf der Kurve unseres Schlüssels. Absender prüfen.",
    en="The ephemeral point is not an uncompressed point on our key's curve. Check the sender.",
)
CMS_KEY_WRONG = _theirs(
    "key_wrong",
    "RFC 3394 2.2.2; RFC 5753 7.2",
    de="Der Inhaltsschlüssel lässt sich nicht auspacken. Nachricht verändert, oder Schalter SharedInfo verschieden.",
    en="The content key cannot be unwrapped. The message was changed, or the SharedInfo switches differ.",
)
CMS_MAC_WRONG = _theirs(
    "mac_wrong",
    "RFC 5083 2.2; TR-03116-3 8.1.1",
    de="Die Prüfsumme (MAC) des verschlüsselten Inhalts ist falsch. Nachricht verwerfen und erneut anfordern.",
    en="The MAC of the encrypted content is wrong. Discard the message and ask for it again.",
)
CMS_PADDING = _theirs(
    "padding",
    f"{_DS} 5.4 REQ.CMS.AesCbcCmac.40; RFC 5652 6.3",
    de="Der entschlüsselte Inhalt ist falsch aufgefüllt. Der Absender muss nach RFC 5652 6.3 auffüllen.",
    en="The decrypted content is padded wrongly. The sender has to pad by RFC 5652 6.3.",
)
CMS_AUTHENTICATED_ATTRIBUTES = _theirs(
    "authenticated_attributes",
    f"{_DS} 5.3.2.1 Table 5.5 (authAttrs), 5.4 REQ.CMS.AesCbcCmac.110",
    de="Die authentisierten Attribute weichen vom Profil ab: {why}. Der Absender muss sie berichtigen.",
    en="The authenticated attributes depart from the profile: {why}. The sender has to correct them.",
)
CMS_UNAUTHENTICATED_ATTRIBUTES = _theirs(
    "unauthenticated_attributes",
    f"{_DS} 5.3.2.1 Table 5.5 (unauthAttrs)",
    de="Die Nachricht hat nicht authentisierte Attribute; das Profil verbietet sie.",
    en="The message has unauthenticated attributes; the profile forbids them.",
)
CMS_NOT_COMPRESSED = _theirs(
    "not_compressed",
    f"{_DS} 6 Table 6.1 (encap=cms-tr03109)",
    de="Der Inhalt ist nicht komprimiert, obwohl die Übertragung es verlangt. Absender oder Schalter ändern.",
    en="The content is not compressed although the transfer demands it. Change the sender or the switch.",
)

CMS_CERTIFICATE = kind(
    "cms.certificate",
    de="Das Zertifikat taugt hier nicht: {why}. Ein passendes SM-PKI-Zertifikat hinterlegen.",
    en="The certificate does not serve here: {why}. Configure a fitting SM-PKI certificate.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="TR-03109-1 DS 2.0 5.2.1 REQ.CMS.Zertifikate.10; 5.2.3",
)
