/*
 * byte_value.h
 *		SQL types that are runs of bytes behind a length word: their text and binary forms.
 *
 * The text form is base64, the binary form and the cast to bytea are the
 * bytes.  What the bytes mean, and whether they are valid, is for the type.
 */
#ifndef MLOPS_PG_BYTE_VALUE_H
#define MLOPS_PG_BYTE_VALUE_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

/* A value with room for so many bytes, aligned as palloc does; PROGRAM_LIMIT_EXCEEDED.  what: "a model", for errors. */
extern struct varlena *byte_value_new(size_t size, const char *what);

/* A value with a copy of these bytes. */
extern struct varlena *byte_value_of(const void *bytes, size_t size, const char *what);

/* The bytes of a text form; INVALID_TEXT_REPRESENTATION with the type's name. */
extern struct varlena *byte_value_in(const char *text, const char *type, const char *what);

/* The text form; PROGRAM_LIMIT_EXCEEDED. */
extern char *byte_value_out(const struct varlena *value, const char *what);

/* The rest of a message. */
extern struct varlena *byte_value_recv(StringInfo message, const char *what);

/* The binary form. */
extern bytea *byte_value_send(const struct varlena *value);

#endif
