"""Refusals about talking with a Sub-CA (TR-03129-4)."""

from torwart.kernel.refusals import Retry, Side, kind

CA_UNREACHABLE = kind(
    "ca.unreachable",
    de="Die Sub-CA ({address}) ist nicht erreichbar: {why}. Der Vorgang wird mit derselben Nachrichtenkennung "
    "wiederholt.",
    en="The Sub-CA ({address}) cannot be reached: {why}. The call is repeated with the same message id.",
    side=Side.CA,
    retry=Retry.LATER,
    source="TR-03129-4 §2; spec/08 (Sub-CA down)",
)
CA_TIMEOUT = kind(
    "ca.timeout",
    de="Die Sub-CA ({address}) hat nach {seconds} s nicht geantwortet. Ob sie gehandelt hat, ist offen; der Vorgang "
    "wird mit derselben Nachrichtenkennung wiederholt.",
    en="The Sub-CA ({address}) did not answer within {seconds} s. Whether it acted is open; the call is repeated with "
    "the same message id.",
    side=Side.CA,
    retry=Retry.LATER,
    source="TR-03129-4 §2; spec/08 (Sub-CA slow)",
)
CA_PROTOCOL = kind(
    "ca.protocol",
    de="Die Gegenstelle hält sich nicht an TR-03129-4: {why}.",
    en="The other side does not keep to TR-03129-4: {why}.",
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 annex A (WSDL 1.3.1)",
)
CA_MESSAGE = kind(
    "ca.message",
    de="Diese Nachricht darf nach TR-03129-4 so nicht gesendet werden: {why}.",
    en="TR-03129-4 does not allow to send this message: {why}.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.2.1",
)
CA_IDENTITY = kind(
    "ca.identity",
    de="Die Gegenstelle {address} zeigt ein Zertifikat, das nicht der Sub-CA gehört: {why}",
    en="The other side {address} shows a certificate that is not the Sub-CA's: {why}",
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §1.2",
)
