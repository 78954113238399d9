/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Parquet file says of itself (apache/parquet-format: parquet.thrift,
 * README.md, Encodings.md, Compression.md), as checked structs. Numbers of
 * enums are the format's.
 *
 * A file is "PAR1", column chunks (dictionary page, data pages), optional
 * indexes, the footer, its length (uint32), "PAR1". A row group holds one chunk
 * of every column. A column here is a leaf of the schema's tree; what is a column of the
 * table, a list and a struct too, is a field.
 */
#ifndef BP_FMT_PARQUET_FORMAT_H
#define BP_FMT_PARQUET_FORMAT_H

#include "base/arena.h"
#include "col/schema.h"
#include "sys/input.h"

enum bp_pq_physical {
    BP_PQ_BOOLEAN,
    BP_PQ_INT32,
    BP_PQ_INT64,
    BP_PQ_INT96,
    BP_PQ_FLOAT,
    BP_PQ_DOUBLE,
    BP_PQ_BYTES,
    BP_PQ_FIXED,
};

enum bp_pq_encoding {
    BP_PQ_PLAIN = 0,
    BP_PQ_PLAIN_DICTIONARY = 2,
    BP_PQ_RLE = 3,
    BP_PQ_BIT_PACKED = 4,
    BP_PQ_DELTA_BINARY = 5,
    BP_PQ_DELTA_LENGTH = 6,
    BP_PQ_DELTA_BYTES = 7,
    BP_PQ_RLE_DICTIONARY = 8,
    BP_PQ_BYTE_SPLIT = 9,
};

enum bp_pq_page_type {
    BP_PQ_DATA_PAGE = 0,
    BP_PQ_INDEX_PAGE = 1,
    BP_PQ_DICT_PAGE = 2,
    BP_PQ_DATA_PAGE_V2 = 3,
};

/* How values of the file become values of a column (convert.c). */
enum bp_pq_convert {
    BP_PQ_AS_IS,      /* same width, same bits */
    BP_PQ_NARROW_8,   /* int32 -> 8, 16 bits; the rest must be sign or zero */
    BP_PQ_NARROW_16,  /*   (else the file is wrong) */
    BP_PQ_WIDEN,      /* int32 -> int64 (time in ms) */
    BP_PQ_INT32_DEC,  /* -> decimals, as their precision has them */
    BP_PQ_INT64_DEC,  /* the same */
    BP_PQ_FIXED_DEC,  /* big-endian two's complement -> decimals */
    BP_PQ_BYTES_DEC,  /* the same, of any length */
    BP_PQ_INT96_NS,   /* nanoseconds of the day, Julian day -> int64 ns */
    BP_PQ_HALF,       /* IEEE 754 binary16 -> float32 */
    BP_PQ_DURATION,   /* months, days, ms -> interval */
    BP_PQ_FIXED_BYTES /* -> binary */
};

struct bp_pq_column {
    const char *name;    /* with those of the groups around it: a.list.element */
    struct bp_type type; /* of its values */
    enum bp_pq_physical physical;
    enum bp_pq_convert convert;
    int fixed_bytes; /* width of one value as it lies in a PLAIN page; 0: BYTES, BOOLEAN */
    int max_def, max_rep;
    bool nested;              /* in a list or struct: it has levels (levels.h) */
    const uint8_t *slot_defs; /* [max_rep + 1]; levels.h */
    bool is_unsigned;         /* statistics compare unsigned */
};

/* A field of the table, or a part of one: a list has one kid, a struct one a field. Its
 * leaves are those columns of the file that lie below it. */
struct bp_pq_node {
    const char *name;
    struct bp_type type;
    int def;      /* the definition level from which on it is not NULL */
    int slot_def; /* that from which on there is a place for it, NULL or not */
    int rep;      /* in how many lists it lies */
    int first_leaf, n_leaves;
    struct bp_pq_node *kids;
    int n_kids;
    const char *refused; /* of a top-level field: why it cannot be read; NULL: it can */
};

struct bp_pq_stats {
    const uint8_t *min, *max; /* PLAIN bytes, in the footer; NULL: not known */
    size_t min_bytes, max_bytes;
    int64_t n_nulls; /* -1: not known */
};

struct bp_pq_chunk {
    int64_t from, to;  /* bytes of the file: dictionary page and data pages */
    int64_t n_values;  /* nulls included */
    int64_t raw_bytes; /* uncompressed, as claimed */
    int codec;
    bool has_dict;
    bool all_dict; /* every data page is known to be dictionary-encoded */
    struct bp_pq_stats stats;
    int64_t column_index, offset_index, bloom; /* offsets, 0: none */
    int64_t column_index_bytes, offset_index_bytes;
};

struct bp_pq_group {
    int64_t n_rows, first_row;
    struct bp_pq_chunk *chunks; /* one a column */
};

struct bp_pq_file {
    struct bp_input in;
    struct bp_arena arena;        /* everything below */
    uint8_t *footer;              /* its bytes: statistics point here */
    struct bp_pq_column *columns; /* leaves, in the order of the chunks */
    int n_columns;
    struct bp_pq_node *fields; /* columns of the table */
    int n_fields;
    struct bp_pq_group *groups;
    int n_groups;
    int64_t n_rows;
    struct bp_meta *meta; /* key-value metadata */
    int n_meta;
    const char *created_by;
};

/* Takes in over (also on error). Everything is checked against the file's size. */
int bp_pq_file_open(struct bp_pq_file **out, struct bp_input *in, struct bp_err *err) BP_MUST;
void bp_pq_file_free(struct bp_pq_file *f); /* NULL is a no-op */
const char *bp_pq_file_meta(const struct bp_pq_file *f, const char *key);

/* schema_tree.c: the schema's elements (field 2 of FileMetaData) -> columns, fields. */
struct bp_thrift;
int bp_pq_read_schema(struct bp_pq_file *f, struct bp_thrift *t, int type,
                      struct bp_err *err) BP_MUST;

#endif
