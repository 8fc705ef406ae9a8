-- Types: a trained model as a value.

create type mlops.artifact;

create function mlops.artifact_in(cstring) returns mlops.artifact
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_artifact_in';
comment on function mlops.artifact_in(cstring) is 'Text form of a model: base64; validates';

create function mlops.artifact_out(mlops.artifact) returns cstring
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_artifact_out';
comment on function mlops.artifact_out(mlops.artifact) is 'Text form of a model: base64';

create function mlops.artifact_recv(internal) returns mlops.artifact
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_artifact_recv';
comment on function mlops.artifact_recv(internal) is 'Binary form of a model: its bytes; validates';

create function mlops.artifact_send(mlops.artifact) returns bytea
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_artifact_send';
comment on function mlops.artifact_send(mlops.artifact) is 'Binary form of a model: its bytes';

-- Models do not compress, and are read whole: stored beside the row, as they are.
create type mlops.artifact
(
	input = mlops.artifact_in,
	output = mlops.artifact_out,
	receive = mlops.artifact_recv,
	send = mlops.artifact_send,
	internallength = variable,
	alignment = double,
	storage = external
);
comment on type mlops.artifact is 'A trained model as a value: recipe, labels, parameters, metrics and payload in one validated run of bytes';

create function mlops.artifact_from_bytea(bytea) returns mlops.artifact
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_artifact_from_bytea';
comment on function mlops.artifact_from_bytea(bytea) is 'A model from its bytes; every byte is validated';

create function mlops.artifact_to_bytea(mlops.artifact) returns bytea
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_artifact_to_bytea';
comment on function mlops.artifact_to_bytea(mlops.artifact) is 'The bytes of a model';

create function mlops.artifact_to_jsonb(mlops.artifact) returns jsonb
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_artifact_to_jsonb';
comment on function mlops.artifact_to_jsonb(mlops.artifact) is
'What a model is: algorithm, task, target, classes, columns, sizes, parameters, metrics';

create cast (bytea as mlops.artifact) with function mlops.artifact_from_bytea(bytea);
create cast (mlops.artifact as bytea) with function mlops.artifact_to_bytea(mlops.artifact);
create cast (mlops.artifact as jsonb) with function mlops.artifact_to_jsonb(mlops.artifact);
