/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/ipc: how schemas, batches and messages stand on the wire, and
 * the steps between them and ours. Field numbers and enum values are those of
 * Arrow's Message.fbs, Schema.fbs and File.fbs.
 */
#ifndef BP_IPC_WIRE_H
#define BP_IPC_WIRE_H

#include "base/buf.h"
#include "col/column.h"
#include "ipc/flatbuf.h"
#include "sys/input.h"

#define BP_IPC_ALIGN 64
#define BP_IPC_CONTINUATION UINT32_C(0xFFFFFFFF)
/* In its place, between two of our processes: the body lies in shared memory (handover.h), and
 * behind the metadata stand the ring's token and the slot's number. */
#define BP_IPC_HANDED UINT32_C(0xFFFFFFFE)
#define BP_IPC_ABORT (-2) /* where a metadata length stands */
#define BP_IPC_MAGIC "ARROW1"
#define BP_IPC_MAX_METADATA (INT64_C(1) << 29) /* of one message */
#define BP_IPC_MAX_ROWS INT64_C(0x7fffffff)    /* of one batch */

#define BP_META_ROWS "bp.rows"
#define BP_META_BATCHES "bp.batches"
#define BP_META_DICTIONARIES "bp.dictionaries" /* files: XXH3-64 of each dictionary message */

enum { FB_VERSION_V4 = 3, FB_VERSION_V5 = 4 };
enum { FB_HEADER_SCHEMA = 1, FB_HEADER_DICTIONARY = 2, FB_HEADER_RECORDS = 3 };
enum { FB_CODEC_NONE = -1, FB_CODEC_LZ4 = 0, FB_CODEC_ZSTD = 1 };
enum fb_type {
    FB_NULL = 1,
    FB_INT,
    FB_FLOAT,
    FB_BINARY,
    FB_UTF8,
    FB_BOOL,
    FB_DECIMAL,
    FB_DATE,
    FB_TIME,
    FB_TIMESTAMP,
    FB_INTERVAL,
    FB_LIST,
    FB_STRUCT,
    FB_UNION,
    FB_FIXED_BINARY,
    FB_FIXED_LIST,
    FB_MAP,
    FB_DURATION,
    FB_LARGE_BINARY,
    FB_LARGE_UTF8,
    FB_LARGE_LIST,
    FB_RUN_END,
    FB_BINARY_VIEW,
    FB_UTF8_VIEW,
    FB_LIST_VIEW,
    FB_LARGE_LIST_VIEW,
    FB_N_TYPES
};

struct bp_ipc_node { /* FieldNode */
    int64_t n_rows, n_nulls;
};
struct bp_ipc_buffer { /* Buffer */
    int64_t offset, n_bytes;
};
struct bp_ipc_block { /* Block, in a file's footer */
    int64_t offset;
    int32_t metadata_bytes, pad;
    int64_t body_bytes;
};

/* ---- fields ---- */

enum bp_ipc_layout {
    BP_IPC_FIXED,    /* validity, values of `width` bytes */
    BP_IPC_BITS,     /* validity, bits */
    BP_IPC_OFF32,    /* validity, int32 offsets, bytes */
    BP_IPC_OFF64,    /* validity, int64 offsets, bytes */
    BP_IPC_VIEWS,    /* validity, 16-byte views, any number of byte buffers */
    BP_IPC_FIXBYTES, /* validity, `width` bytes a row; held as binary */
    /* nested: then the kids' own nodes and buffers */
    BP_IPC_LIST,      /* validity, offsets of `width` bytes */
    BP_IPC_FIXLIST,   /* validity; `width` elements a row */
    BP_IPC_LISTVIEWS, /* validity, offsets, lengths, both of `width` bytes */
    BP_IPC_STRUCT,    /* validity */
};
enum bp_ipc_convert {
    BP_IPC_AS_IS,
    BP_IPC_WIDEN,       /* int32 -> int64 (time32) */
    BP_IPC_DECIMAL32,   /* -> bp_int128 */
    BP_IPC_DECIMAL64,   /* -> bp_int128 */
    BP_IPC_DECIMAL128,  /* -> int64: decimals of up to 18 digits */
    BP_IPC_DATE64,      /* ms -> days */
    BP_IPC_MONTHS,      /* int32 -> struct bp_interval */
    BP_IPC_DAYS_MILLIS, /* 2 x int32 -> struct bp_interval */
};

/* One field of a foreign or own schema as its buffers stand on the wire. With a
 * dictionary, layout, convert and width are those of the dictionary's values. */
