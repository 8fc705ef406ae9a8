/*
 * hash.h
 *		The hashes that decide row order, split membership and sampling.
 *
 * They are part of the contract "same rows, same model": changing one changes
 * models.  Mixing is the finaliser of splitmix64 (Steele, Lea & Flood 2014).
 */
#ifndef MLOPS_CORE_HASH_H
#define MLOPS_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_MISSING UINT64_C(0x6d697373696e6721)	/* what NULL and NaN hash as */

/* A bijection of 64 bits in which every input bit moves every output bit. */
static inline uint64_t
hash64_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return x;
}

/* Two words into one; not symmetric. */
static inline uint64_t
hash64_combine(uint64_t a, uint64_t b)
{
	return hash64_mix(a ^ (hash64_mix(b) + UINT64_C(0x9e3779b97f4a7c15) + (a << 6) + (a >> 2)));
}

/* The bits of a number in normal form: -0 as 0, every NaN alike. */
static inline uint64_t
hash64_number_bits(double value)
{
	uint64_t	bits;

	if (value != value)
		return HASH_MISSING;
	value += 0.0;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* Hash of a byte string; the same on every machine. */
static inline uint64_t
hash64_bytes(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t	hash = hash64_mix(n + UINT64_C(0x9e3779b97f4a7c15));

	for (; n >= 8; n -= 8, p += 8)
	{
		uint64_t	word;

		memcpy(&word, p, 8);
		hash = hash64_mix(hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
	}
	if (n > 0)
	{
		uint64_t	word = 0;

		memcpy(&word, p, n);
		hash = hash64_mix(hash ^ word);
	}
	return hash64_mix(hash);
}

#endif
