-- Distributions: building summaries of columns, and how far two of them are apart.

-- Building.

create function mlops.profile_count(mlops.distribution, anyelement) returns mlops.distribution
language c stable parallel safe as 'MODULE_PATHNAME', 'mlops_profile_count';
comment on function mlops.profile_count(mlops.distribution, anyelement) is 'Transition of mlops.profile(column)';

create function mlops.profile_count(mlops.distribution, anyelement, mlops.distribution) returns mlops.distribution
language c stable parallel safe as 'MODULE_PATHNAME', 'mlops_profile_count';
comment on function mlops.profile_count(mlops.distribution, anyelement, mlops.distribution) is 'Transition of mlops.profile(column, reference)';

create function mlops.profile_merge(mlops.distribution, mlops.distribution) returns mlops.distribution
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_profile_merge';
comment on function mlops.profile_merge(mlops.distribution, mlops.distribution) is 'The distribution of the rows of two; transition of mlops.merge(distribution)';

-- sspace: what a state takes whose column has more values than cells; of few values it has some 10 kB.
create aggregate mlops.profile(anyelement)
(
	sfunc = mlops.profile_count, stype = mlops.distribution, sspace = 300000, combinefunc = mlops.profile_merge, parallel = safe
);
comment on aggregate mlops.profile(anyelement) is 'The distribution of a column of numbers, booleans, dates, times or texts; NULL without rows';

create aggregate mlops.profile(anyelement, mlops.distribution)
(
	sfunc = mlops.profile_count, stype = mlops.distribution, sspace = 300000, combinefunc = mlops.profile_merge, parallel = safe
);
comment on aggregate mlops.profile(anyelement, mlops.distribution) is
'The distribution of a column, counted into the cells of a reference, which must be the same for all rows';

create aggregate mlops.merge(mlops.distribution)
(
	sfunc = mlops.profile_merge, stype = mlops.distribution, sspace = 300000, combinefunc = mlops.profile_merge, parallel = safe
);
comment on aggregate mlops.merge(mlops.distribution) is 'The distribution of all rows that the distributions summarise';

create function mlops.subtract(whole mlops.distribution, part mlops.distribution) returns mlops.distribution
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_subtract';
comment on function mlops.subtract(mlops.distribution, mlops.distribution) is 'The distribution of the rows of the whole that are not among those of the part';

create function mlops.quantile(distribution mlops.distribution, q double precision) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_quantile';
comment on function mlops.quantile(mlops.distribution, double precision) is
'A quantile of the finite values, interpolated as percentile_cont does; dates in days, timestamps in microseconds since 2000, intervals in seconds';

create function mlops.describe(source text, out name text, out type text, out rows bigint, out null_share double precision,
							   out distinct_values bigint, out min text, out q25 text, out median text, out q75 text, out max text,
							   out mean text, out sd double precision, out top text, out histogram text, out profile mlops.distribution)
returns setof record
language c volatile parallel unsafe cost 10000 rows 20 as 'MODULE_PATHNAME', 'mlops_describe';
comment on function mlops.describe(text) is
'One row a column of a table, view or SELECT: type, rows, NULLs, distinct values, range, quartiles, mean, deviation, frequent values, a histogram, the profile';

-- Distances over cells: of the reference's values, of NULL, of NaN and infinities, of what the reference has not.

create function mlops.psi(reference mlops.distribution, current mlops.distribution, smoothing double precision default 0.5,
						  epsilon double precision default 0) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_psi';
comment on function mlops.psi(mlops.distribution, mlops.distribution, double precision, double precision) is
'Population stability index, nats: sum (q - p) ln(q / p); symmetric.  smoothing is added to each count, epsilon then stands for shares of 0';

create function mlops.kl(reference mlops.distribution, current mlops.distribution, smoothing double precision default 0.5,
						 epsilon double precision default 0) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_kl';
comment on function mlops.kl(mlops.distribution, mlops.distribution, double precision, double precision) is
'Kullback-Leibler divergence, nats: sum p ln(p / q), p of the reference';

