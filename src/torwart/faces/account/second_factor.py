"""Help for somebody who lost every second factor: an administrator lets them begin anew (P-4)."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction

from torwart.services import user as users


def forget(user: int, *, actor: str, at: datetime) -> None:
    """Remove app, passkeys and emergency codes of an account. A provider's person must set up a new one at the next
    sign-in; invite them again, too (``users.invite_again``), for whoever has the device may know the password.
    """
    with transaction.atomic():
        factors = list(Authenticator.objects.filter(user=user).select_for_update())
        users.second_factor_forgotten(user, [each.type for each in factors], by=actor, at=at)
        for each in factors:
            each.delete()
