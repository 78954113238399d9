/* SPDX-License-Identifier: Apache-2.0 */
/* Dictionaries in: their values, and the indexes of columns into them. */
#include <string.h>

#include "ipc/batch_read.h"

/* ---- indexes ---- */

/* -1, which no dictionary has, for what does not fit (negative ones are huge here). */
static int32_t fit(uint64_t v)
{
    return v < INT32_MAX ? (int32_t)v : -1;
}

#define CONVERT(T)                                                                                 \
    do {                                                                                           \
        for (int64_t i = 0; i < n; i++) {                                                          \
            T v;                                                                                   \
            memcpy(&v, in->p + (size_t)i * sizeof v, sizeof v);                                    \
            out[i] = bp_column_is_null(c, i) ? 0 : fit((uint64_t)v);                               \
        }                                                                                          \
    } while (0)

int bp_ipc_convert_codes(const struct bp_ipc_field *f, const struct bp_ipc_bytes *in,
                         struct bp_column *c, struct bp_err *err)
{
    int64_t n = c->n_rows;
    int32_t *out;

    BP_TRY(bp_block_new(&c->own[1], (size_t)n * sizeof *out, err));
    c->data = c->own[1]->data;
    out = (int32_t *)(void *)c->own[1]->data;
    switch (f->index_width) {
    case 1:
        if (f->index_signed)
            CONVERT(int8_t);
        else
            CONVERT(uint8_t);
        break;
    case 2:
        if (f->index_signed)
            CONVERT(int16_t);
        else
            CONVERT(uint16_t);
        break;
    default:
        if (f->index_signed)
            CONVERT(int64_t);
        else
            CONVERT(uint64_t);
        break;
    }
    return 0;
}

/* The largest code, as unsigned, so that a negative one is the largest. */
static uint32_t max_code(const int32_t *codes, int64_t n)
{
    uint32_t max = 0;

    for (int64_t i = 0; i < n; i++)
        max = BP_MAX(max, (uint32_t)codes[i]);
    return max;
}

/* Rows whose code is a null value of the dictionary become nulls. */
static int null_codes(const struct bp_ipc_dict *d, struct bp_column *c, struct bp_err *err)
{
    const int32_t *codes = c->data;
    struct bp_block *valid, *out;
    int32_t *clean;
    int64_t n_nulls = 0;

    BP_TRY(bp_block_new(&valid, bp_bits_bytes(c->n_rows), err));
    if (bp_block_new(&out, (size_t)c->n_rows * sizeof *clean, err) < 0) {
        bp_block_unref(valid);
        return err->code;
    }
    memset(valid->data, 0, bp_bits_bytes(c->n_rows));
    clean = (int32_t *)(void *)out->data;
    for (int64_t i = 0; i < c->n_rows; i++) {
        bool is_null = bp_column_is_null(c, i) || !bp_bit_get(d->valid->data, codes[i]);

        clean[i] = is_null ? 0 : codes[i];
        n_nulls += is_null;
        bp_bit_put(valid->data, i, !is_null);
    }
    bp_block_unref(c->own[0]);
    bp_block_unref(c->own[1]);
    c->own[0] = valid;
    c->own[1] = out;
    c->valid = n_nulls ? valid->data : NULL;
    c->data = out->data;
    c->n_nulls = n_nulls;
    return 0;
}

/* Values that are not text stand in the column itself. */
static int decode_codes(struct bp_column *c, struct bp_err *err)
{
    struct bp_column plain;

    BP_TRY(bp_column_plain(&plain, c, err));
    bp_column_release(c);
    *c = plain;
    return 0;
}

static int all_nulls(struct bp_column *c, struct bp_err *err)
{
    struct bp_type type = c->type;
    int64_t n_rows = c->n_rows;

    bp_column_release(c);
    return bp_column_nulls(c, type, n_rows, err);
}

int bp_ipc_bind_codes(const struct bp_ipc_dict *d, struct bp_column *c, struct bp_err *err)
{
    int64_t n_values = d->dict ? d->dict->values.n_rows : 0;

    if (!d->dict) {
        /* the one case in which Arrow lets a dictionary be missing */
        if (c->n_nulls == c->n_rows)
            return all_nulls(c, err);
        return bp_fail(err, BP_EDATA, "its dictionary did not come before its rows");
    }
    if (c->n_rows > c->n_nulls && max_code(c->data, c->n_rows) >= (uint64_t)n_values)
        return bp_fail(err, BP_EDATA, "an index is not within its dictionary of %lld values",
                       (long long)n_values);
    if (d->valid && c->n_rows > c->n_nulls)
        BP_TRY(null_codes(d, c, err));
    c->dict = bp_dict_ref(d->dict);
    return c->type.kind == BP_TEXT ? 0 : decode_codes(c, err);
}

/* ---- values ---- */

static struct bp_ipc_dict *find_dictionary(struct bp_ipc_fields *f, int64_t id)
{
    for (int i = 0; i < f->n_dicts; i++)
        if (f->dicts[i].id == id)
            return &f->dicts[i];
    return NULL;
}

/* A delta: values become what the dictionary holds and they behind it. The older
 * batches keep the dictionary that they have. */
static int append_delta(const struct bp_ipc_dict *d, struct bp_column *values, struct bp_err *err)
{
    struct bp_column old = d->dict->values, all = {0}; /* old: a view */
    int rc;

    if (d->valid) {
        old.valid = d->valid->data;
        old.n_nulls = old.n_rows - bp_bits_count(old.valid, old.n_rows);
    }
    rc = bp_column_concat(&all, (const struct bp_column *[]){&old, values}, 2, err);
    bp_column_release(values);
    *values = all;
    return rc;
}

int bp_ipc_dictionary_decode(struct bp_ipc_fields *f, const struct bp_schema *schema,
                             struct bp_ipc_message *m, const struct bp_ipc_body *body,
                             struct bp_err *err)
{
    struct bp_ipc_dict *d = find_dictionary(f, bp_fb_int(&m->header, 0, 8, 0));
    struct bp_fb_table data = bp_fb_table(&m->header, 1);
    struct bp_ipc_records records;
    struct bp_ipc_reading r = {.records = &records, .body = body, .dicts = f->dicts};
    struct bp_column values;

    BP_TRY(bp_ipc_records_decode(m, &data, &records, err));
    if (!d)
        return bp_fail(err, BP_EDATA, "a dictionary came that no column uses");
    if (bp_ipc_read_plain(&r, d->field, records.n_rows, &values, err) < 0)
        return bp_err_prefix(err, "dictionary of column '%.200s'", schema->fields[d->column].name);
    if (bp_fb_int(&m->header, 2, 1, 0) && d->dict)
        BP_TRY(append_delta(d, &values, err));
    bp_dict_unref(d->dict);
    bp_block_unref(d->valid);
    d->dict = NULL;
    d->valid = NULL;
    if (values.n_nulls) {
        if (bp_block_new(&d->valid, bp_bits_bytes(values.n_rows), err) < 0) {
            bp_column_release(&values);
            return err->code;
        }
        memcpy(d->valid->data, values.valid, bp_bits_bytes(values.n_rows));
        bp_block_unref(values.own[0]);
        values.own[0] = NULL;
        values.valid = NULL;
        values.n_nulls = 0;
    }
    return bp_dict_new(&d->dict, &values, err);
}
