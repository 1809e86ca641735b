"""From where a request comes, and whether provider roles may act from there (P-5)."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

Networks = list[IPv4Network | IPv6Network]


def address_of(request: HttpRequest) -> str:
    """The address of whoever asks. ``X-Forwarded-For`` counts only as far as our own proxies wrote it: read from the
    right, the first address that is no proxy of ours.
    """
    hops = [request.META.get("REMOTE_ADDR", "")]
    hops += reversed([part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")])
    for hop in hops:
        if not _within(hop, settings.TORWART_PROXIES):
            return hop if _parsed(hop) else ""
    return hops[-1]


def through_our_proxy(request: HttpRequest) -> bool:
    """Whether the connection itself comes from a proxy of ours."""
    return _within(request.META.get("REMOTE_ADDR", ""), settings.TORWART_PROXIES)


def at_the_site(request: HttpRequest) -> bool:
    """Whether the request comes from a network of the provider."""
    return _within(address_of(request), settings.TORWART_PROVIDER_NETWORKS)


def _within(text: str, networks: Networks) -> bool:
    address = _parsed(text)
    return address is not None and any(address in network for network in networks)


def _parsed(text: str) -> object | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
