-- What the durable engine needs beside absurd's own functions (adapters/engine tells the whole story).
-- Each function is one round trip; locks are taken in the order topic, wait, run, task.

-- The same run_id starts one run, whatever the queue. True if this call started it.
create function store_spawn(p_queues text[], p_queue text, p_story text, p_run_id text, p_params jsonb)
  returns boolean language plpgsql as $$
declare
  v_queue text;
  v_found integer;
begin
  perform pg_advisory_xact_lock(hashtextextended('torwart.spawn ' || p_run_id, 0));
  foreach v_queue in array p_queues loop
    execute format('select 1 from absurd.%I where idempotency_key = $1', 't_' || v_queue)
      into v_found using p_run_id;
    if v_found is not null then
      return false;
    end if;
  end loop;
  perform absurd.spawn_task(p_queue, p_story, p_params, jsonb_build_object('idempotency_key', p_run_id));
  return true;
end;
$$;

-- Make the runs that wait for a topic look again; how many there were. The lock on the topic is shared by all who
-- nudge it and held until their commit; whoever registers a wait takes it alone (adapters/engine/statements.py).
create function store_nudge(p_topic text) returns integer language plpgsql as $$
declare
  v_count integer;
  v_queue record;
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('torwart.topic ' || p_topic, 0));
  update store_wait set nudged = true where topic = p_topic;
  get diagnostics v_count = row_count;
  if v_count > 0 then
    for v_queue in
      select queue, array_agg(attempt) as attempts from store_wait where topic = p_topic group by queue
    loop
      execute format(
        'with woken as (
           update absurd.%1$I set state = ''pending'', available_at = absurd.current_time()
            where run_id = any($1) and state = ''sleeping'' returning task_id
         )
         update absurd.%2$I set state = ''pending'' where task_id in (select task_id from woken)',
        'r_' || v_queue.queue, 't_' || v_queue.queue
      ) using v_queue.attempts;
    end loop;
  end if;
  return v_count;
end;
$$;

-- Stop a run; false if it had already ended.
create function store_cancel(p_queue text, p_task uuid) returns boolean language plpgsql as $$
declare
  v_state text;
begin
  delete from store_wait where task = p_task;
  -- Runs are locked before their task, as everyone else does; cancel_task alone would do it the other way round.
  execute format('select 1 from absurd.%I where task_id = $1 order by run_id for update', 'r_' || p_queue) using p_task;
  execute format('select state from absurd.%I where task_id = $1', 't_' || p_queue) into v_state using p_task;
  if v_state in ('completed', 'failed', 'cancelled') then
    return false;
  end if;
  perform absurd.cancel_task(p_queue, p_task);
  return true;
end;
$$;

-- End an attempt that failed: try again at p_retry_at, or never if that is null. False if it is no longer held.
create function store_fail(p_queue text, p_task uuid, p_attempt uuid, p_reason jsonb, p_retry_at timestamptz)
  returns boolean language plpgsql as $$
declare
  v_held integer;
begin
  execute format('select 1 from absurd.%I where run_id = $1 and state = ''running'' for update', 'r_' || p_queue)
    into v_held using p_attempt;
  if v_held is null then
    return false;
  end if;
  if p_retry_at is null then
    execute format('update absurd.%I set max_attempts = 1 where task_id = $1', 't_' || p_queue) using p_task;
    delete from store_wait where task = p_task;
  end if;
  perform absurd.fail_run(p_queue, p_attempt, p_reason, p_retry_at);
  return true;
end;
$$;

-- Let a failed run try again from where it was, with its failures forgiven; false if it has not failed.
create function store_retry(p_queue text, p_task uuid) returns boolean language plpgsql as $$
declare
  v_attempts integer;
begin
  execute format('select attempts from absurd.%I where task_id = $1 and state = ''failed'' for update', 't_' || p_queue)
    into v_attempts using p_task;
  if v_attempts is null then
    return false;
  end if;
  execute format('update absurd.%I set max_attempts = null where task_id = $1', 't_' || p_queue) using p_task;
  perform absurd.retry_task(p_queue, p_task);
  execute format('update absurd.%I set max_attempts = null where task_id = $1', 't_' || p_queue) using p_task;
  -- Failures are counted since the last checkpoint; this one makes the count begin anew.
  execute format(
    'insert into absurd.%I (task_id, checkpoint_name, state, status, updated_at)
     values ($1, $2, ''null'', ''committed'', absurd.current_time())', 'c_' || p_queue
  ) using p_task, '$retry ' || v_attempts;
  return true;
end;
$$;

-- Give the runs of dead workers back; leases live in real time, whatever the engine's clock says.
create function store_sweep(p_queue text, p_limit integer) returns integer language plpgsql as $$
declare
  v_run record;
  v_count integer := 0;
begin
  for v_run in execute format(
    'select run_id, claimed_by from absurd.%I
      where state = ''running'' and claim_expires_at <= clock_timestamp()
      order by claim_expires_at limit $1 for update skip locked', 'r_' || p_queue) using p_limit
  loop
    perform absurd.fail_run(p_queue, v_run.run_id,
      jsonb_build_object('name', '$ClaimTimeout', 'message', 'worker ' || v_run.claimed_by || ' went away'),
      absurd.current_time());
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;

-- Every run passes through these rows several times; left to the defaults, a million waiting runs would let two hundred
-- thousand dead versions pile up before anyone sweeps, and each look for due work would step over them.
do $$
declare
  v_table text;
begin
  for v_table in
    select 'absurd.' || quote_ident(prefix || queue_name) from absurd.queues, unnest(array['r_', 't_']) as prefix
    union all select unnest(array['store_wait', 'store_auditpending'])
  loop
    execute format(
      'alter table %s set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
                           autovacuum_analyze_scale_factor = 0.02)', v_table);
  end loop;
end;
$$;
