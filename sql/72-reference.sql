-- Reading what versions learned from.

create function mlops.reference_rows(model_id bigint, version integer)
returns table (features jsonb, prediction double precision, class text, probability double precision, outcome text)
language sql stable strict parallel safe rows 10000
set search_path = pg_catalog, pg_temp
as $$
	select mlops.decode_features(l.names, r.features), r.prediction, r.class, r.probability, r.outcome
	  from (select array_agg(c.name order by c.position) as names
			  from mlops.model_signature c
			 where c.model_id = $1 and c.version = $2 and c.role = 'feature') l,
		   mlops.reference_sample s,
		   rows from (unnest(s.features), unnest(s.prediction), unnest(s.class), unnest(s.probability), unnest(s.outcome))
			   with ordinality as r (features, prediction, class, probability, outcome, place)
	 where s.model_id = $1 and s.version = $2
	 order by s.position, r.place
$$;
comment on function mlops.reference_rows(bigint, integer) is
'The held-out rows that a version keeps, with what it answers and what was true; none for those who may not see captured features';
