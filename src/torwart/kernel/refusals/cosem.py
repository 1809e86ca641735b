"""Refusals of COSEM over HTTP (TR-03109-1 Anlage II, in short A2): framing, addresses, values, access."""

from torwart.kernel.refusals import Retry, Side, kind

HTTP_MALFORMED = kind(
    "http.malformed",
    de="Die HTTP-Nachricht ist fehlerhaft: {why}. Die Sitzung wird beendet; der Absender muss neu verbinden.",
    en="The HTTP message is malformed: {why}. The session is ended; its sender must connect anew.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="TR-03109-1 Detailspezifikationen, REQ.Webservice.HttpServer.60",
)
HTTP_HEADER_TOO_LONG = kind(
    "http.header_too_long",
    de="Der HTTP-Header ist zu lang: {what} hat {size} Bytes, erlaubt sind {limit}. Kürzere Header senden.",
    en="The HTTP header is too long: {what} has {size} bytes, {limit} are allowed. Send shorter headers.",
    side=Side.GATEWAY,
    source="A2 §7.3; TR-03109-1 Detailspezifikationen, REQ.Webservice.HttpServer.170/180",
)
HTTP_URI_TOO_LONG = kind(
    "http.uri_too_long",
    de="Die Request-URI hat {size} Zeichen, erlaubt sind {limit}. Die Abfrage aufteilen.",
    en="The request URI has {size} characters, {limit} are allowed. Split the query.",
    side=Side.GATEWAY,
    source="A2 §7.1: Die Länge der Request-URI soll nicht größer als 4000 Zeichen sein",
)
HTTP_BODY_TOO_LARGE = kind(
    "http.body_too_large",
    de="Der HTTP-Body hat {size} Bytes, erlaubt sind {limit}. Als Blöcke (Range) senden.",
    en="The HTTP body has {size} bytes, {limit} are allowed. Send it in blocks (Range).",
    side=Side.GATEWAY,
    source="A2 Tabelle 12, 413",
)
HTTP_LENGTH_REQUIRED = kind(
    "http.length_required",
    de="Die Nachricht gibt ihre Länge nicht mit Content-Length an. Ohne Transfer-Encoding, mit Content-Length senden.",
    en="The message does not give its length by Content-Length. Send that, and no Transfer-Encoding.",
    side=Side.GATEWAY,
    source="A2 Tabelle 12, 411: Die Angabe von Content-Length ist verpflichtend",
)
HTTP_HEADER_MISSING = kind(
    "http.header_missing",
    de="Dem Request fehlt das Pflicht-Header-Feld {header}. Mit diesem Feld senden.",
    en="The request lacks the mandatory header field {header}. Send it with that field.",
    side=Side.GATEWAY,
    source="A2 §7.3.1: Requests in denen Muss Header Felder fehlen, müssen mit HTTP-Error 400 abgelehnt werden",
)
HTTP_HOST_WRONG = kind(
    "http.host_wrong",
    de="Der Request ist an den Host „{host}“ gerichtet, der hier nicht wohnt. Den Namen aus dem Profil verwenden.",
    en="The request is addressed to host “{host}”, which does not live here. Use the name from the profile.",
    side=Side.GATEWAY,
    source="A2 Tabelle 12, 403: Falscher Hostname",
)
HTTP_METHOD_UNKNOWN = kind(
    "http.method_unknown",
    de="Die HTTP-Methode {method} ist nicht vorgesehen. GET, PUT, POST oder DELETE verwenden.",
    en="The HTTP method {method} is not provided for. Use GET, PUT, POST or DELETE.",
    side=Side.GATEWAY,
    source="A2 §7.6: Der Server erlaubt nur Zugriffe mit den HTTP-Methoden GET, PUT, POST, DELETE",
)
HTTP_VERSION = kind(
    "http.version",
    de="Die Nachricht spricht HTTP/{version}. HTTP/1.1 verwenden.",
    en="The message speaks HTTP/{version}. Use HTTP/1.1.",
    side=Side.GATEWAY,
    source="A2 Tabelle 12, 506",
)
HTTP_PIPELINING = kind(
    "http.pipelining",
    de="Ein zweiter Request kam vor der Antwort auf den ersten. Die Sitzung wird beendet; Antworten abwarten.",
    en="A second request came before the first was answered. The session is ended; wait for answers.",
    side=Side.GATEWAY,
    source="A2 §7.1: Pipelineing von Requests ist nicht erlaubt",
)
HTTP_BUSY = kind(
    "http.busy",
    de="Auf dieser Verbindung ist noch ein Request unbeantwortet. Später erneut senden.",
    en="A request on this connection is still unanswered. Send again later.",
    side=Side.OURS,
    retry=Retry.LATER,
    source="A2 §7.1: bevor ein neuer Request gesendet wird muss eine Response vorliegen",
)
HTTP_UNSOLICITED = kind(
    "http.unsolicited",
    de="Es kamen Bytes, auf die kein Request wartet. Die Sitzung wird beendet und neu aufgebaut.",
    en="Bytes arrived that no request waits for. The session is ended and built anew.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="A2 §7.1: Eine Response ohne Request ist nicht möglich",
)
HTTP_ENDED = kind(
    "http.ended",
    de="Die Verbindung endete mitten im Austausch ({where}). GET, PUT und DELETE wiederholen, einen POST melden.",
    en="The connection ended in the middle of an exchange ({where}). Repeat GET, PUT and DELETE, report a POST.",
    side=Side.NETWORK,
    retry=Retry.LATER,
    source="A2 §7.12",
)
HTTP_TIMEOUT = kind(
    "http.timeout",
    de="Innerhalb der eingestellten Zeit kam keine Antwort. Die Sitzung wird getrennt; später erneut versuchen.",
    en="No answer came within the time set. The session is cut; try again later.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="A2 §7.1.1",
)
HTTP_UNFIT = kind(
    "http.unfit",
    de="Diese Nachricht darf so nicht gesendet werden: {why}.",
    en="This message must not be sent like that: {why}.",
    side=Side.OURS,
)

