"""The main navigation: each face registers its entries when Django comes up; a page shows those of one's roles."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise

from torwart.kernel.role import CLIENT, PROVIDER, Role


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its word (``t(de, en)``), the URL name it leads to, an icon of the sprite, and who sees it.

    Its page is marked as current while the address begins with the entry's.
    """

    word: Promise
    url: str
    icon: str
    roles: frozenset[Role] = PROVIDER | CLIENT


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry of this page: ready to draw."""

    word: Promise
    href: str
    icon: str
    current: bool


_log = logging.getLogger("torwart.web")
_entries: dict[str, tuple[Entry, ...]] = {}


def register(face: str, *entries: Entry) -> None:
    """Say, in ``AppConfig.ready``, which entries ``face`` has, in their order."""
    _entries[face] = entries


def shown(request: HttpRequest) -> list[Shown]:
    """What the person sees, with the entry of this page marked; the longest address that fits is the current one."""
    roles = set(getattr(request.user, "roles", ()))
    mine = [entry for entry in _all() if roles & {role.value for role in entry.roles}]
    places = [(entry, _address(entry)) for entry in mine]
    current = max((href for _, href in places if href and request.path.startswith(href)), key=len, default="")
    return [Shown(entry.word, href, entry.icon, href == current) for entry, href in places if href]


def _address(entry: Entry) -> str:
    """Where the entry leads; an entry without a page is left out, so that one gap does not take all pages down."""
    try:
        return reverse(entry.url)
    except NoReverseMatch:
        _log.error("no page for the navigation entry %s", entry.url)
        return ""


def _all() -> Iterable[Entry]:
    return (entry for entries in _entries.values() for entry in entries)
