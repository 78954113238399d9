/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrow's Schema table as our schema, and how each field's buffers stand on the
 * wire. A type that we do not hold is refused here, by column name, before any
 * row is read.
 */
#include <stdio.h>
#include <string.h>

#include "col/text.h"
#include "ipc/wire.h"

/* They are searched one by one: what is more is damage, not a table. */
#define MAX_META 10000
#define MAX_DICTIONARIES 10000

/* Text that many entries of a vector may share, as the reader would copy it; a
 * hostile schema must not unfold into more than it is itself and some slack. */
#define SHARED_SLACK_BYTES ((size_t)16 << 20)

struct decode {
    const struct bp_fb_table *root;
    struct bp_schema *schema;
    struct bp_ipc_fields *out;
    size_t text_bytes; /* copied so far */
    struct bp_err *err;
};

void bp_ipc_fields_release(struct bp_ipc_fields *f)
{
    for (int i = 0; i < f->n_dicts; i++) {
        bp_dict_unref(f->dicts[i].dict);
        bp_block_unref(f->dicts[i].valid);
    }
    bp_mem_free(f->dicts);
    bp_mem_free(f->fields);
    *f = (struct bp_ipc_fields){0};
}

const char *bp_ipc_meta_find(const struct bp_fb_vector *meta, const char *key, size_t *n)
{
    for (uint32_t i = 0; i < meta->n; i++) {
        struct bp_fb_table kv = bp_fb_vector_table(meta, i);
        size_t key_bytes;
        const char *k = bp_fb_string(&kv, 0, &key_bytes);

        if (k && key_bytes == strlen(key) && memcmp(k, key, key_bytes) == 0)
            return bp_fb_string(&kv, 1, n);
    }
    *n = 0;
    return NULL;
}

static int refuse(struct decode *d, const char *name, const char *what)
{
    return bp_fail(d->err, BP_EDATA,
                   "column '%.200s' is of Arrow type %s, which is not read: "
                   "cast it or leave it out where the table is written",
                   name, what);
}

static const char *const type_names[FB_N_TYPES] = {
    [FB_NULL] = "null",
    [FB_LIST] = "list",
    [FB_STRUCT] = "struct",
    [FB_UNION] = "union",
    [FB_FIXED_LIST] = "fixed_size_list",
    [FB_MAP] = "map",
    [FB_DURATION] = "duration",
    [FB_LARGE_LIST] = "large_list",
    [FB_RUN_END] = "run_end_encoded",
    [FB_LIST_VIEW] = "list_view",
    [FB_LARGE_LIST_VIEW] = "large_list_view",
};

static void set_fixed(struct bp_ipc_field *f, struct bp_type type, int width,
                      enum bp_ipc_convert convert)
{
    f->type = type;
    f->layout = BP_IPC_FIXED;
    f->width = width;
    f->convert = (uint8_t)convert;
}

static void set_bytes(struct bp_ipc_field *f, enum bp_kind kind, enum bp_ipc_layout layout,
                      int width)
{
    f->type = BP_TYPE((uint8_t)kind);
    f->layout = (uint8_t)layout;
    f->width = width;
}

/* log2 of an integer's bytes; -1: none that we hold. */
static int int_log2(int64_t bits)
{
    switch (bits) {
    case 8: return 0;
    case 16: return 1;
    case 32: return 2;
    case 64: return 3;
    default: return -1;
    }
}

static int decode_int(struct decode *d, const struct bp_fb_table *t, const char *name,
                      struct bp_ipc_field *f)
{
    int log2 = int_log2(bp_fb_int(t, 0, 4, 0));
    bool is_signed = bp_fb_int(t, 1, 1, 0) != 0;

    if (log2 < 0)
        return refuse(d, name, "int of a strange width");
    set_fixed(f, BP_TYPE((uint8_t)((is_signed ? BP_INT8 : BP_UINT8) + log2)), 1 << log2,
              BP_IPC_AS_IS);
    return 0;
}

