-- Snapshots: what a query returned, and how two of them differ.

create function mlops.take_snapshot(query text, keep_rows boolean default false, project text default null) returns bigint
language c volatile parallel unsafe cost 100000 as 'MODULE_PATHNAME', 'mlops_take_snapshot';
comment on function mlops.take_snapshot(text, boolean, text) is
'Writes down what a query, table or view returns: its text, settings and role, number and fingerprint of the rows, a profile of each column, and with keep_rows the rows themselves; the snapshot''s id';

-- Not stable: b may be taken in the same statement.
create function mlops.diff_snapshots(a bigint, b bigint) returns table (what text, name text, before jsonb, after jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
	unknown bigint := (select min(i.id) from (values (a), (b)) i (id) where not exists (select from mlops.snapshot s where s.id = i.id));
begin
	if unknown is not null then
		raise exception 'snapshot % does not exist', unknown
			using errcode = 'undefined_object', hint = 'Snapshots that you may see are in mlops.snapshot.';
	end if;
	return query
		with s as (select x.*, y.kind as kind_after, to_jsonb(x) as facts, to_jsonb(y) as facts_after, y.columns as columns_after
					 from mlops.snapshot x, mlops.snapshot y where x.id = diff_snapshots.a and y.id = diff_snapshots.b)
		select f.key, null, s.facts -> f.key, s.facts_after -> f.key
		  from s, unnest(array['kind', 'query', 'settings', 'role_name', 'row_security_applied', 'row_count', 'fingerprint']) with ordinality f (key, n)
		 where s.facts -> f.key <> s.facts_after -> f.key
			-- fingerprints of different columns, or made in different ways, always differ
		   and (f.key <> 'fingerprint' or s.kind = s.kind_after
				and (select array_agg(c ->> 'name' order by c ->> 'name') from jsonb_array_elements(s.columns) c)
				  = (select array_agg(c ->> 'name' order by c ->> 'name') from jsonb_array_elements(s.columns_after) c));
	return query
		select 'column', d.key, d.value -> 'then', d.value -> 'now'
		  from mlops.snapshot x, mlops.snapshot y, jsonb_each(mlops.column_differences(x.columns, y.columns)) d
		 where x.id = diff_snapshots.a and y.id = diff_snapshots.b
		 order by d.key;
	-- where both have their rows, and the caller may see them
	if exists (select from mlops.snapshot_row r where r.snapshot_id = diff_snapshots.a) and exists (select from mlops.snapshot_row r where r.snapshot_id = diff_snapshots.b) then
		return query
			select 'row', null, r.content, null::jsonb
			  from (select x.content from mlops.snapshot_row x where x.snapshot_id = diff_snapshots.a
					except all select y.content from mlops.snapshot_row y where y.snapshot_id = diff_snapshots.b) r
			union all
			select 'row', null, null, r.content
			  from (select y.content from mlops.snapshot_row y where y.snapshot_id = diff_snapshots.b
					except all select x.content from mlops.snapshot_row x where x.snapshot_id = diff_snapshots.a) r;
	end if;
end
$$;
comment on function mlops.diff_snapshots(bigint, bigint) is
'How two snapshots differ: query, settings, role, number and fingerprint of rows, columns, and the rows that only one of them has where both were kept; no rows where they are the same';