create function mlops.js_divergence_bits(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_js_divergence_bits';
comment on function mlops.js_divergence_bits(mlops.distribution, mlops.distribution) is 'Jensen-Shannon divergence, bits: 0 to 1';

create function mlops.js_distance_base2(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_js_distance_base2';
comment on function mlops.js_distance_base2(mlops.distribution, mlops.distribution) is
'Jensen-Shannon distance: square root of the divergence in bits, 0 to 1';

create function mlops.hellinger(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_hellinger';
comment on function mlops.hellinger(mlops.distribution, mlops.distribution) is 'Hellinger distance: sqrt(1/2 sum (sqrt p - sqrt q)^2), 0 to 1';

create function mlops.tvd(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_tvd';
comment on function mlops.tvd(mlops.distribution, mlops.distribution) is 'Total variation distance: 1/2 sum |p - q|, 0 to 1';

create function mlops.l_inf(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_l_inf';
comment on function mlops.l_inf(mlops.distribution, mlops.distribution) is 'Greatest difference of a cell''s shares: max |p - q|, 0 to 1';

create function mlops.chi2(reference mlops.distribution, current mlops.distribution, least_expected double precision default 5,
						   yates boolean default false, out statistic double precision, out freedom double precision, out p_value double precision)
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_chi2';
comment on function mlops.chi2(mlops.distribution, mlops.distribution, double precision, boolean) is
'Chi-square test on the table of both counts; cells with fewer expected than least_expected are pooled; yates corrects tables of two cells';

create function mlops.g_test(reference mlops.distribution, current mlops.distribution, least_expected double precision default 5,
							 out statistic double precision, out freedom double precision, out p_value double precision)
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_g_test';
comment on function mlops.g_test(mlops.distribution, mlops.distribution, double precision) is
'Likelihood ratio test on the table of both counts; cells with fewer expected than least_expected are pooled';

create function mlops.cramers_v(reference mlops.distribution, current mlops.distribution, yates boolean default false) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_cramers_v';
comment on function mlops.cramers_v(mlops.distribution, mlops.distribution, boolean) is 'Cramer''s V, corrected for bias: 0 to 1';

create function mlops.cell_counts(reference mlops.distribution, current mlops.distribution) returns bigint[]
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_cell_counts';
comment on function mlops.cell_counts(mlops.distribution, mlops.distribution) is
'Counts of a distribution in all cells of a reference, empty ones too, so that arrays of one reference align: below, above, between, NULL, NaN and infinities, other texts, then the values'' own';

create type mlops.profile_comparison as
(
	kind text, rows bigint, distinct_values double precision, before bigint[], now bigint[], ks double precision, ks_p double precision,
	wasserstein double precision, wasserstein_normed double precision, mean_shift double precision
);
comment on type mlops.profile_comparison is
'Two distributions side by side: kind, rows and distinct values of the reference; counts of both in its cells; of numbers the distances that need no cells';

create function mlops.compare_profiles(reference mlops.distribution, current mlops.distribution) returns mlops.profile_comparison
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_compare_profiles';
comment on function mlops.compare_profiles(mlops.distribution, mlops.distribution) is 'All that monitors ask of a distribution and its reference, read once';

create function mlops.profile_kind(profile mlops.distribution) returns text
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_profile_kind';
comment on function mlops.profile_kind(mlops.distribution) is 'Of what values a distribution is: number, boolean, date, timestamp, timestamptz or category';

-- Distances over the order of finite numbers.

create type mlops.ks_statistic as (d double precision, p double precision);
comment on type mlops.ks_statistic is 'The Kolmogorov-Smirnov statistic, and its two-sided p';

create function mlops.ks(reference mlops.distribution, current mlops.distribution) returns mlops.ks_statistic
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_ks';
comment on function mlops.ks(mlops.distribution, mlops.distribution) is
'Kolmogorov-Smirnov test: greatest difference of the cumulative shares, and its two-sided p';

create function mlops.wasserstein(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_wasserstein';
comment on function mlops.wasserstein(mlops.distribution, mlops.distribution) is
'Wasserstein distance, in the values'' unit (days, microseconds, seconds): the area between the cumulative shares';

create function mlops.wasserstein_normed(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_wasserstein_normed';
comment on function mlops.wasserstein_normed(mlops.distribution, mlops.distribution) is 'Wasserstein distance in standard deviations of the reference';

create function mlops.energy(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_energy';
comment on function mlops.energy(mlops.distribution, mlops.distribution) is 'Energy distance: sqrt(2 integral (F - G)^2)';

create function mlops.mean_shift(reference mlops.distribution, current mlops.distribution) returns double precision
language c immutable strict parallel safe as 'MODULE_PATHNAME', 'mlops_mean_shift';
comment on function mlops.mean_shift(mlops.distribution, mlops.distribution) is 'Difference of the means in standard deviations of the reference';

-- The test on raw columns.

create function mlops.ks_exact_count(bytea, double precision, double precision) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_ks_exact_count';
comment on function mlops.ks_exact_count(bytea, double precision, double precision) is 'Transition of mlops.ks_exact(reference, current)';

create function mlops.ks_exact_merge(bytea, bytea) returns bytea
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_ks_exact_merge';
comment on function mlops.ks_exact_merge(bytea, bytea) is 'Combines the states of mlops.ks_exact(reference, current)';

create function mlops.ks_exact_finish(bytea) returns mlops.ks_statistic
language c immutable parallel safe as 'MODULE_PATHNAME', 'mlops_ks_exact_finish';
comment on function mlops.ks_exact_finish(bytea) is 'Result of mlops.ks_exact(reference, current)';

create aggregate mlops.ks_exact(double precision, double precision)
(
	sfunc = mlops.ks_exact_count, stype = bytea, finalfunc = mlops.ks_exact_finish, combinefunc = mlops.ks_exact_merge, parallel = safe
);
comment on aggregate mlops.ks_exact(double precision, double precision) is
'Kolmogorov-Smirnov test on two columns: (d, p); NULLs of each are passed over, so that columns of different lengths fit into one table';
