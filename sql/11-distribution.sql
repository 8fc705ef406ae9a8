-- The type of distributions: summaries of columns as values.  What is made of them is in 67-distributions.sql.

create type mlops.distribution;

create function mlops.distribution_in(cstring) returns mlops.distribution
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_distribution_in';
comment on function mlops.distribution_in(cstring) is 'Text form of a distribution: base64; validates';

create function mlops.distribution_out(mlops.distribution) returns cstring
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_distribution_out';
comment on function mlops.distribution_out(mlops.distribution) is 'Text form of a distribution: base64';

create function mlops.distribution_recv(internal) returns mlops.distribution
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_distribution_recv';
comment on function mlops.distribution_recv(internal) is 'Binary form of a distribution: its bytes; validates';

create function mlops.distribution_send(mlops.distribution) returns bytea
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_distribution_send';
comment on function mlops.distribution_send(mlops.distribution) is 'Binary form of a distribution: its bytes';

create type mlops.distribution
(
	input = mlops.distribution_in,
	output = mlops.distribution_out,
	receive = mlops.distribution_recv,
	send = mlops.distribution_send,
	internallength = variable,
	alignment = int4,
	storage = extended
);
comment on type mlops.distribution is 'A mergeable summary of a column: counts, NULLs, range, moments, quantiles, frequent and distinct values';

create function mlops.distribution_from_bytea(bytea) returns mlops.distribution
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_distribution_from_bytea';
comment on function mlops.distribution_from_bytea(bytea) is 'A distribution from its bytes; every byte is validated';

create function mlops.distribution_to_bytea(mlops.distribution) returns bytea
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_distribution_to_bytea';
comment on function mlops.distribution_to_bytea(mlops.distribution) is 'The bytes of a distribution';

create function mlops.distribution_to_jsonb(mlops.distribution) returns jsonb
language c stable strict parallel safe as 'MODULE_PATHNAME', 'mlops_distribution_to_jsonb';
comment on function mlops.distribution_to_jsonb(mlops.distribution) is
'What a distribution says: counts, distinct values, range, mean, deviation, quantiles, most frequent values';

create cast (bytea as mlops.distribution) with function mlops.distribution_from_bytea(bytea);
create cast (mlops.distribution as bytea) with function mlops.distribution_to_bytea(mlops.distribution);
create cast (mlops.distribution as jsonb) with function mlops.distribution_to_jsonb(mlops.distribution);
