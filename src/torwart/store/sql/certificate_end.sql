-- How many certificates end in which week, counted when certificates change and not when somebody looks.
-- Every statement adds one row for each kind of owner and week it changes, so that nobody waits for anybody's row;
-- services.certificate_end folds them. What counts: sets in use, told by their TLS certificate, and mail certificates
-- that have been tested. A week is named by its Monday, German time.

create function store_week_of(ends timestamptz) returns date language sql immutable parallel safe as $$
  select date_trunc('week', ends at time zone 'Europe/Berlin')::date;
$$;

create function store_owner_kind(gateway bigint, emt bigint) returns text language sql immutable parallel safe as $$
  select case when gateway is not null then 'gateway' when emt is not null then 'emt' else 'own' end;
$$;

create function store_count_certificates() returns trigger language plpgsql as $$
begin
  if tg_op <> 'DELETE' then
    insert into store_certificateend (kind, week, number)
    select store_owner_kind(gateway_id, emt_id), store_week_of(not_after), count(*)
      from gained where state = 'active' and use = 'TLS' group by 1, 2;
  end if;
  if tg_op <> 'INSERT' then
    insert into store_certificateend (kind, week, number)
    select store_owner_kind(gateway_id, emt_id), store_week_of(not_after), -count(*)
      from lost where state = 'active' and use = 'TLS' group by 1, 2;
  end if;
  return null;
end;
$$;

create function store_count_mail_certificates() returns trigger language plpgsql as $$
begin
  if tg_op <> 'DELETE' then
    insert into store_certificateend (kind, week, number)
    select 'contact', store_week_of(not_after), count(*)
      from gained where state in ('tested', 'expiring') group by 2;
  end if;
  if tg_op <> 'INSERT' then
    insert into store_certificateend (kind, week, number)
    select 'contact', store_week_of(not_after), -count(*)
      from lost where state in ('tested', 'expiring') group by 2;
  end if;
  return null;
end;
$$;

-- Count all anew: for a database that had certificates before it counted them, and after writing without triggers.
-- Whoever has changed a certificate holds the table of counts until commit, so the one lock lets nothing slip between.
create function store_recount_certificates() returns void language plpgsql as $$
begin
  lock table store_certificateend in exclusive mode;
  delete from store_certificateend;
  insert into store_certificateend (kind, week, number)
  select store_owner_kind(gateway_id, emt_id), store_week_of(not_after), count(*)
    from store_certificate where state = 'active' and use = 'TLS' group by 1, 2
  union all
  select 'contact', store_week_of(not_after), count(*)
    from store_contactcertificate where state in ('tested', 'expiring') group by 2;
end;
$$;

create trigger count_gained after insert on store_certificate
  referencing new table as gained for each statement execute function store_count_certificates();
create trigger count_changed after update on store_certificate
  referencing old table as lost new table as gained for each statement execute function store_count_certificates();
create trigger count_lost after delete on store_certificate
  referencing old table as lost for each statement execute function store_count_certificates();

create trigger count_gained after insert on store_contactcertificate
  referencing new table as gained for each statement execute function store_count_mail_certificates();
create trigger count_changed after update on store_contactcertificate
  referencing old table as lost new table as gained for each statement execute function store_count_mail_certificates();
create trigger count_lost after delete on store_contactcertificate
  referencing old table as lost for each statement execute function store_count_mail_certificates();

select store_recount_certificates();