struct bp_ipc_field {
    struct bp_type type; /* as we hold it */
    bool nullable;
    uint8_t layout;      /* enum bp_ipc_layout */
    uint8_t convert;     /* enum bp_ipc_convert */
    int32_t width;       /* bytes of one value on the wire */
    int dict;            /* index into bp_ipc_fields.dicts; -1: none */
    uint8_t index_width; /* 1, 2, 4, 8 */
    bool index_signed;
    struct bp_ipc_field *kids; /* of lists and structs */
    int n_kids;
};

/* A dictionary and its newest values. */
struct bp_ipc_dict {
    int64_t id;
    const struct bp_ipc_field *field; /* the first field that uses it */
    int column;                       /* which stands in this column */
    struct bp_dict *dict;             /* its values without their nulls; NULL: none came yet */
    struct bp_block *valid;           /* of the values; NULL: no nulls */
};

struct bp_ipc_fields {
    struct bp_ipc_field *fields;
    int n_fields;
    struct bp_ipc_dict *dicts;
    int n_dicts, cap_dicts;
};
void bp_ipc_fields_release(struct bp_ipc_fields *f);

/* A Schema table -> ours and its wire form. Unsupported types are BP_EDATA that
 * names the column. */
int bp_ipc_schema_decode(const struct bp_fb_table *t, struct bp_schema *schema,
                         struct bp_ipc_fields *fields, struct bp_err *err) BP_MUST;
/* FieldNodes of a column of type t: its own and those of its kids. */
int bp_ipc_node_count(struct bp_type t);
/* Returns the ref of a Schema table. Fields with dict get dictionary ids 0, 1, ... */
size_t bp_ipc_schema_encode(struct bp_fbw *w, const struct bp_schema *schema);
/* A field's own metadata: its dictionary is BP_DICT_GROWING. */
#define BP_IPC_DICT_KEY "bp.dictionary"
#define BP_IPC_DICT_GROWING "growing"
/* A [KeyValue] vector; 0 when n is 0. */
size_t bp_ipc_meta_encode(struct bp_fbw *w, const struct bp_meta *meta, int n);
/* The value of a key, not NUL-terminated; NULL if absent. */
const char *bp_ipc_meta_find(const struct bp_fb_vector *meta, const char *key, size_t *n);

/* ---- messages ---- */

/* A decoded Message; points into its metadata. Do not move it. */
struct bp_ipc_message {
    struct bp_fb fb;
    int kind; /* FB_HEADER_* */
    bool is_v4;
    bool short_prefix; /* V4's older framing: no continuation before the length */
    int64_t body_bytes;
    bool is_handed;
    uint32_t handed[2]; /* token and slot */
    struct bp_fb_table header;
    struct bp_fb_vector meta;
};
/* A RecordBatch header (of a batch or of a dictionary). */
struct bp_ipc_records {
    int64_t n_rows;
    struct bp_fb_vector nodes, buffers, variadic;
    int codec; /* FB_CODEC_* */
};
int bp_ipc_message_decode(struct bp_ipc_message *m, const void *p, size_t n,
                          struct bp_err *err) BP_MUST;
int bp_ipc_records_decode(struct bp_ipc_message *m, const struct bp_fb_table *t,
                          struct bp_ipc_records *out, struct bp_err *err) BP_MUST;

/* ---- bodies ---- */

struct bp_ipc_body {
    struct bp_block *block;
    int64_t n_bytes;
    bool is_handed; /* from one of ours, values as they are held: decimals of up to 18 digits in
                     * int64, though the schema says decimal128 */
};

/* A batch's columns out of body; columns NULL: all. Dictionaries come from f. */
int bp_ipc_batch_decode(const struct bp_ipc_fields *f, const struct bp_schema *schema,
                        const struct bp_ipc_records *r, const struct bp_ipc_body *body,
                        const int *columns, int n_columns, struct bp_batch *out,
                        struct bp_err *err) BP_MUST;
/* A DictionaryBatch: replaces the values of its dictionary. */
int bp_ipc_dictionary_decode(struct bp_ipc_fields *f, const struct bp_schema *schema,
                             struct bp_ipc_message *m, const struct bp_ipc_body *body,
                             struct bp_err *err) BP_MUST;
/* wanted[i] is set for each buffer of the batch that the columns need. */
int bp_ipc_buffers_wanted(const struct bp_ipc_fields *f, const struct bp_ipc_records *r,
                          const int *columns, int n_columns, bool *wanted,
                          struct bp_err *err) BP_MUST;
/* in[0, n) holds one compressed buffer of an LZ4 frame or ZSTD -> out_bytes bytes. */
int bp_ipc_decompress(int codec, const uint8_t *in, size_t n, int64_t out_bytes,
                      struct bp_block **out, struct bp_err *err) BP_MUST;

#endif
