-- The audit trail only grows. Whoever wants to change it must first take these triggers away, and the chain shows it.

create function store_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'table % is append-only', tg_table_name using errcode = 'insufficient_privilege';
end;
$$;

create trigger append_only before update or delete on store_auditentry
  for each row execute function store_refuse_change();
create trigger never_empty before truncate on store_auditentry
  for each statement execute function store_refuse_change();
create trigger append_only before update or delete on store_auditlink
  for each row execute function store_refuse_change();
create trigger never_empty before truncate on store_auditlink
  for each statement execute function store_refuse_change();

-- An entry waits for its place in the chain from the moment it is written, however it was written.
create function store_await_link() returns trigger language plpgsql as $$
begin
  insert into store_auditpending (entry_id) select id from written;
  return null;
end;
$$;

create trigger await_link after insert on store_auditentry
  referencing new table as written
  for each statement execute function store_await_link();