static int decode_float(struct decode *d, const struct bp_fb_table *t, const char *name,
                        struct bp_ipc_field *f)
{
    switch (bp_fb_int(t, 0, 2, 0)) {
    case 1: set_fixed(f, BP_TYPE(BP_FLOAT32), 4, BP_IPC_AS_IS); return 0;
    case 2: set_fixed(f, BP_TYPE(BP_FLOAT64), 8, BP_IPC_AS_IS); return 0;
    default: return refuse(d, name, "float16");
    }
}

static int decode_decimal(struct decode *d, const struct bp_fb_table *t, const char *name,
                          struct bp_ipc_field *f)
{
    int64_t precision = bp_fb_int(t, 0, 4, 0), scale = bp_fb_int(t, 1, 4, 0);
    int64_t bits = bp_fb_int(t, 2, 4, 128);
    char what[80];

    if (precision < 1 || precision > 38 || scale < 0 || scale > precision || bits == 256) {
        snprintf(what, sizeof what, "decimal%lld(%lld, %lld)", (long long)bits,
                 (long long)precision, (long long)scale);
        return refuse(d, name, what);
    }
    if (bits != 32 && bits != 64 && bits != 128)
        return refuse(d, name, "decimal of a strange width");
    set_fixed(f, BP_TYPE_DECIMAL((uint8_t)precision, (uint8_t)scale), (int)bits / 8,
              bits == 32   ? BP_IPC_DECIMAL32
              : bits == 64 ? BP_IPC_DECIMAL64
                           : BP_IPC_AS_IS);
    return 0;
}

static int decode_date(struct decode *d, const struct bp_fb_table *t, const char *name,
                       struct bp_ipc_field *f)
{
    switch (bp_fb_int(t, 0, 2, 1)) {
    case 0: set_fixed(f, BP_TYPE(BP_DATE), 4, BP_IPC_AS_IS); return 0;
    case 1: set_fixed(f, BP_TYPE(BP_DATE), 8, BP_IPC_DATE64); return 0;
    default: return refuse(d, name, "date of a strange unit");
    }
}

static int decode_time(struct decode *d, const struct bp_fb_table *t, const char *name,
                       struct bp_ipc_field *f)
{
    int64_t unit = bp_fb_int(t, 0, 2, 1), bits = bp_fb_int(t, 1, 4, 32);
    bool is_narrow = unit == BP_SECOND || unit == BP_MILLI;

    if (unit < 0 || unit > BP_NANO || bits != (is_narrow ? 32 : 64))
        return refuse(d, name, "time of a strange unit");
    set_fixed(f, BP_TYPE_UNIT(BP_TIME, (uint8_t)unit), (int)bits / 8,
              is_narrow ? BP_IPC_WIDEN : BP_IPC_AS_IS);
    return 0;
}

static int decode_timestamp(struct decode *d, const struct bp_fb_table *t, const char *name,
                            struct bp_ipc_field *f)
{
    int64_t unit = bp_fb_int(t, 0, 2, 0);
    size_t zone_bytes;
    uint8_t kind = bp_fb_string(t, 1, &zone_bytes) && zone_bytes ? BP_TIMESTAMPTZ : BP_TIMESTAMP;

    if (unit < 0 || unit > BP_NANO)
        return refuse(d, name, "timestamp of a strange unit");
    set_fixed(f, BP_TYPE_UNIT(kind, (uint8_t)unit), 8, BP_IPC_AS_IS);
    return 0;
}

static int decode_interval(struct decode *d, const struct bp_fb_table *t, const char *name,
                           struct bp_ipc_field *f)
{
    switch (bp_fb_int(t, 0, 2, 0)) {
    case 0: set_fixed(f, BP_TYPE(BP_INTERVAL), 4, BP_IPC_MONTHS); return 0;
    case 1: set_fixed(f, BP_TYPE(BP_INTERVAL), 8, BP_IPC_DAYS_MILLIS); return 0;
    case 2: set_fixed(f, BP_TYPE(BP_INTERVAL), 16, BP_IPC_AS_IS); return 0;
    default: return refuse(d, name, "interval of a strange unit");
    }
}

static int decode_fixed_binary(struct decode *d, const struct bp_fb_table *t, const char *name,
                               struct bp_ipc_field *f)
{
    int64_t width = bp_fb_int(t, 0, 4, 0);

