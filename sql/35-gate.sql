-- Tables of the way from a version to live: policies, tests, reviews, evidence and the rows that it is about, approvals, revocations.
--
-- Policies and approvals are people's, written under row-level security and never changed; who and when are filled in by triggers
-- (45-gate-guards.sql).  Reviews, evidence and revocations are written by C as the extension's owner, after it checked the caller.
-- What is bound to a version names the SHA-256 of its bytes, too.

create table mlops.policy
(
	project_id	bigint not null references mlops.project on delete cascade,
	version		integer not null check (version > 0),
	body		jsonb not null,
	published_by text not null default current_user,
	published_session text not null default session_user,
	published_at timestamptz not null default clock_timestamp(),
	primary key (project_id, version)
);
comment on table mlops.policy is 'A project''s rules for going live; the newest is in force, and none is ever changed';
comment on column mlops.policy.body is
'checks: {name: condition over mlops.version_facts()}, approvals: {level: how many people}, valid_for: how long evidence and approvals count, distinct_sessions: whether those who approve must have connected as somebody else than the author, too';

create table mlops.acceptance_test
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null references mlops.model on delete cascade,
	name		text not null check (length(name) between 1 and 200),
	query		text not null,
	expectation text not null,
	settings	jsonb not null,
	owner		regrole not null,
	set_by		text not null default current_user,
	set_at		timestamptz not null default clock_timestamp(),
	constraint acceptance_test_key unique (model_id, name)
);
comment on table mlops.acceptance_test is 'What every version of a model must do: a query, and what is expected of its rows';
comment on column mlops.acceptance_test.query is 'With qualified names; the literal ''{model}'' stands for the version under test';
comment on column mlops.acceptance_test.expectation is 'A condition on the columns of each row; or, of rows, seconds and microseconds_per_row, on the query as a whole';
comment on column mlops.acceptance_test.settings is 'search_path, TimeZone, DateStyle and IntervalStyle when it was made';
comment on column mlops.acceptance_test.owner is 'Whose rights the query is run with, whoever has it run';

create table mlops.review
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null,
	version		integer not null,
	sha256		bytea not null,
	policy_version integer,
	note		text,
	requested_by text not null,
	requested_session text not null,
	requested_at timestamptz not null default clock_timestamp(),
	foreign key (model_id, version) references mlops.model_version on delete cascade
);
comment on table mlops.review is 'That somebody asked for a version to be looked at, under which policy';
comment on column mlops.review.policy_version is 'NULL: the project had none';
create index review_version on mlops.review (model_id, version, id);

create table mlops.evidence
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null,
	version		integer not null,
	review_id	bigint references mlops.review on delete cascade,
	kind		text not null check (kind in ('check', 'test')),
	name		text not null,
	test_id		bigint,
	holds		boolean not null,
	detail		jsonb not null,
	sha256		bytea not null,
	policy_version integer,
	origin		text not null default 'measured' check (origin in ('measured', 'reported')),
	measured_by text not null,
	measured_session text not null,
	measured_at timestamptz not null default clock_timestamp(),
	constraint evidence_of_what check ((kind = 'test') = (test_id is not null) and (kind = 'check') <= (review_id is not null)),
	foreign key (model_id, version) references mlops.model_version on delete cascade
);
comment on table mlops.evidence is 'What was measured of a version: each run of its acceptance tests, and how the checks of the policy stood at a review';
comment on column mlops.evidence.test_id is 'The acceptance test; no foreign key, for what a test showed outlives it';
comment on column mlops.evidence.detail is 'test: rows, broken, seconds, or error; check: condition and the facts it asked for';
comment on column mlops.evidence.origin is 'measured: by us; nothing else counts for a gate';
create index evidence_version on mlops.evidence (model_id, version, kind, name, id);

create table mlops.evidence_row
(
	evidence_id	bigint primary key references mlops.evidence on delete cascade,
	content		text not null
);
comment on table mlops.evidence_row is
'The row that broke a test, read with the rights of its author: for those who decide reviews, and in no record, so that it can be removed';
comment on column mlops.evidence_row.content is 'The first 1,000 characters of the row as JSON; of the rows that broke it, the first by this text';

