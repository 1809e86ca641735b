"""The hot statements of the engine, one set a queue, on the tables absurd keeps for it.

absurd's own functions are used wherever speed does not bind (``store/sql/engine.sql``). What every step and every
claim runs is said here as single statements, for three reasons, all measured or proven by tests:
- absurd.claim_task sorts all that is due at every claim; two index-ordered looks cost the same at any backlog;
- set_task_checkpoint_state reads the run's state without locking it, so a worker that lost its lease could write a
  step beside its successor; ``checkpoint`` locks the run row first, which makes a recorded step happen exactly once;
- one round trip and one commit for a step, and one for the end of a run together with the claim of the next.

Leases are real time (``clock_timestamp``), waits are the engine's time (``absurd.current_time``, which a test sets).
"""

from dataclasses import dataclass
from functools import cache
from string import Template

_CLAIM = """
moment AS MATERIALIZED (SELECT absurd.current_time() AS at),
pending AS (
  SELECT run_id, available_at FROM absurd.r_$queue
   WHERE state = 'pending' AND available_at <= (SELECT at FROM moment)
   ORDER BY available_at LIMIT %(quantity)s FOR UPDATE SKIP LOCKED
),
sleeping AS (
  SELECT run_id, available_at FROM absurd.r_$queue
   WHERE state = 'sleeping' AND available_at <= (SELECT at FROM moment)
   ORDER BY available_at LIMIT %(quantity)s FOR UPDATE SKIP LOCKED
),
chosen AS (
  SELECT run_id FROM (SELECT * FROM pending UNION ALL SELECT * FROM sleeping) AS due
   ORDER BY available_at LIMIT %(quantity)s
),
claimed AS (
  UPDATE absurd.r_$queue AS r
     SET state = 'running', claimed_by = %(worker)s, started_at = moment.at, available_at = moment.at,
         claim_expires_at = clock_timestamp() + %(lease)s * interval '1 second'
    FROM moment WHERE r.run_id IN (SELECT run_id FROM chosen)
  RETURNING r.run_id, r.task_id, r.attempt, moment.at
),
begun AS (
  UPDATE absurd.t_$queue AS t
     SET state = 'running', attempts = greatest(t.attempts, claimed.attempt), last_attempt_run = claimed.run_id,
         first_started_at = coalesce(t.first_started_at, claimed.at)
    FROM claimed WHERE t.task_id = claimed.task_id
  RETURNING t.task_id, t.task_name, t.idempotency_key, t.params
)
SELECT claimed.run_id, claimed.task_id, claimed.attempt, claimed.at, task_name, idempotency_key, params::text,
       (SELECT jsonb_object_agg(c.checkpoint_name, c.state)::text FROM absurd.c_$queue AS c
         WHERE c.task_id = claimed.task_id),
       CASE WHEN claimed.attempt = 1 THEN 0 ELSE (
         SELECT count(*) FROM absurd.r_$queue AS f
          WHERE f.task_id = claimed.task_id AND f.failed_at IS NOT NULL
            AND f.attempt >= coalesce((
              SELECT max(o.attempt) FROM absurd.c_$queue AS c JOIN absurd.r_$queue AS o ON o.run_id = c.owner_run_id
               WHERE c.task_id = claimed.task_id), 0)
       ) END
  FROM claimed JOIN begun USING (task_id) ORDER BY claimed.at
"""

_ENDED = """
ended AS (
  UPDATE absurd.r_$queue
     SET state = 'completed', completed_at = absurd.current_time(), result = %(result)s::jsonb
   WHERE run_id = %(attempt)s AND state = 'running'
  RETURNING task_id
),
closed AS (
  UPDATE absurd.t_$queue AS t SET state = 'completed', completed_payload = %(result)s::jsonb
    FROM ended WHERE t.task_id = ended.task_id
),
"""

_HELD = "held AS (SELECT run_id FROM absurd.r_$queue WHERE run_id = %(attempt)s AND state = 'running' FOR UPDATE)"

_CHECKPOINT = """
INSERT INTO absurd.c_$queue (task_id, checkpoint_name, state, status, owner_run_id, updated_at)
SELECT %(task)s, %(name)s, %(value)s::jsonb, 'committed', run_id, absurd.current_time() FROM held
RETURNING 1
"""

_IS_HELD = "SELECT 1 FROM absurd.r_$queue WHERE run_id = %(attempt)s AND state = 'running'"

_AWAKE = ", awake AS (DELETE FROM store_wait WHERE task = %(task)s AND EXISTS (SELECT 1 FROM held))"

