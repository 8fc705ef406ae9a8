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

/* The last 1 to 7 bytes of a string, with zeros behind them; categories are short, and a copy of so few bytes would be a call. */
static inline uint64_t
hash64_tail(const uint8_t *p, size_t n)
{
	uint64_t	word = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (n >= 4)
	{
		uint32_t	low;
		uint32_t	high;

		memcpy(&low, p, 4);
		memcpy(&high, p + n - 4, 4);
		word = low | (uint64_t) high << (8 * (n - 4));	/* where they overlap they are equal */
	}
	else
		word = (uint64_t) p[0] | (uint64_t) p[n / 2] << (8 * (n / 2)) | (uint64_t) p[n - 1] << (8 * (n - 1));
#else
	memcpy(&word, p, n);
#endif
	return word;
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
		hash = hash64_mix(hash ^ hash64_tail(p, n));
	return hash64_mix(hash);
}

#endif
