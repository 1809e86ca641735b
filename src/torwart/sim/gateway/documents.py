"""Readings and logs of the gateway as documents, in the forms of ``torwart.wire``."""

from collections.abc import Iterable

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.sim.gateway.event import VENDOR
from torwart.sim.gateway.log import Entry, Log, LogKind
from torwart.sim.gateway.meter import POWER, SCALER
from torwart.sim.gateway.security_module import ModuleSigner
from torwart.sim.gateway.tariff import Value
from torwart.wire import logbook, readings
from torwart.wire.cosem import Query
from torwart.wire.profiles import EvaluationProfile
from torwart.wire.smgw import table

_LOG_NAMES = {
    LogKind.SYSTEM: table.SYSTEM_LOG.id.logical_name,
    LogKind.CALIBRATION: table.CALIBRATION_LOG.id.logical_name,
    LogKind.CONSUMER: table.CONSUMER_LOG.id.logical_name,
}


def readings_of(
    profile: EvaluationProfile, meter: DeviceId, values: Iterable[Value], gateway: DeviceId, signer: ModuleSigner
) -> readings.Readings:
    """A contract's values of one meter, each signed; the source is the contract, or its pseudonym."""
    columns: dict[str, list[readings.Reading]] = {}
    for value in values:
        columns.setdefault(value.register, []).append(_reading(value))
    source = profile.pseudonym or profile.id
    device = meter.host.removesuffix(".sm")
    made = tuple(readings.Column(ObisCode(name), device, tuple(rows)) for name, rows in columns.items())
    return readings.sign(readings.Readings(profile.logical_name, source, made), gateway, signer.sign)


def _reading(value: Value) -> readings.Reading:
    power = value.register == POWER
    unit, scaler = (readings.WATT, 0) if power else (readings.WATT_HOUR, SCALER)
    return readings.Reading(value.at, value.value, scaler, unit, value.status.to_bytes(8, "big"))


def log_document(gateway: DeviceId, log: Log, query: Query) -> bytes:
    """Entries of a log as the query selects them, newest first, at most 1000."""
    chosen = [entry for entry in log.newest_first(log.capacity) if _selected(entry, query)]
    limit = min(query.q_count if query.q_count is not None else logbook.MAX_ENTRIES, logbook.MAX_ENTRIES)
    entries = [_log_entry(entry) for entry in chosen[:limit]]
    device = gateway.host.removesuffix(".sm")
    return logbook.build(_LOG_NAMES[log.name], device, entries).to_xml()


def _selected(entry: Entry, query: Query) -> bool:
    """Detailspezifikationen Tabelle 6.5: q.fromtime inclusive, q.totime exclusive, q.level I, W, E, F."""
    level = logbook.Level.of_letter(query.q_level) if query.q_level else None
    return (
        (query.q_fromtime is None or entry.at >= query.q_fromtime)
        and (query.q_totime is None or entry.at < query.q_totime)
        and (level is None or entry.level is level)
    )


def _log_entry(entry: Entry) -> logbook.Entry:
    return logbook.Entry(
        entry.number,
        entry.seconds,
        entry.at,
        entry.level,
        VENDOR,
        entry.event,
        entry.success,
        entry.subject,
        entry.text,
        entry.parameters,
        repetitions=entry.repeated,
    )
