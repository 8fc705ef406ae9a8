/*
 * student.h
 *		Student's t: what one more value is likely to be, after a few.
 */
#ifndef MLOPS_CORE_STUDENT_H
#define MLOPS_CORE_STUDENT_H

/* How likely a variable of t's distribution is to exceed t; NaN without degrees of freedom. */
extern double student_upper(double t, double freedom);

/* The value that it exceeds with probability `upper`, 0 < upper < 1. */
extern double student_quantile(double upper, double freedom);

#endif
