/* SPDX-License-Identifier: Apache-2.0 */
/* Our schema as Arrow's Schema table. */
#include <string.h>

#include "ipc/wire.h"

size_t bp_ipc_meta_encode(struct bp_fbw *w, const struct bp_meta *meta, int n)
{
    size_t *refs, vector, key, value;

    if (!n || w->err.code)
        return 0;
    refs = bp_mem_new((size_t)n, sizeof *refs, &w->err);
    if (!refs)
        return 0;
    for (int i = 0; i < n; i++) {
        key = bp_fbw_string(w, meta[i].key, strlen(meta[i].key));
        value = bp_fbw_string(w, meta[i].value, strlen(meta[i].value));
        bp_fbw_table_open(w);
        bp_fbw_ref(w, 0, key);
        bp_fbw_ref(w, 1, value);
        refs[i] = bp_fbw_table_close(w);
    }
    vector = bp_fbw_ref_vector(w, refs, (size_t)n);
    bp_mem_free(refs);
    return vector;
}

static size_t int_type(struct bp_fbw *w, int bits, bool is_signed)
{
    bp_fbw_table_open(w);
    bp_fbw_int(w, 0, 4, bits, 0);
    bp_fbw_int(w, 1, 1, is_signed, 0);
    return bp_fbw_table_close(w);
}

/* A table with one int16, absent where it is the default of the .fbs file. */
static size_t short_type(struct bp_fbw *w, int64_t value, int64_t fallback)
{
    bp_fbw_table_open(w);
    bp_fbw_int(w, 0, 2, value, fallback);
    return bp_fbw_table_close(w);
}

static size_t decimal_type(struct bp_fbw *w, struct bp_type t)
{
    bp_fbw_table_open(w);
    bp_fbw_int(w, 0, 4, t.precision, 0);
    bp_fbw_int(w, 1, 4, t.scale, 0);
    return bp_fbw_table_close(w);
}

static size_t time_type(struct bp_fbw *w, struct bp_type t)
{
    bp_fbw_table_open(w);
    bp_fbw_int(w, 1, 4, t.unit <= BP_MILLI ? 32 : 64, 32);
    bp_fbw_int(w, 0, 2, t.unit, 1);
    return bp_fbw_table_close(w);
}

static size_t timestamp_type(struct bp_fbw *w, struct bp_type t)
{
    size_t zone = t.kind == BP_TIMESTAMPTZ ? bp_fbw_string(w, "UTC", 3) : 0;

    bp_fbw_table_open(w);
    bp_fbw_ref(w, 1, zone);
    bp_fbw_int(w, 0, 2, t.unit, 0);
    return bp_fbw_table_close(w);
}

static size_t type_table(struct bp_fbw *w, struct bp_type t, enum fb_type *kind)
{
    if (bp_type_is_int(t)) {
        bool is_signed = t.kind <= BP_INT64;

        *kind = FB_INT;
        return int_type(w, 8 << (t.kind - (is_signed ? BP_INT8 : BP_UINT8)), is_signed);
    }
    switch (t.kind) {
    case BP_FLOAT32: *kind = FB_FLOAT; return short_type(w, 1, 0);
    case BP_FLOAT64: *kind = FB_FLOAT; return short_type(w, 2, 0);
    case BP_DECIMAL: *kind = FB_DECIMAL; return decimal_type(w, t);
    case BP_DATE: *kind = FB_DATE; return short_type(w, 0, 1);
    case BP_TIME: *kind = FB_TIME; return time_type(w, t);
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: *kind = FB_TIMESTAMP; return timestamp_type(w, t);
    case BP_INTERVAL: *kind = FB_INTERVAL; return short_type(w, 2, 0);
    case BP_TEXT: *kind = FB_UTF8; break;
    case BP_BINARY: *kind = FB_BINARY; break;
    case BP_LIST: *kind = FB_LIST; break;
    case BP_STRUCT: *kind = FB_STRUCT; break;
    default: *kind = FB_BOOL; break;
    }
    bp_fbw_table_open(w);
    return bp_fbw_table_close(w);
}

static size_t field_table(struct bp_fbw *w, const struct bp_field *f, int64_t dict_id);

static size_t dictionary_table(struct bp_fbw *w, int64_t id)
{
    size_t index = int_type(w, 32, true);

    bp_fbw_table_open(w);
    bp_fbw_int(w, 0, 8, id, 0);
    bp_fbw_ref(w, 1, index);
    return bp_fbw_table_close(w);
}

/* Kids as Field tables; the elements of a list are called "item", as by other writers. */
static size_t kid_tables(struct bp_fbw *w, struct bp_type t)
{
    int n = t.nest ? t.nest->n_kids : 0;
    static char item[] = "item";
    size_t *refs, vector;

    if (n == 0)
        return bp_fbw_ref_vector(w, NULL, 0);
    refs = bp_mem_new((size_t)n, sizeof *refs, &w->err);
    if (!refs)
        return 0;
    for (int i = 0; i < n; i++) {
        char *name = t.nest->names ? (char *)(uintptr_t)t.nest->names[i] : item;

        refs[i] = field_table(
            w, &(struct bp_field){.name = name, .type = t.nest->kids[i], .nullable = true}, 0);
    }
    vector = bp_fbw_ref_vector(w, refs, (size_t)n);
    bp_mem_free(refs);
    return vector;
}

static size_t field_table(struct bp_fbw *w, const struct bp_field *f, int64_t dict_id)
{
    enum fb_type kind = FB_BOOL;
    size_t name = bp_fbw_string(w, f->name, strlen(f->name));
    size_t type = type_table(w, f->type, &kind);
    size_t dict = f->dict ? dictionary_table(w, dict_id) : 0;
    size_t children = kid_tables(w, f->type);
    struct bp_meta growing = {BP_IPC_DICT_KEY, BP_IPC_DICT_GROWING};
    size_t meta = f->dict == BP_DICT_GROWING ? bp_ipc_meta_encode(w, &growing, 1) : 0;

    bp_fbw_table_open(w);
    bp_fbw_ref(w, 0, name);
    bp_fbw_ref(w, 3, type);
    bp_fbw_ref(w, 4, dict);
    bp_fbw_ref(w, 5, children);
    bp_fbw_ref(w, 6, meta);
    bp_fbw_int(w, 2, 1, kind, 0);
    bp_fbw_int(w, 1, 1, f->nullable, 0);
    return bp_fbw_table_close(w);
}

size_t bp_ipc_schema_encode(struct bp_fbw *w, const struct bp_schema *schema)
{
    size_t *refs, meta, fields;
    int64_t dict_id = 0;

    if (w->err.code)
        return 0;
    refs = bp_mem_new((size_t)schema->n_fields, sizeof *refs, &w->err);
    if (!refs)
        return 0;
    for (int i = 0; i < schema->n_fields; i++) {
        refs[i] = field_table(w, &schema->fields[i], dict_id);
        dict_id += schema->fields[i].dict != BP_DICT_NONE;
    }
    fields = bp_fbw_ref_vector(w, refs, (size_t)schema->n_fields);
    bp_mem_free(refs);
    meta = bp_ipc_meta_encode(w, schema->meta, schema->n_meta);
    bp_fbw_table_open(w);
    bp_fbw_ref(w, 1, fields);
    bp_fbw_ref(w, 2, meta);
    return bp_fbw_table_close(w); /* endianness: 0, little, is the default */
}
