-- Score: a model's predictions for a source, written into a table.

create function mlops.score_table(model text, source text, destination text, key text, mode text default 'append') returns bigint
language c volatile parallel unsafe as 'MODULE_PATHNAME', 'mlops_score_table';
comment on function mlops.score_table(text, text, text, text, text) is
'Writes predictions for all rows of a source into a table, by the column key that both have; mode replace, append or upsert; the number of rows. As a job of kind score_table it goes by batches and is resumed';