COSEM_DATA = kind(
    "cosem.data",
    de="{what} ist kein gültiger Wert des COSEM-Typs {type}. Wert oder Typ berichtigen.",
    en="{what} is no valid value of the COSEM type {type}. Correct value or type.",
    side=Side.GATEWAY,
    source="A2 §8.3",
)
COSEM_LITERAL = kind(
    "cosem.literal",
    de="„{text}“ ist kein COSEM-Literal: {why}. Schreibweise wie long:3 oder [integer:1,integer:2] verwenden.",
    en="“{text}” is no COSEM literal: {why}. Write like long:3 or [integer:1,integer:2].",
    side=Side.GATEWAY,
    source="A2 §7.7, Tabelle 13",
)
COSEM_DEVICE_ID = kind(
    "cosem.device_id",
    de="„{text}“ ist kein kanonischer Gerätebezeichner. Kleinbuchstaben, Ziffern und - mit Postfix .sm oder .eui.",
    en="“{text}” is no canonical device id. Lower-case letters, digits and - with the postfix .sm or .eui.",
    side=Side.GATEWAY,
    source="A2 §6.1",
)
COSEM_OBJECT_ID = kind(
    "cosem.object_id",
    de="„{text}“ ist kein COSEM-Objekt-Bezeichner. Schreibweise <Class-ID>-<12 Hexziffern>, z. B. 3-0100010800ff.",
    en="“{text}” is no COSEM object id. Write <class id>-<12 hex digits>, e.g. 3-0100010800ff.",
    side=Side.GATEWAY,
    source="A2 §6.4",
)
COSEM_INDEX = kind(
    "cosem.index",
    de="„{text}“ ist kein Attribut- oder Methoden-Index. Eine Dezimalzahl von -128 bis 127 verwenden.",
    en="“{text}” is no attribute or method index. Use a decimal number from -128 to 127.",
    side=Side.GATEWAY,
    source="A2 §6.5, §6.6",
)
COSEM_NOT_FOUND = kind(
    "cosem.not_found",
    de="Die Ressource {path} gibt es für diesen Client nicht. Pfad prüfen oder die Ressource mit PUT anlegen.",
    en="There is no resource {path} for this client. Check the path, or create the resource by PUT.",
    side=Side.GATEWAY,
    source="A2 Tabelle 12, 404; §7.6",
)
COSEM_NOT_ALLOWED = kind(
    "cosem.not_allowed",
    de="{method} ist auf {path} nicht erlaubt. Eine der Methoden {allowed} verwenden.",
    en="{method} is not allowed on {path}. Use one of {allowed}.",
    side=Side.GATEWAY,
    source="A2 Tabelle 12, 405",
)
COSEM_NOT_ACCEPTABLE = kind(
    "cosem.not_acceptable",
    de="Die Ressource gibt es nur als {offered}, der Client nimmt nur {accept}. Accept erweitern.",
    en="The resource exists only as {offered}, the client takes only {accept}. Widen Accept.",
    side=Side.GATEWAY,
    source="A2 Tabelle 12, 406",
)
COSEM_TOO_SLOW = kind(
    "cosem.too_slow",
    de="Die Antwort braucht länger als die Antwortzeit. Mit x-CID und x-ContactURI senden oder später wiederholen.",
    en="The answer takes longer than the response time. Send with x-CID and x-ContactURI, or repeat later.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="A2 §7.3.1.9: … wird die Anfrage mit einer Fehlermeldung 408 Request Timeout beendet",
)
COSEM_MEDIA_TYPE = kind(
    "cosem.media_type",
    de="Der Inhaltstyp „{given}“ wird hier nicht verarbeitet. Einen von {known} senden.",
    en="Content type “{given}” is not processed here. Send one of {known}.",
    side=Side.GATEWAY,
    source="A2 §7.3.1.1; TR-03109-1 Detailspezifikationen Tabelle 6.2, 415",
)
COSEM_RANGE = kind(
    "cosem.range",
    de="Der Bereich „{range}“ passt nicht zur Ressource: {why}. Mit dem nächsten fehlenden Byte weitermachen.",
    en="Range “{range}” does not fit the resource: {why}. Go on with the next missing byte.",
    side=Side.GATEWAY,
    source="A2 §7.3.1.8, §7.12.1, Tabelle 12, 416",
)
COSEM_QUERY = kind(
    "cosem.query",
    de="Der Query-Parameter {name}={value} ist nicht verwendbar: {why}. Wert berichtigen oder weglassen.",
    en="Query parameter {name}={value} cannot be used: {why}. Correct or omit it.",
    side=Side.GATEWAY,
    source="A2 §7.8",
)
COSEM_BODY = kind(
    "cosem.body",
    de="Der Inhalt ist nicht das erwartete COSEM-XML: {why}. Der Absender muss ihn berichtigen.",
    en="The content is not the COSEM XML expected: {why}. Its sender must correct it.",
    side=Side.GATEWAY,
    source="A2 §8.2; TR-03109-1 Detailspezifikationen Tabelle 6.2, 422",
)
COSEM_APPLICATION = kind(
    "cosem.application",
    de="Das Gerät meldet den COSEM-Anwendungsfehler {status}: {why}. Ursache beheben und erneut senden.",
    en="The device reports COSEM application error {status}: {why}. Remedy the cause and send again.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="A2 Tabelle 12, 500; §8.2.12",
)
COSEM_CORRELATION = kind(
    "cosem.correlation",
    de="„{value}“ ist keine Correlation-ID. uuid: und eine UUID der Version 4 senden.",
    en="“{value}” is no correlation id. Send uuid: and a UUID of version 4.",
    side=Side.GATEWAY,
    source="A2 §7.3.1.7",
)
COSEM_CONTACT = kind(
    "cosem.contact",
    de="„{value}“ ist keine x-ContactURI: {why}. Eine https-URI auf eine COSEM-Methode senden.",
    en="“{value}” is no x-ContactURI: {why}. Send an https URI of a COSEM method.",
    side=Side.GATEWAY,
    source="A2 §7.3.1.9",
)
COSEM_ANSWER = kind(
    "cosem.answer",
    de="Das Gateway antwortete mit Status {status} statt wie erwartet ({expected}): {why}.",
    en="The gateway answered status {status} instead of what was expected ({expected}): {why}.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="A2 §7.4",
)