# The lock on the topic waits for every transaction that has nudged it and not yet committed, so what those wrote is
# seen by the look that follows; later nudges find the row. A wait told again keeps its first deadline.
_REGISTER = """
, topic AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('torwart.topic ' || %(topic)s, 0)))
INSERT INTO store_wait AS w (task, queue, attempt, topic, name, until, nudged, since)
SELECT %(task)s, '$queue', run_id, %(topic)s, %(name)s, %(until)s, false, absurd.current_time() FROM held, topic
ON CONFLICT (task) DO UPDATE
   SET attempt = excluded.attempt, topic = excluded.topic, name = excluded.name, nudged = false,
       until = CASE WHEN w.name = excluded.name THEN w.until ELSE excluded.until END,
       since = CASE WHEN w.name = excluded.name THEN w.since ELSE excluded.since END
RETURNING until
"""

_FALL_ASLEEP = """
WITH wait AS (SELECT nudged, until FROM store_wait WHERE task = %(task)s FOR UPDATE),
asleep AS (
  UPDATE absurd.r_$queue AS r
     SET state = 'sleeping', claimed_by = NULL, claim_expires_at = NULL, wake_event = NULL,
         available_at = coalesce(wait.until, 'infinity')
    FROM wait WHERE r.run_id = %(attempt)s AND r.state = 'running' AND NOT wait.nudged
  RETURNING r.task_id
),
task AS (UPDATE absurd.t_$queue SET state = 'sleeping' WHERE task_id IN (SELECT task_id FROM asleep)),
again AS (UPDATE store_wait SET nudged = false WHERE task = %(task)s AND nudged)
SELECT EXISTS (SELECT 1 FROM asleep), coalesce((SELECT nudged FROM wait), false)
"""

_SLEEP = """
, asleep AS (
  UPDATE absurd.r_$queue
     SET state = 'sleeping', claimed_by = NULL, claim_expires_at = NULL, available_at = %(until)s
   WHERE run_id IN (SELECT run_id FROM held)
),
task AS (UPDATE absurd.t_$queue SET state = 'sleeping' WHERE task_id = %(task)s AND EXISTS (SELECT 1 FROM held))
"""

_BEAT = """
UPDATE absurd.r_$queue SET claim_expires_at = clock_timestamp() + %(lease)s * interval '1 second'
 WHERE run_id = ANY(%(attempts)s) AND state = 'running' RETURNING run_id
"""

_HAND_BACK = """
WITH back AS (
  UPDATE absurd.r_$queue
     SET state = 'pending', claimed_by = NULL, claim_expires_at = NULL, available_at = absurd.current_time()
   WHERE run_id = %(attempt)s AND state = 'running' RETURNING task_id
)
UPDATE absurd.t_$queue SET state = 'pending' WHERE task_id IN (SELECT task_id FROM back)
"""


@dataclass(frozen=True, slots=True)
class Statements:
    """``claim`` and ``end_and_claim`` answer claimed runs. ``register`` answers the wait's deadline and the checkpoints
    answer one row, or none if the run is no longer held; ``is_held`` says that without locking anything.
    ``fall_asleep`` answers whether the run sleeps now, and whether it was nudged instead. ``beat`` answers the attempts
    still held.
    """

    claim: str
    end_and_claim: str
    is_held: str
    checkpoint: str
    checkpoint_wait: str
    checkpoint_sleep: str
    register: str
    fall_asleep: str
    beat: str
    hand_back: str


@cache
def statements(queue: str) -> Statements:
    """The statements for ``queue``, which must be one of ``store.schema.QUEUES``."""

    def on(text: str) -> str:
        return Template(text).substitute(queue=queue)

    return Statements(
        claim=on("WITH " + _CLAIM),
        end_and_claim=on("WITH " + _ENDED + _CLAIM),
        is_held=on(_IS_HELD),
        checkpoint=on("WITH " + _HELD + _CHECKPOINT),
        checkpoint_wait=on("WITH " + _HELD + _AWAKE + _CHECKPOINT),
        checkpoint_sleep=on("WITH " + _HELD + _SLEEP + _CHECKPOINT),
        register=on("WITH " + _HELD + _REGISTER),
        fall_asleep=on(_FALL_ASLEEP),
        beat=on(_BEAT),
        hand_back=on(_HAND_BACK),
    )


@cache
def every_queue(queues: tuple[str, ...], where: str) -> str:
    """Runs of all queues as ``RunView`` needs them, with ``where`` on the task ``t``."""
    one = """
    (SELECT '$queue', t.task_id, t.idempotency_key, t.task_name, t.state, t.attempts, t.completed_payload::text,
            CASE WHEN t.state = 'failed' THEN r.failure_reason::text END
       FROM absurd.t_$queue AS t LEFT JOIN absurd.r_$queue AS r ON r.run_id = t.last_attempt_run WHERE $where)
    """
    return " UNION ALL ".join(Template(one).substitute(queue=queue, where=where) for queue in queues)
