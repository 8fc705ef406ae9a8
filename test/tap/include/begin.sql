-- The beginning of each test: a transaction that is rolled back at its end, with both extensions in the database.
\set QUIET on
set client_min_messages = warning;
begin;
create extension if not exists pgtap;
create extension if not exists mlops;
set local search_path = public, pg_temp;
