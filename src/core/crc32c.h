/*
 * crc32c.h
 *		CRC-32C, the checksum of models.
 */
#ifndef MLOPS_CORE_CRC32C_H
#define MLOPS_CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli; RFC 3720, appendix B.4) of n bytes; by the CPU's own instruction where it has one. */
extern uint32_t crc32c(const void *bytes, size_t n);

/* The same by table, on any CPU. */
extern uint32_t crc32c_table(const void *bytes, size_t n);

#endif