    if (width <= 0)
        return refuse(d, name, "fixed_size_binary of size 0");
    set_bytes(f, BP_BINARY, BP_IPC_FIXBYTES, (int)width);
    return 0;
}

static int decode_type(struct decode *d, int64_t kind, const struct bp_fb_table *t,
                       const char *name, struct bp_ipc_field *f)
{
    switch (kind) {
    case FB_INT: return decode_int(d, t, name, f);
    case FB_FLOAT: return decode_float(d, t, name, f);
    case FB_DECIMAL: return decode_decimal(d, t, name, f);
    case FB_DATE: return decode_date(d, t, name, f);
    case FB_TIME: return decode_time(d, t, name, f);
    case FB_TIMESTAMP: return decode_timestamp(d, t, name, f);
    case FB_INTERVAL: return decode_interval(d, t, name, f);
    case FB_FIXED_BINARY: return decode_fixed_binary(d, t, name, f);
    case FB_BOOL:
        f->type = BP_TYPE(BP_BOOL);
        f->layout = BP_IPC_BITS;
        return 0;
    case FB_BINARY: set_bytes(f, BP_BINARY, BP_IPC_OFF32, 4); return 0;
    case FB_UTF8: set_bytes(f, BP_TEXT, BP_IPC_OFF32, 4); return 0;
    case FB_LARGE_BINARY: set_bytes(f, BP_BINARY, BP_IPC_OFF64, 8); return 0;
    case FB_LARGE_UTF8: set_bytes(f, BP_TEXT, BP_IPC_OFF64, 8); return 0;
    case FB_BINARY_VIEW: set_bytes(f, BP_BINARY, BP_IPC_VIEWS, 16); return 0;
    case FB_UTF8_VIEW: set_bytes(f, BP_TEXT, BP_IPC_VIEWS, 16); return 0;
    default:
        return refuse(d, name,
                      kind > 0 && kind < FB_N_TYPES && type_names[kind] ? type_names[kind]
                                                                        : "unknown to us");
    }
}

static bool same_layout(const struct bp_ipc_field *a, const struct bp_ipc_field *b)
{
    return bp_type_equal(a->type, b->type) && a->layout == b->layout && a->convert == b->convert &&
           a->width == b->width;
}

/* Finds or makes the dictionary that field number i refers to. */
static int bind_dictionary(struct decode *d, const struct bp_fb_table *t, const char *name, int i)
{
    struct bp_ipc_fields *out = d->out;
    struct bp_ipc_field *f = &out->fields[i];
    struct bp_fb_table index = bp_fb_table(t, 1);
    int64_t id = bp_fb_int(t, 0, 8, 0);
    int log2 = index.fb ? int_log2(bp_fb_int(&index, 0, 4, 0)) : 2;
    int j;

    if (log2 < 0)
        return refuse(d, name, "dictionary with an index of a strange width");
    f->index_width = (uint8_t)(1 << log2);
    f->index_signed = index.fb ? bp_fb_int(&index, 1, 1, 0) != 0 : true;
    for (j = 0; j < out->n_dicts; j++)
        if (out->dicts[j].id == id)
            break;
    if (j == MAX_DICTIONARIES)
        return bp_fail(d->err, BP_EDATA, "the schema has more than %d dictionaries", j);
    if (j == out->n_dicts) {
        out->dicts[j] = (struct bp_ipc_dict){.id = id, .field = i};
        out->n_dicts++;
    } else if (!same_layout(f, &out->fields[out->dicts[j].field])) {
        return bp_fail(d->err, BP_EDATA,
                       "columns '%.200s' and '%.200s' share a dictionary but not its type", name,
                       d->schema->fields[out->dicts[j].field].name);
    }
    f->dict = j;
    return 0;
}

static bool is_text(const char *s, size_t n)
{
    size_t bad_at;

    return !memchr(s, 0, n) && bp_utf8_check((const uint8_t *)s, n, &bad_at);
}

