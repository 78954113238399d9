/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema: named, typed fields and key-value metadata. Its own strings; one
 * owner; zero-initialise. Two schemas are equal logically when names and types
 * are: dictionaries, nullability and metadata do not count.
 */
#ifndef BP_COL_SCHEMA_H
#define BP_COL_SCHEMA_H

#include "base/buf.h"
#include "col/type.h"

/* Text written as a dictionary (on the stream: int32 indexes). */
enum bp_dict_kind {
    BP_DICT_NONE = 0,
    BP_DICT_KNOWN,  /* declared, or all values are known: a file has one, too */
    BP_DICT_GROWING /* how many values there will be nobody knows: streams, which may replace a
                     * dictionary, have one; it is no part of the schema's text, and files are
                     * plain */
};

struct bp_field {
    char *name;
    struct bp_type type;
    bool nullable; /* false for NOT NULL */
    uint8_t dict;  /* enum bp_dict_kind; any but NONE is true */
    bool pseudo;   /* there because a clause names it: * does not stand for it */
};

struct bp_meta {
    char *key, *value;
};

struct bp_schema {
    struct bp_field *fields;
    int n_fields;
    struct bp_meta *meta;
    int n_meta;
};

void bp_schema_release(struct bp_schema *s);
/* dst is overwritten, not released. */
int bp_schema_copy(struct bp_schema *dst, const struct bp_schema *src, struct bp_err *err) BP_MUST;
/* Appends; the name is copied. Duplicate names are allowed here: whoever makes
 * a schema from user's text refuses them. nullable is true. */
int bp_schema_add(struct bp_schema *s, const char *name, struct bp_type type,
                  struct bp_err *err) BP_MUST;
bool bp_schema_equal(const struct bp_schema *a, const struct bp_schema *b);
/* Exact spelling first, then a unique match ignoring ASCII case. -1: none;
 * -2: several match. */
int bp_schema_find(const struct bp_schema *s, const char *name);
/* As bp_schema_find(), but a failure is BP_EUSAGE "no column 'x'; there are: a, b". */
int bp_schema_index(const struct bp_schema *s, const char *name, int *index,
                    struct bp_err *err) BP_MUST;

/* NULL when absent. */
const char *bp_schema_meta(const struct bp_schema *s, const char *key);
/* Sets or replaces; value NULL removes. */
int bp_schema_set_meta(struct bp_schema *s, const char *key, const char *value,
                       struct bp_err *err) BP_MUST;
int bp_schema_copy_meta(struct bp_schema *dst, const struct bp_schema *src,
                        struct bp_err *err) BP_MUST;

/*
 * Text form, an SQL column list: `a int, "b c" decimal(10,2) NOT NULL, *`.
 * Keywords may be names; "*" (at most one, the rest is inferred) sets *star.
 * SQL comments are skipped. Errors give the place with a caret.
 */
int bp_schema_parse(const char *text, struct bp_schema *out, bool *star,
                    struct bp_err *err) BP_MUST;
/* The same form, one line a column when multiline. */
int bp_schema_print(const struct bp_schema *s, bool multiline, struct bp_buf *out,
                    struct bp_err *err) BP_MUST;
/* The whole name of a type, however deep, as bp_type_parse() reads it. */
int bp_type_print(struct bp_type t, struct bp_buf *out, struct bp_err *err) BP_MUST;
/* name, quoted if SQL needs it (bp_schema_parse and bp-* clauses read it back). */
int bp_name_print(const char *name, struct bp_buf *out, struct bp_err *err) BP_MUST;

#endif
