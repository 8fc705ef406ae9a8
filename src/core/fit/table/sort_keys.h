/*
 * sort_keys.h
 *		A few thousand 64-bit keys, sorted by one thread.
 */
#ifndef MLOPS_CORE_FIT_SORT_KEYS_H
#define MLOPS_CORE_FIT_SORT_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* Ascending; spare: room for n keys. */
extern void sort_keys(uint64_t *keys, uint64_t *spare, size_t n);

#endif
