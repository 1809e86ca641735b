"""Durable processes on PostgreSQL (design D2, ``ports.process_engine``).

Theory of operation. A run is a row; absurd (https://github.com/earendil-works/absurd) keeps tasks, attempts and
checkpoints, ``store_wait`` keeps what a run waits for. A worker claims due rows under a lease that it renews while it
lives; when it dies the lease runs out and any worker takes the run over, tells its story again from the top and finds
finished steps answered by their checkpoints. A waiting run is rows only: no thread, no timer, no memory.
"""

from torwart.adapters.engine.context import OnStep
from torwart.adapters.engine.engine import AbsurdEngine
from torwart.adapters.engine.worker import Tuning

__all__ = ["AbsurdEngine", "OnStep", "Tuning"]
