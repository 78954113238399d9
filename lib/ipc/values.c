/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed-width values: those that other writers hold in another shape are
 * converted to ours, and null slots that are not zero are made so. Our own
 * streams pass the check and are not touched.
 */
#include <string.h>

#include "col/text.h"
#include "ipc/batch_read.h"

#define DAY_MILLIS INT64_C(86400000)

static int new_data(struct bp_column *c, size_t width, struct bp_err *err)
{
    struct bp_block *b;

    BP_TRY(bp_block_new(&b, (size_t)c->n_rows * width, err));
    bp_block_unref(c->own[1]);
    c->own[1] = b;
    c->data = b->data;
    return 0;
}

static int32_t load_i32(const uint8_t *p)
{
    return (int32_t)bp_load_u32(p);
}

static void convert_one(enum bp_ipc_convert how, const uint8_t *in, uint8_t *out)
{
    int64_t i64, days;
    bp_int128 i128;
    struct bp_interval v = {0};

    switch (how) {
    case BP_IPC_WIDEN:
        i64 = load_i32(in);
        memcpy(out, &i64, sizeof i64);
        break;
    case BP_IPC_DECIMAL32:
        i128 = load_i32(in);
        memcpy(out, &i128, sizeof i128);
        break;
    case BP_IPC_DECIMAL64:
        i128 = (int64_t)bp_load_u64(in);
        memcpy(out, &i128, sizeof i128);
        break;
    case BP_IPC_DATE64:
        i64 = (int64_t)bp_load_u64(in);
        days = i64 / DAY_MILLIS - (i64 % DAY_MILLIS < 0);
        memcpy(out, &(int32_t){(int32_t)days}, sizeof(int32_t));
        break;
    case BP_IPC_MONTHS:
        v.months = load_i32(in);
        memcpy(out, &v, sizeof v);
        break;
    case BP_IPC_DAYS_MILLIS:
        v.days = load_i32(in);
        v.ns = (int64_t)load_i32(in + 4) * 1000000;
        memcpy(out, &v, sizeof v);
        break;
    case BP_IPC_DECIMAL128: /* by narrow_decimals() */
    case BP_IPC_AS_IS: break;
    }
}

/* Inlined once for each conversion, so that the switch stands outside the loop. */
static inline __attribute__((always_inline)) void convert_all(enum bp_ipc_convert how,
                                                              const uint8_t *in, size_t in_width,
                                                              uint8_t *out, size_t out_width,
                                                              int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        convert_one(how, in + (size_t)i * in_width, out + (size_t)i * out_width);
}

/* Days of a date64 that do not fit the 32 bits of ours. */
static bool dates_fit(const struct bp_ipc_bytes *in, const struct bp_column *c)
{
    for (int64_t i = 0; i < c->n_rows; i++) {
        int64_t days = (int64_t)bp_load_u64(in->p + i * 8) / DAY_MILLIS;

        if ((days < INT32_MIN + 1 || days > INT32_MAX) && !bp_column_is_null(c, i))
            return false;
    }
    return true;
}

/* What is beyond 64 bits becomes a number of too many digits. */
static void narrow_decimals(const uint8_t *in, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t low = bp_load_u64(in + i * 16), high = bp_load_u64(in + i * 16 + 8);
        int64_t v = high == 0 - (low >> 63) ? (int64_t)low : INT64_MAX;

        memcpy(out + i * 8, &v, sizeof v);
    }
}

int bp_ipc_check_decimals(const struct bp_column *c, struct bp_err *err)
{
    const int64_t *v = c->data, end = (int64_t)bp_pow10_u64[c->type.precision];
    char type[BP_TYPE_NAME_MAX], text[BP_TEXT_MAX + 1];
    bool bad = false;

    for (int64_t i = 0; i < c->n_rows; i++)
        bad |= v[i] >= end || v[i] <= -end;
    for (int64_t i = 0; bad && i < c->n_rows; i++) {
        if (v[i] < end && v[i] > -end)
            continue;
        text[bp_text_format(c->type, &v[i], text)] = '\0';
        return bp_fail(
            err, BP_EDATA, "row %lld of a batch has %s%s, which is no %s: it has more digits",
            (long long)i, v[i] == INT64_MAX ? "at least " : "", text, bp_type_name(c->type, type));
    }
    return 0;
}

