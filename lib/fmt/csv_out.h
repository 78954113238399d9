/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output column of CSV while it is filled, and stage 2: the conversion of
 * one field of many records into it. Fields come as positions in the text:
 * value i is p[s[i * step] + 1, e[i * step]).
 */
#ifndef BP_FMT_CSV_OUT_H
#define BP_FMT_CSV_OUT_H

#include "flow/dictset.h"

struct csv_out {
    struct bp_type type;
    struct bp_block *data, *valid, *bytes; /* valid: all ones but for the nulls */
    int64_t n_rows, n_nulls, cap_rows;
    size_t bytes_len;
    struct bp_dictset *dict; /* text only: rows are its codes; not ours. NULL: they are plain */
};

/* Room for n_rows more rows and, of text, n_bytes more bytes. */
int csv_out_reserve(struct csv_out *o, int64_t n_rows, size_t n_bytes, struct bp_err *err) BP_MUST;
/* Appends n nulls; room is reserved. */
void csv_out_nulls(struct csv_out *o, int64_t n);
/* Appends one value in memory layout, or one text; room is reserved. */
void csv_out_value(struct csv_out *o, const void *value);
int csv_out_add_text(struct csv_out *o, const void *p, size_t n, struct bp_err *err) BP_MUST;
/* Appends the bytea that a text of n bytes is; false: it is none. */
bool csv_out_binary(struct csv_out *o, const void *p, size_t n);
/* Moves the rows to c; o is empty again, of the same type. On failure nothing is moved. */
int csv_out_finish(struct csv_out *o, struct bp_column *c, struct bp_err *err) BP_MUST;
void csv_out_release(struct csv_out *o);

#define CSV_DATES 256
/* Days of the dates seen last, by their ten bytes: most rows repeat a date. */
struct csv_dates {
    struct {
        uint64_t head; /* "YYYY-MM-" */
        uint32_t tail; /* "DD" */
        int32_t days;
    } slot[CSV_DATES];
};

/* A length of -1 (e = s) is an empty quoted field; of 0 NULL. For text, bit 31
 * of s says that the field has doubled quotes. */
#define CSV_ESCAPED 0x80000000u

struct csv_span {
    const uint8_t *p; /* 20 bytes from a field's first on are readable, and 8 before its end */
    const uint32_t *s, *e;
    size_t step;
    int64_t n;
    uint8_t quote;
    bool marked;    /* fields may have CSV_ESCAPED or length -1 */
    bool unchecked; /* they may be no UTF-8: what is new to a dictionary is to be looked at */
    struct csv_dates *dates;
    struct bp_err *err; /* where memory is needed for a value that is new to a dictionary */
};

/* Appends the fields; room is reserved. False: one of them is no value of o's
 * type, or f->err is set; the rows are appended, but hold anything, until they are taken
 * back. */
bool csv_convert(struct csv_out *o, const struct csv_span *f, int level);

/* Are bytes that are no UTF-8 no value of this type: a number or time of ASCII, or a text that is
 * looked at when it is new to the dictionary? */
bool csv_convert_checks(struct bp_type t, bool dict);

#endif
