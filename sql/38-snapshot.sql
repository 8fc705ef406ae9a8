-- Rows of snapshots that were to be kept.

create table mlops.snapshot_row
(
	snapshot_id	bigint not null references mlops.snapshot on delete cascade,
	position	bigint not null,
	content		jsonb not null,
	primary key (snapshot_id, position)
);
comment on table mlops.snapshot_row is 'The rows of a snapshot that was taken with keep_rows; for those who may train in its project, whatever they may read where the rows came from';

alter table mlops.snapshot_row enable row level security;
grant select on mlops.snapshot_row to public;
create policy snapshot_row_train on mlops.snapshot_row for select
	using (snapshot_id in (select s.id from mlops.snapshot s where s.project_id in (select mlops.accessible_projects('train'))));

create trigger snapshot_row_immutable before update or delete on mlops.snapshot_row
	for each row execute function mlops.refuse_change();
create trigger snapshot_row_keep before truncate on mlops.snapshot_row
	for each statement execute function mlops.refuse_change();
