/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text <-> value, for formats and for casts. The text is PostgreSQL 15's
 * `::text` (DateStyle ISO, IntervalStyle postgres, UTC, extra_float_digits 1);
 * reading takes what PostgreSQL's input takes in those settings for ISO forms,
 * blanks around numbers and dates included. The locale and TZ play no part.
 * Where we are stricter: nothing is rounded or dropped to fit (PostgreSQL rounds
 * decimals and fractions of seconds, and drops the zone of a naive timestamp and
 * the time of a date); infinite dates, NaN decimals, names of zones and words such
 * as 'now' are BP_TEXT_BAD. Where we are wider: years as far as the type reaches.
 */
#ifndef BP_COL_TEXT_H
#define BP_COL_TEXT_H

#include "base/buf.h"
#include "col/column.h"

enum bp_text_status {
    BP_TEXT_OK = 0,
    BP_TEXT_BAD = 1,   /* not a value of this type */
    BP_TEXT_RANGE = 2, /* a value out of range, or that needs more digits than declared */
};

/* One value: s[0, n) -> *out in memory layout (bool: uint8_t). 32 readable bytes
 * behind s are NOT assumed. Returns enum bp_text_status. Not for text. */
int bp_text_parse(struct bp_type t, const char *s, size_t n, void *out);

/* The single parsers, where a caller wants a loop of its own over one type. */
int bp_parse_int64(const char *s, size_t n, int64_t *out);
int bp_parse_uint64(const char *s, size_t n, uint64_t *out);
/* Correctly rounded always; takes inf, infinity, nan in any case. */
int bp_parse_float64(const char *s, size_t n, double *out);
int bp_parse_float32(const char *s, size_t n, float *out); /* rounded once */
/* The exact value; digits beyond scale that are not 0 are BP_TEXT_RANGE (as is
 * more than precision digits). Exponents allowed (1e3). */
int bp_parse_decimal(const char *s, size_t n, int precision, int scale, bp_int128 *out);
int bp_parse_bool(const char *s, size_t n, uint8_t *out);
/* A date alone: with a time of day behind it, it is a timestamp, and BP_TEXT_BAD. */
int bp_parse_date(const char *s, size_t n, int32_t *out);
int bp_parse_time(const char *s, size_t n, enum bp_unit u, int64_t *out);
/* with_zone: an offset or Z is read and applied (none: UTC). Without: an offset
 * is BP_TEXT_BAD. More fraction digits than the unit holds: BP_TEXT_RANGE unless 0. */
int bp_parse_timestamp(const char *s, size_t n, enum bp_unit u, bool with_zone, int64_t *out);
int bp_parse_interval(const char *s, size_t n, struct bp_interval *out);
/* bytea: \x and hex digits, or PostgreSQL's escape form. At most n bytes -> out, which may
 * be NULL: checked and counted only. */
int bp_parse_binary(const char *s, size_t n, uint8_t *out, size_t *out_bytes);

/* Most bytes that bp_text_format() writes for a value that is not text. */
#define BP_TEXT_MAX 400
/* Text of the value at p (memory layout) -> out; returns the length, no NUL. */
size_t bp_text_format(struct bp_type t, const void *p, char out[BP_TEXT_MAX]);
size_t bp_format_int64(int64_t v, char *out);
size_t bp_format_uint64(uint64_t v, char *out);
size_t bp_format_float64(double v, char *out); /* shortest that reads back the same */
size_t bp_format_float32(float v, char *out);
size_t bp_format_decimal(bp_int128 v, int scale, char *out);
size_t bp_format_date(int32_t days, char *out);
size_t bp_format_timestamp(int64_t v, enum bp_unit u, bool with_zone, char *out);
size_t bp_format_time(int64_t v, enum bp_unit u, char *out);
size_t bp_format_interval(struct bp_interval v, char *out);

/* Row i of any column (not null), text and binary included (binary: \x hex),
 * appended to out. Lists and structs as PostgreSQL writes arrays and rows:
 * {1,NULL,"a b"}, (1,,"a b"). */
int bp_text_append(const struct bp_column *c, int64_t i, struct bp_buf *out,
                   struct bp_err *err) BP_MUST;

/* The same for a list or a struct. */
int bp_text_append_nested(const struct bp_column *c, int64_t i, struct bp_buf *out,
                          struct bp_err *err) BP_MUST;
/* A column of these texts; NULL stays NULL. */
int bp_text_column(struct bp_column *out, const struct bp_column *c, struct bp_err *err) BP_MUST;

/* True if s[0, n) is UTF-8 (RFC 3629); *bad_at is the first wrong byte. */
bool bp_utf8_check(const uint8_t *s, size_t n, size_t *bad_at);

#endif
