/*
 * cpu.c
 *		Vector widths, chosen at run time.
 */
#include "cpu.h"

static CpuLevel limit = CPU_AVX512;

/* Asked anew each time: it costs a few loads. */
CpuLevel
cpu_level(void)
{
#ifdef __x86_64__
	if (limit >= CPU_AVX512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return CPU_AVX512;
	if (limit >= CPU_AVX2 && __builtin_cpu_supports("avx2"))
		return CPU_AVX2;
#endif
	return CPU_PLAIN;
}

bool
cpu_permutes_bytes(void)
{
#ifdef __x86_64__
	return cpu_level() == CPU_AVX512 && __builtin_cpu_supports("avx512vbmi");
#else
	return false;
#endif
}

/* Not thread safe. */
void
cpu_limit(CpuLevel highest)
{
	limit = highest;
}
