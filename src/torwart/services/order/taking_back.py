"""Taking an order back: the client withdraws or cancels it, an operator refuses it (O-10)."""

from datetime import datetime

from django.db import transaction

from torwart.kernel.order_state import ORDER, OrderState, OrderVerb
from torwart.kernel.refusals.order import GRACE_OVER, NOT_CANCELLABLE, REASON_MISSING, REFUSED_BY_US
from torwart.kernel.words import Words
from torwart.ports.process_engine import ProcessEngine
from torwart.rules.lead_time import spoken
from torwart.services import run as runs
from torwart.services.letter import order as letters
from torwart.services.order.rows import acting, close, failed_as, locked, move, run_id_of, step_words, steps_of
from torwart.store.models import User


def withdraw(engine: ProcessEngine, number: str, *, client: int, actor: str, now: datetime) -> None:
    """Take an order back while nothing has begun (O-10); after that ``order.grace_over`` points to cancelling."""
    with transaction.atomic():
        order = locked(number, client)
        if now >= order.withdrawable_until and ORDER.can(OrderState(order.state), OrderVerb.CANCEL):
            raise GRACE_OVER(number=order.number, until=spoken(order.withdrawable_until))
        move(order, OrderVerb.WITHDRAW, now, ended_at=now)
        runs.cancel(engine, run_id_of(order), actor=actor, reason="zurückgezogen")
        close(
            order,
            Words("Auftrag zurückgezogen, es hatte nichts begonnen.", "Order withdrawn, nothing had begun."),
            "order.withdrawn",
            lambda language, about: letters.withdrawn(language, about, actor=acting(actor)),
            actor=actor,
            now=now,
        )


def cancel(
    engine: ProcessEngine,
    number: str,
    *,
    client: int | None,
    actor: str,
    reason: str,
    now: datetime,
    free: runs.Free | None,
    not_from: str,
) -> list[Words]:
    """Cancel an order as far as its process allows (O-10); what has been done and stays, step by step.

    ``not_from``: the step from which on it must be finished; ``free`` gives back what was reserved. Faces call
    ``processes.ordering.cancel``, which knows both.
    """
    with transaction.atomic():
        order = locked(number, client)
        move(order, OrderVerb.CANCEL, now, ended_at=now)
        runs.cancel(engine, run_id_of(order), actor=actor, reason=reason, free=free)
        # Asked only now, when no step can begin any more: the engine's row of the run is ours until the commit.
        steps, gone = steps_of(order), order.wording.get("leaves_nothing", ())
        if not_from and not_from in {name for name, _ in steps}:
            words = step_words(order, not_from)
            raise NOT_CANCELLABLE(number=order.number, step_de=words.de, step_en=words.en)
        stays = [step_words(order, name) for name, state in steps if state == "done" and name not in gone]
        close(
            order,
            Words(f"Auftrag storniert: {reason}", f"Order cancelled: {reason}"),
            "order.cancelled",
            lambda language, about: letters.cancelled(language, about, reason=reason, stays=stays),
            actor=actor,
            now=now,
        )
    return stays


def refuse(engine: ProcessEngine, number: str, reason: str, *, user: int, now: datetime) -> None:
    """An operator refuses an order that has not begun; the client is told the reason."""
    if not reason.strip():
        raise REASON_MISSING()
    with transaction.atomic():
        order = locked(number, None)
        engine.cancel(run_id_of(order))
        refusal = REFUSED_BY_US(reason=reason.strip())
        runs.refuse(run_id_of(order), refusal)
        failed_as(order, refusal, OrderVerb.REFUSE, now, actor=f"user:{User.objects.get(pk=user).email}")
