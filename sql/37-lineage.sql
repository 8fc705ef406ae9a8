-- Lineage: which tables, views and columns a training read.

create table mlops.run_source
(
	run_id		bigint not null references mlops.run on delete cascade,
	relation	text not null,
	kind		text not null check (kind in ('table', 'view', 'materialized view', 'foreign table', 'temporary table')),
	columns		text[] not null,
	types		text[] not null,
	guards		boolean not null default false,
	primary key (run_id, relation)
);
comment on table mlops.run_source is 'What a run read, views and what is behind them, by the names and types of then; what functions read that its query calls is not known';
comment on column mlops.run_source.relation is 'Schema and name, quoted where they need it';
comment on column mlops.run_source.columns is 'Those that were used: as values, or in conditions, groupings and orders';
comment on column mlops.run_source.guards is 'Whether who trained had the privilege REFERENCES on it, and so may have commands refused that take it away, as with a foreign key';
create index run_source_relation on mlops.run_source (relation);

alter table mlops.run_source enable row level security;
grant select on mlops.run_source to public;
create policy run_source_view on mlops.run_source for select
	using (run_id in (select r.id from mlops.run r));

create trigger run_source_immutable before update or delete on mlops.run_source
	for each row execute function mlops.refuse_change();
create trigger run_source_keep before truncate on mlops.run_source
	for each statement execute function mlops.refuse_change();
