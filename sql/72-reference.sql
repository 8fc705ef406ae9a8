-- Reading what versions learned from.

create function mlops.reference_rows(model_id bigint, version integer)
returns table (features jsonb, prediction double precision, class text, probability double precision, outcome text, at timestamptz)
language sql stable strict parallel safe rows 10000
set search_path = pg_catalog, pg_temp
as $$
	select mlops.decode_features(l.names, r.features), r.prediction, r.class, r.probability, r.outcome, r.at
	  from (select array_agg(c.name order by c.position) as names
			  from mlops.model_signature c
			 where c.model_id = $1 and c.version = $2 and c.role = 'feature') l,
		   mlops.reference_sample s,
		   rows from (unnest(s.features), unnest(s.prediction), unnest(s.class), unnest(s.probability), unnest(s.outcome), unnest(s.at))
			   with ordinality as r (features, prediction, class, probability, outcome, at, place)
	 where s.model_id = $1 and s.version = $2
	 order by s.position, r.place
$$;
comment on function mlops.reference_rows(bigint, integer) is
'The held-out rows that a version keeps, with what it answers and what was true; none for those who may not see captured features';

create function mlops.reference_answers(model_id bigint, version integer)
returns table (prediction double precision, class text, probability double precision, outcome text, at timestamptz)
language sql stable strict parallel safe rows 10000
set search_path = pg_catalog, pg_temp
as $$
	select r.prediction, r.class, r.probability, r.outcome, r.at
	  from mlops.reference_sample s,
		   rows from (unnest(s.prediction), unnest(s.class), unnest(s.probability), unnest(s.outcome), unnest(s.at))
			   as r (prediction, class, probability, outcome, at)
	 where s.model_id = $1 and s.version = $2
$$;
comment on function mlops.reference_answers(bigint, integer) is 'The same rows without their features, which take long to decode';

create function mlops.decoded_columns(model_id bigint, version integer, features text[] default null) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
	select string_agg(format('(d.features ->> %L)::%s as %I', s.name, mlops.plain_type(s.type, s.categories), s.name), ', ' order by s.position)
	  from mlops.model_signature s
	 where s.model_id = decoded_columns.model_id and s.version = decoded_columns.version and s.role = 'feature' and s.type not like '%[]'
	   and (decoded_columns.features is null or s.name = any (decoded_columns.features))
$$;
comment on function mlops.decoded_columns(bigint, integer, text[]) is 'The features of a version, or some of them, as columns of its types out of a row d with decoded features';
