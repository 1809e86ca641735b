"""Who may see a page. Whoever may not is answered exactly as if the address did not exist (P-1).

Nobody signed in is led to the sign-in page and back. Use the decorators on views; they may be stacked on class-based
views' ``as_view()`` too. ``client_of(request)`` is the only way a portal view learns whose data it may read.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase

from torwart.kernel.role import CLIENT, PROVIDER, Role
from torwart.services import user as users

View = Callable[..., HttpResponseBase]


def client_of(request: HttpRequest) -> int:
    """The client whose person this is (its primary key); the provider's people have none and get a 404."""
    client: int | None = getattr(request.user, "client_id", None)
    if client is None:
        raise Http404
    return client


def actor_of(request: HttpRequest) -> str:
    """Who acts, as services and the audit trail name them: ``client:anna@…`` or ``provider:otto@…``."""
    return users.actor(request.user)  # type: ignore[arg-type]  # behind the decorators it is our user


def has_any(request: HttpRequest, *roles: Role) -> bool:
    """Whether the person holds one of ``roles`` on the side the role belongs to."""
    user: Any = request.user
    mine = {role for role in roles if role.value in user.roles}
    return bool(mine & (PROVIDER if user.is_provider else CLIENT))


def needs(*roles: Role) -> Callable[[View], View]:
    """Only for people who hold one of ``roles``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not has_any(request, *roles):
                raise Http404
            return view(request, *arguments, **named)

        return guarded

    return decorate


provider_only = needs(*PROVIDER)
client_only = needs(*CLIENT)
may_order = needs(Role.CONTACT)


def signed_in(view: View) -> View:
    """For everybody who is signed in, whatever their role."""

    @wraps(view)
    def guarded(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *arguments, **named)

    return guarded