int bp_ipc_convert_values(const struct bp_ipc_field *f, const struct bp_ipc_bytes *in,
                          struct bp_column *c, struct bp_err *err)
{
    size_t width = bp_type_width_bytes(f->type);
    uint8_t *out;

    if (f->convert == BP_IPC_DATE64 && !dates_fit(in, c))
        return bp_fail(err, BP_EDATA, "a date is beyond the range of 32 bits of days");
    BP_TRY(new_data(c, width, err));
    out = c->own[1]->data;
    switch ((enum bp_ipc_convert)f->convert) {
    case BP_IPC_WIDEN: convert_all(BP_IPC_WIDEN, in->p, 4, out, 8, c->n_rows); break;
    case BP_IPC_DECIMAL32: convert_all(BP_IPC_DECIMAL32, in->p, 4, out, 16, c->n_rows); break;
    case BP_IPC_DECIMAL64: convert_all(BP_IPC_DECIMAL64, in->p, 8, out, 16, c->n_rows); break;
    case BP_IPC_DATE64: convert_all(BP_IPC_DATE64, in->p, 8, out, 4, c->n_rows); break;
    case BP_IPC_MONTHS: convert_all(BP_IPC_MONTHS, in->p, 4, out, 16, c->n_rows); break;
    case BP_IPC_DAYS_MILLIS: convert_all(BP_IPC_DAYS_MILLIS, in->p, 8, out, 16, c->n_rows); break;
    case BP_IPC_DECIMAL128: narrow_decimals(in->p, c->n_rows, out); break;
    case BP_IPC_AS_IS: break;
    }
    return bp_ipc_clean_values(c, width, err);
}

/* ---- null slots ---- */

/* The null slots among rows [at, at + 64), as bits. */
static uint64_t null_bits(const struct bp_column *c, int64_t at)
{
    int64_t left = c->n_rows - at;
    uint64_t word = 0;

    if (left >= 64)
        return ~bp_load_u64(c->valid + at / 8);
    memcpy(&word, c->valid + at / 8, bp_bits_bytes(left));
    return ~word & ((UINT64_C(1) << left) - 1);
}

static bool has_dirt(const struct bp_column *c, size_t width)
{
    const uint8_t *data = c->data;

    for (int64_t at = 0; at < c->n_rows; at += 64)
        for (uint64_t nulls = null_bits(c, at); nulls; nulls &= nulls - 1)
            if (memcmp(data + (size_t)(at + __builtin_ctzll(nulls)) * width, bp_ipc_zeros, width))
                return true;
    return false;
}

int bp_ipc_clean_values(struct bp_column *c, size_t width, struct bp_err *err)
{
    const void *old = c->data;
    struct bp_block *old_block = c->own[1];
    uint8_t *out;
    int rc;

    if (!c->n_nulls || !has_dirt(c, width))
        return 0;
    c->own[1] = NULL; /* new_data() would drop what is copied from */
    rc = new_data(c, width, err);
    if (rc == 0) {
        out = c->own[1]->data;
        memcpy(out, old, (size_t)c->n_rows * width);
        for (int64_t at = 0; at < c->n_rows; at += 64)
            for (uint64_t nulls = null_bits(c, at); nulls; nulls &= nulls - 1)
                memset(out + (size_t)(at + __builtin_ctzll(nulls)) * width, 0, width);
    }
    bp_block_unref(old_block);
    return rc;
}

int bp_ipc_clean_bits(struct bp_column *c, struct bp_err *err)
{
    const uint8_t *in = c->data;
    size_t n = bp_bits_bytes(c->n_rows);
    struct bp_block *b;
    uint8_t dirt = 0;

    if (!c->n_nulls)
        return 0;
    for (size_t i = 0; i < n; i++)
        dirt |= (uint8_t)(in[i] & ~c->valid[i]);
    if (!dirt)
        return 0;
    BP_TRY(bp_block_new(&b, n, err));
    for (size_t i = 0; i < n; i++)
        b->data[i] = in[i] & c->valid[i];
    bp_block_unref(c->own[1]);
    c->own[1] = b;
    c->data = b->data;
    return 0;
}
