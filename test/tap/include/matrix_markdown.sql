-- What matrix.sql says, in Markdown: the lines of docs/security.md between its two marks.
create function pg_temp.matrix_markdown() returns setof text language sql as $$
	with level (level, n) as (
		select level, n from unnest('{viewer,predictor,scientist,reviewer,operator,owner,stranger}'::text[]) with ordinality l (level, n)
	), heading (line) as (
		select '| %s | ' || string_agg(level, ' | ' order by n) || ' |' from level
		union all
		select '|---|' || string_agg('---|', '') from level
	)
	select format(line, 'table or view') from heading
	union all
	(select format('| `%s` | %s |', x.name,
				   (select string_agg(concat_ws(', ', case when l.level = any (s.levels) then 'read' end, case when l.level = any (i.levels) then 'insert' end,
											  case when l.level = any (u.levels) then 'update' end, case when l.level = any (d.levels) then 'delete' end), ' | ' order by l.n) from level l))
	   from matrix_table x join reach s on s.word = x.reads
	   left join reach i on i.word = x.inserts left join reach u on u.word = x.updates left join reach d on d.word = x.deletes
	  order by x.inserts = '', x.name collate "C")
	union all
	select ''
	union all
	select format(line, 'function') from heading
	union all
	(select format('| `%s` | %s |', f.name,
				   (select string_agg(case when l.level = any (a.levels) then 'yes' when f.refusal is not null then replace(f.refusal, ' ', ' or ')
										   when l.level = any (v.levels) then '42501' else '42704' end, ' | ' order by l.n) from level l))
	   from matrix_function f join reach a on a.word = f.allowed left join reach v on v.word = f.visible
	  where f.call is not null order by f.name collate "C")
	union all
	select ''
	union all
	select 'Everybody may call, and learns from them what their arguments and tables tell: '
		   || (select string_agg(format('`%s`', name), ', ' order by name collate "C") from matrix_function where allowed = 'everybody') || '.'
	union all
	select ''
	union all
	select 'Nobody may call (42501): ' || (select string_agg(format('`%s`', name), ', ' order by name collate "C") from matrix_function where allowed = 'nobody') || '.'
$$;