create table mlops.approval
(
	id			bigint generated always as identity primary key,
	model_id	bigint not null,
	version		integer not null,
	review_id	bigint not null references mlops.review on delete cascade,
	decision	text not null check (decision in ('approved', 'rejected', 'conditional')),
	level		text not null check (level in ('reviewer', 'owner')),
	comment		text,
	conditions	text,
	due			date,
	finding_id	bigint,
	sha256		bytea not null,
	policy_version integer,
	decided_by	text not null default current_user,
	decided_session text not null default session_user,
	decided_at	timestamptz not null default clock_timestamp(),
	expires		timestamptz,
	constraint approval_of_what check ((decision = 'conditional') = (conditions is not null) and (decision = 'conditional') = (due is not null)
												and length(conditions) between 1 and 500),
	foreign key (model_id, version) references mlops.model_version on delete cascade
);
comment on table mlops.approval is 'What somebody decided about a version; of each person the last decision stands, and none is ever changed';
comment on column mlops.approval.level is 'As what they decided: reviewer or owner';
comment on column mlops.approval.conditions is 'What must be done by the day that due says; a finding has the same';
comment on column mlops.approval.finding_id is 'That finding; no foreign key, for it goes only with the model';
comment on column mlops.approval.expires is 'It does not count from then on; it does not count either when it is older than the policy allows';
create index approval_version on mlops.approval (model_id, version, id);

create table mlops.revocation
(
	model_id	bigint not null,
	version		integer not null,
	reason		text not null check (length(reason) > 0),
	revoked_by	text not null,
	revoked_session text not null,
	revoked_at	timestamptz not null default clock_timestamp(),
	primary key (model_id, version),
	foreign key (model_id, version) references mlops.model_version on delete cascade
);
comment on table mlops.revocation is 'Versions that answer nobody any more, and why; there is no way back';

-- ---- Security: those who view see all of it but the rows that broke tests; owners publish policies, scientists add tests, reviewers decide ----

grant select on mlops.policy, mlops.acceptance_test, mlops.review, mlops.evidence, mlops.evidence_row, mlops.approval, mlops.revocation to public;

alter table mlops.policy enable row level security;
grant insert (project_id, body) on mlops.policy to public;
create policy policy_view on mlops.policy for select
	using (project_id in (select mlops.accessible_projects('view')));
create policy policy_publish on mlops.policy for insert
	with check (project_id in (select mlops.accessible_projects('own')));

alter table mlops.acceptance_test enable row level security;
grant insert (model_id, name, query, expectation), delete on mlops.acceptance_test to public;
create policy acceptance_test_view on mlops.acceptance_test for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));
create policy acceptance_test_train on mlops.acceptance_test for insert
	with check (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('train'))));
create policy acceptance_test_review on mlops.acceptance_test for insert
	with check (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('review'))));
create policy acceptance_test_drop on mlops.acceptance_test for delete
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('review'))));

alter table mlops.review enable row level security;
create policy review_view on mlops.review for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.evidence enable row level security;
create policy evidence_view on mlops.evidence for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));

alter table mlops.evidence_row enable row level security;
create policy evidence_row_review on mlops.evidence_row for select
	using (evidence_id in (select e.id from mlops.evidence e join mlops.model m on m.id operator(pg_catalog.=) e.model_id
							where m.project_id in (select mlops.accessible_projects('review'))));

alter table mlops.approval enable row level security;
grant insert (model_id, version, decision, level, comment, conditions, due, expires) on mlops.approval to public;
create policy approval_view on mlops.approval for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));
create policy approval_decide on mlops.approval for insert
	with check (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('review'))));

alter table mlops.revocation enable row level security;
create policy revocation_view on mlops.revocation for select
	using (model_id in (select m.id from mlops.model m where m.project_id in (select mlops.accessible_projects('view'))));