/* A copy with NUL behind it; text from outside must be UTF-8 without NUL. */
static char *copy_text(struct decode *d, const char *s, size_t n, const char *what)
{
    d->text_bytes += n;
    if (d->text_bytes > d->root->fb->n_bytes + SHARED_SLACK_BYTES) {
        bp_fail(d->err, BP_EDATA, "the schema's names unfold to more than the schema itself");
        return NULL;
    }
    if (n && !is_text(s, n)) {
        bp_fail(d->err, BP_EDATA, "%s in the schema is not UTF-8 text", what);
        return NULL;
    }
    return bp_mem_strn(s ? s : "", n, d->err);
}

static int decode_field(struct decode *d, const struct bp_fb_table *t, int i)
{
    struct bp_ipc_field *f = &d->out->fields[i];
    struct bp_fb_table type = bp_fb_table(t, 3), dict = bp_fb_table(t, 4);
    struct bp_field *ours;
    size_t n;
    const char *s = bp_fb_string(t, 0, &n);
    char *name = copy_text(d, s, n, "a column's name");

    if (!name)
        return d->err->code;
    f->dict = -1;
    if (bp_schema_add(d->schema, name, BP_TYPE(BP_NO_TYPE), d->err) < 0 ||
        decode_type(d, bp_fb_int(t, 2, 1, 0), &type, name, f) < 0)
        goto out;
    ours = &d->schema->fields[i];
    ours->type = f->type;
    ours->nullable = f->nullable = bp_fb_int(t, 1, 1, 0) != 0;
    if (dict.fb && bind_dictionary(d, &dict, name, i) < 0)
        goto out;
    ours->dict = f->dict >= 0 && f->type.kind == BP_TEXT;
out:
    bp_mem_free(name);
    return d->err->code;
}

static int decode_meta(struct decode *d)
{
    struct bp_fb_vector meta = bp_fb_vector(d->root, 2, 4);

    if (meta.n > MAX_META)
        return bp_fail(d->err, BP_EDATA, "the schema has %u metadata entries: more than %d", meta.n,
                       MAX_META);
    for (uint32_t i = 0; i < meta.n; i++) {
        struct bp_fb_table kv = bp_fb_vector_table(&meta, i);
        size_t nk, nv;
        const char *k = bp_fb_string(&kv, 0, &nk), *v = bp_fb_string(&kv, 1, &nv);
        char *key, *value;

        /* other tools put binary values into metadata: only text is kept */
        if (!nk || !is_text(k, nk) || (nv && !is_text(v, nv)))
            continue;
        key = copy_text(d, k, nk, "a metadata key");
        value = key ? copy_text(d, v, nv, "a metadata value") : NULL;
        if (value)
            (void)!bp_schema_set_meta(d->schema, key, value, d->err); /* the error sticks */
        bp_mem_free(key);
        bp_mem_free(value);
        if (d->err->code)
            return d->err->code;
    }
    return 0;
}

int bp_ipc_schema_decode(const struct bp_fb_table *t, struct bp_schema *schema,
                         struct bp_ipc_fields *fields, struct bp_err *err)
{
    struct decode d = {.root = t, .schema = schema, .out = fields, .err = err};
    struct bp_fb_vector v = bp_fb_vector(t, 1, 4);
    int rc;

    *schema = (struct bp_schema){0};
    *fields = (struct bp_ipc_fields){0};
    if (bp_fb_int(t, 0, 2, 0) != 0)
        return bp_fail(err, BP_EDATA,
                       "the table is big-endian, which is not read: "
                       "have it written little-endian");
    if (v.n > 0) {
        fields->fields = bp_mem_new(v.n, sizeof *fields->fields, err);
        fields->dicts = bp_mem_new(v.n, sizeof *fields->dicts, err);
        if (!fields->fields || !fields->dicts) {
            rc = err->code;
            goto out;
        }
    }
    fields->n_fields = (int)v.n;
    for (uint32_t i = 0; i < v.n; i++) {
        struct bp_fb_table field = bp_fb_vector_table(&v, i);

        if (!field.fb)
            break;
        BP_GO(decode_field(&d, &field, (int)i));
    }
    BP_GO(decode_meta(&d));
    rc = t->fb->bad ? bp_fail(err, BP_EDATA, "the schema is damaged: %s", t->fb->bad) : 0;
out:
    if (rc < 0) {
        bp_schema_release(schema);
        bp_ipc_fields_release(fields);
    }
    return rc;
}
