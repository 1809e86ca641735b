"""Webhooks: which addresses may be called at all, and when a delivery is tried again (spec/07 point 5)."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from torwart.kernel.refusals.webhook import WEBHOOK_ADDRESS, WEBHOOK_URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LASTS = timedelta(days=3)
"""„retries with back-off for three days“: then a delivery is dead, visible, and can be sent again by hand."""
_WAITS = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600))
_LONGEST = 2000


def check_url(url: str, *, hosts: Sequence[str]) -> tuple[str, int]:
    """Host and port of an endpoint, or ``webhook.url``: https, a host name, no user, no fragment.

    ``hosts``: names the installation allows by setting (``name`` or ``name:port``), also by plain http.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        raise WEBHOOK_URL(url=url[:80]) from None
    plain = all("!" <= c <= "~" for c in url) and len(url) <= _LONGEST
    secure = parts.scheme == "https" or (parts.scheme == "http" and allowed(host, port, hosts))
    if not (plain and secure and host and not parts.username and not parts.password and not parts.fragment):
        raise WEBHOOK_URL(url=url[:80])
    return host, port


def allowed(host: str, port: int, hosts: Sequence[str]) -> bool:
    """Whether the installation allows this host by name."""
    return host.lower() in hosts or f"{host.lower()}:{port}" in hosts


def check_addresses(host: str, addresses: Sequence[str]) -> list[str]:
    """The addresses a host name has, all of them public; else ``webhook.address``: who can make us call inside our own
    networks could read and do there what they let us (SSRF). One address inside spoils all, so that a name that
    changes its answers gains nothing.
    """
    found = [_plain(ipaddress.ip_address(address.partition("%")[0])) for address in addresses]
    if not found or not all(_public(address) for address in found):
        raise WEBHOOK_ADDRESS(host=host)
    return [str(address) for address in found]


def next_attempt(first: datetime, attempts: int, at: datetime) -> datetime | None:
    """When to try again after ``attempts`` in vain, the first at ``first``; ``None``: three days have passed."""
    following = at + _WAITS[min(attempts, len(_WAITS)) - 1]
    return following if following <= first + LASTS else None


def _plain(address: Address) -> Address:
    """An IPv4 address in IPv6 clothes is that IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):  # NAT64
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address


def _public(address: Address) -> bool:
    site_local = (
        isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    )  # given up, and still routed inside
    return address.is_global and not address.is_multicast and not address.is_reserved and not site_local
