/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of bp-avro (README.md). */
#ifndef BP_AVRO_H
#define BP_AVRO_H

#include <jansson.h>

#include "base/buf.h"
#include "col/schema.h"
#include "ipc/rows.h"
#include "sys/input.h"

/* ---- container.c ---- */

enum avro_codec { AVRO_NULL, AVRO_DEFLATE, AVRO_SNAPPY };

struct avro_file {
    const char *name;
    struct bp_input in;
    struct bp_buf schema; /* JSON */
    enum avro_codec codec;
    uint8_t sync[16];
    int64_t n_blocks; /* read so far */
    struct bp_buf packed, rows;
};

/* Opens it and reads its header. */
int avro_open(struct avro_file *f, const char *path, struct bp_err *err) BP_MUST;
/* The next block: f->rows holds *n_rows rows. BP_DONE at the end. */
int avro_block(struct avro_file *f, int64_t *n_rows, struct bp_err *err) BP_MUST;
void avro_close(struct avro_file *f);

/* A zigzag varint of [*p, end), which *p passes; false: there is none. */
bool avro_long(const uint8_t **p, const uint8_t *end, int64_t *out);

/* ---- schema.c ---- */

enum avro_wire {
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_FIXED,
    AVRO_ENUM,
    AVRO_RECORD,
    AVRO_ARRAY,
    AVRO_MAP
};

struct avro_type {
    enum avro_wire wire;
    int n_branches;         /* of a union; 0: it is none */
    int null_branch;        /* -1: no value is null */
    size_t fixed_bytes;     /* of AVRO_FIXED */
    const json_t *symbols;  /* of AVRO_ENUM; lives in avro_schema.json */
    struct avro_type *kids; /* a record's fields; the items of an array; a map's values */
    int n_kids;
    struct bp_type type; /* a struct, a list; of a map a list of structs of key and value */
};

struct avro_schema {
    json_t *json, *named;    /* named: the types that have a name, by it */
    struct avro_type record; /* whose fields are the columns */
    int n_types;
    struct bp_schema columns;
};

int avro_schema_read(struct avro_schema *s, const struct avro_file *f, struct bp_err *err) BP_MUST;
void avro_schema_release(struct avro_schema *s);

/* ---- rows.c ---- */

/* All rows of the file, onto fd. */
int avro_read(const char *path, int fd, bp_ipc_say *say, struct bp_err *err) BP_MUST;

#endif
