/*
 * cpu.h
 *		Vector widths, chosen at run time.
 *
 * A kernel is written once, as an inline body in plain C whose inner loops
 * have a constant length; CPU_DISPATCH compiles it for each width.  Nothing
 * reorders or fuses floating-point operations, so all widths give the same
 * bits.
 */
#ifndef MLOPS_CORE_CPU_H
#define MLOPS_CORE_CPU_H

#include <stdbool.h>

typedef enum CpuLevel
{
	CPU_PLAIN = 0,
	CPU_AVX2 = 1,
	CPU_AVX512 = 2				/* F, BW, DQ, VL */
} CpuLevel;

/* What this machine can do, or less where a limit is set. */
extern CpuLevel cpu_level(void);

/* Whether bytes can be permuted, too (AVX-512 VBMI), within the same limit. */
extern bool cpu_permutes_bytes(void);

/* Tests and benchmarks compare the widths; not to be called while anything runs. */
extern void cpu_limit(CpuLevel highest);

/* What the bodies are made of: they must end up inside the versions, whatever the optimiser thinks. */
#define CPU_BODY static inline __attribute__((always_inline))

#ifdef __x86_64__

#define CPU_TARGET_AVX2		__attribute__((target("avx2,popcnt")))
#define CPU_TARGET_AVX512	__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,popcnt")))
#define CPU_TARGET_VBMI		__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,popcnt")))

/* Defines void name(parameters) from the CPU_BODY name_body(parameters). */
#define CPU_DISPATCH(name, parameters, arguments) \
	__attribute__((flatten)) CPU_TARGET_AVX512 static void name##_avx512 parameters { name##_body arguments; } \
	__attribute__((flatten)) CPU_TARGET_AVX2 static void name##_avx2 parameters { name##_body arguments; } \
	__attribute__((flatten)) static void name##_plain parameters { name##_body arguments; } \
	static void name parameters \
	{ \
		switch (cpu_level()) \
		{ \
			case CPU_AVX512: \
				name##_avx512 arguments; \
				break; \
			case CPU_AVX2: \
				name##_avx2 arguments; \
				break; \
			case CPU_PLAIN: \
				name##_plain arguments; \
				break; \
		} \
	}

#else

#define CPU_DISPATCH(name, parameters, arguments) \
	static void name parameters { name##_body arguments; }

#endif

#endif
