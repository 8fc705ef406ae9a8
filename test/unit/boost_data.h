/*
 * boost_data.h
 *		Rows for tests of gradient boosting, made from their number alone.
 */
#ifndef MLOPS_TEST_BOOST_DATA_H
#define MLOPS_TEST_BOOST_DATA_H

#include "boost_case.h"

/* Columns: 0 and 1 categories of 4 and 30 levels with missing values; the others numbers, some missing, some of few values. */
static inline double
mixed_x(size_t row, uint32_t column)
{
	double		u = boost_number(row, column);

	if (boost_number(row, 100 + column) < 0.1 && column % 3 != 2)
		return NAN;
	switch (column)
	{
		case 0:
			return floor(u * 4);
		case 1:
			return floor(u * u * 30);
		case 2:
			return floor(u * 6);
		default:
			return column % 2 ? u : exp(3 * u);
	}
}

/* x, or something else where it is missing. */
static inline double
number_or(double x, double otherwise)
{
	return x != x ? otherwise : x;
}

/* Depends on all of them, with noise. */
static inline double
mixed_signal(size_t row)
{
	double		category = number_or(mixed_x(row, 1), 11);

	return (number_or(mixed_x(row, 0), 5) == 2) + ((uint64_t) (category * 7) % 5 < 2 ? 1 : 0) + 0.3 * mixed_x(row, 2) +
		2 * number_or(mixed_x(row, 3), -0.5) * number_or(mixed_x(row, 5), 0.8) + 0.1 * number_or(mixed_x(row, 4), 1) +
		0.5 * boost_number(row, 77);
}

/* A regression on it. */
static inline double
mixed_value(size_t row)
{
	return 100 * mixed_signal(row);
}

/* Two classes by it. */
static inline double
mixed_yes(size_t row)
{
	return mixed_signal(row) + boost_number(row, 78) > 3.3;
}

/* Five classes by it. */
static inline double
mixed_class(size_t row)
{
	return fmax(0, fmin(floor(mixed_signal(row)), 4));
}

/* Weights that have nothing to do with it. */
static inline double
mixed_weight(size_t row)
{
	return 0.5 + 3 * boost_number(row, 79);
}

/* A fit of them with a fifth held out. */
static inline BoostCase
mixed_case(Task task)
{
	return (BoostCase)
	{
		.task = task,
		.n_classes = task == TASK_REGRESSION ? 0 : task == TASK_BINARY ? 2 : 5,
		.n_rows = 3000,
		.n_columns = 8,
		.x = mixed_x,
		.y = task == TASK_REGRESSION ? mixed_value : task == TASK_BINARY ? mixed_yes : mixed_class,
		.n_categories = 2,
		.n_floats = 2,
		.params = {{"n_estimators", 12}, {"max_depth", 5}},
		.validation = 0.2,
		.seed = 42
	};
}

/* Any number of columns of distinct numbers. */
static inline double
wide_x(size_t row, uint32_t column)
{
	return boost_number(row, column);
}

/* Depends on 80 of 1,600 columns. */
static inline double
wide_y(size_t row)
{
	double		sum = 0;

	for (uint32_t c = 0; c < 40; c++)
		sum += wide_x(row, 40 * c) * (c % 5) + (wide_x(row, 40 * c + 1) > 0.5);
	return sum;
}

#endif
