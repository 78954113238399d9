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
/* Fields within fields, in all: one table may be named as kid by many, so they are believed
 * as far as the schema's own bytes, of which each takes eight at least, and some. */
#define SLACK_KIDS 1000

/* Text that many entries of a vector may share, as the reader would copy it; a
 * hostile schema must not unfold into more than it is itself and some slack. */
#define SHARED_SLACK_BYTES ((size_t)16 << 20)

struct decode {
    const struct bp_fb_table *root;
    struct bp_schema *schema;
    struct bp_ipc_fields *out;
    size_t text_bytes; /* copied so far */
    int64_t n_kids;    /* fields within fields so far */
    int column, depth; /* where decode_field() is; depth 0: a column */
    struct bp_err *err;
};

static void fields_free(struct bp_ipc_field *f, int n)
{
    for (int i = 0; f && i < n; i++)
        fields_free(f[i].kids, f[i].n_kids);
    bp_mem_free(f);
}

void bp_ipc_fields_release(struct bp_ipc_fields *f)
{
    for (int i = 0; i < f->n_dicts; i++) {
        bp_dict_unref(f->dicts[i].dict);
        bp_block_unref(f->dicts[i].valid);
    }
    bp_mem_free(f->dicts);
    fields_free(f->fields, f->n_fields);
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
    [FB_UNION] = "union",
    [FB_DURATION] = "duration",
    [FB_RUN_END] = "run_end_encoded",
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
    struct bp_type type = BP_TYPE_DECIMAL((uint8_t)precision, (uint8_t)scale);
    bool narrow = bp_type_is_decimal64(type);
    char what[80];

    if (precision < 1 || precision > 38 || scale < 0 || scale > precision || bits == 256) {
        snprintf(what, sizeof what, "decimal%lld(%lld, %lld)", (long long)bits,
                 (long long)precision, (long long)scale);
        return refuse(d, name, what);
    }
    if (bits != 32 && bits != 64 && bits != 128)
        return refuse(d, name, "decimal of a strange width");
    if (bits == 32)
        set_fixed(f, type, 4, narrow ? BP_IPC_WIDEN : BP_IPC_DECIMAL32);
    else if (bits == 64)
        set_fixed(f, type, 8, narrow ? BP_IPC_AS_IS : BP_IPC_DECIMAL64);
    else
        set_fixed(f, type, 16, narrow ? BP_IPC_DECIMAL128 : BP_IPC_AS_IS);
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

static int decode_field(struct decode *d, const struct bp_fb_table *t, struct bp_ipc_field *f,
                        char **name);

static bool same_layout(const struct bp_ipc_field *a, const struct bp_ipc_field *b)
{
    return bp_type_equal(a->type, b->type) && a->layout == b->layout && a->convert == b->convert &&
           a->width == b->width;
}

static int more_dictionaries(struct bp_ipc_fields *out, struct bp_err *err)
{
    int cap = out->cap_dicts ? out->cap_dicts * 2 : 16;
    struct bp_ipc_dict *grown;

    if (out->n_dicts < out->cap_dicts)
        return 0;
    grown = bp_mem_grow(out->dicts, (size_t)cap, sizeof *grown, err);
    if (!grown)
        return err->code;
    out->dicts = grown;
    out->cap_dicts = cap;
    return 0;
}

/* Finds or makes the dictionary that field f refers to. */
static int bind_dictionary(struct decode *d, const struct bp_fb_table *t, const char *name,
                           struct bp_ipc_field *f)
{
    struct bp_ipc_fields *out = d->out;
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
        BP_TRY(more_dictionaries(out, d->err));
        out->dicts[j] = (struct bp_ipc_dict){.id = id, .field = f, .column = d->column};
        out->n_dicts++;
    } else if (!same_layout(f, out->dicts[j].field)) {
        return bp_fail(d->err, BP_EDATA,
                       "columns '%.200s' and '%.200s' share a dictionary but not its type", name,
                       d->schema->fields[out->dicts[j].column].name);
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

/* ---- lists and structs ---- */

/* How a list of that Arrow type stands on the wire; false: it is none. */
static bool list_layout(int64_t kind, const struct bp_fb_table *t, struct bp_ipc_field *f)
{
    bool is_wide = kind == FB_LARGE_LIST || kind == FB_LARGE_LIST_VIEW;

    f->width = is_wide ? 8 : 4;
    switch (kind) {
    case FB_LIST:
    case FB_LARGE_LIST:
    case FB_MAP: f->layout = BP_IPC_LIST; return true;
    case FB_LIST_VIEW:
    case FB_LARGE_LIST_VIEW: f->layout = BP_IPC_LISTVIEWS; return true;
    case FB_FIXED_LIST:
        f->layout = BP_IPC_FIXLIST;
        f->width = (int32_t)bp_fb_int(t, 0, 4, 0);
        return true;
    default: return false;
    }
}

/* The type of f from those of its kids. */
static int nested_type(struct decode *d, struct bp_ipc_field *f, char *const *names)
{
    struct bp_type *types;
    int rc;

    if (f->layout != BP_IPC_STRUCT)
        return bp_type_list(f->kids[0].type, &f->type, d->err);
    types = bp_mem_new((size_t)f->n_kids, sizeof *types, d->err);
    if (!types)
        return d->err->code;
    for (int i = 0; i < f->n_kids; i++)
        types[i] = f->kids[i].type;
    rc = bp_type_struct((const char *const *)names, types, f->n_kids, &f->type, d->err);
    bp_mem_free(types);
    return rc;
}

static int decode_nested(struct decode *d, int64_t kind, const struct bp_fb_table *type,
                         const struct bp_fb_table *t, const char *name, struct bp_ipc_field *f)
{
    struct bp_fb_vector v = bp_fb_vector(t, 5, 4);
    char **names;
    int rc = 0;

    f->layout = BP_IPC_STRUCT;
    if (kind != FB_STRUCT && (list_layout(kind, type, f), v.n != 1))
        return refuse(d, name, "list without one child");
    if (f->layout == BP_IPC_FIXLIST && f->width <= 0)
        return refuse(d, name, "fixed_size_list of size 0");
    if (v.n == 0)
        return refuse(d, name, "struct without fields");
    d->n_kids += v.n;
    if (d->depth >= BP_NEST_DEPTH_MAX ||
        d->n_kids > (int64_t)(d->root->fb->n_bytes / 8) + SLACK_KIDS)
        return bp_fail(d->err, BP_EDATA, "column '%.200s': its type has too many parts", name);
    f->kids = bp_mem_new(v.n, sizeof *f->kids, d->err);
    names = bp_mem_new(v.n, sizeof(*names), d->err);
    if (!f->kids || !names) {
        bp_mem_free(names);
        return d->err->code;
    }
    f->n_kids = (int)v.n;
    d->depth++;
    for (uint32_t i = 0; i < v.n && rc == 0; i++) {
        struct bp_fb_table kid = bp_fb_vector_table(&v, i);

        rc = kid.fb ? decode_field(d, &kid, &f->kids[i], &names[i])
                    : bp_fail(d->err, BP_EDATA, "the schema is damaged");
    }
    d->depth--;
    if (rc == 0)
        rc = nested_type(d, f, names);
    for (uint32_t i = 0; i < v.n; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
    return rc;
}

/* *name is the caller's, on error as well. */
static int decode_field(struct decode *d, const struct bp_fb_table *t, struct bp_ipc_field *f,
                        char **name)
{
    struct bp_fb_table type = bp_fb_table(t, 3), dict = bp_fb_table(t, 4);
    int64_t kind = bp_fb_int(t, 2, 1, 0);
    struct bp_ipc_field probe = {0};
    size_t n;
    const char *s = bp_fb_string(t, 0, &n);

    *name = copy_text(d, s, n, "a column's name");
    if (!*name)
        return d->err->code;
    f->dict = -1;
    f->nullable = bp_fb_int(t, 1, 1, 0) != 0;
    if (kind == FB_STRUCT || list_layout(kind, &type, &probe))
        BP_TRY(decode_nested(d, kind, &type, t, *name, f));
    else
        BP_TRY(decode_type(d, kind, &type, *name, f));
    return dict.fb ? bind_dictionary(d, &dict, *name, f) : 0;
}

/* Do the field's own metadata say that its dictionary grows? */
static bool is_growing(const struct bp_fb_table *t)
{
    struct bp_fb_vector meta = bp_fb_vector(t, 6, 4);
    size_t n = 0;
    const char *s = meta.n <= MAX_META ? bp_ipc_meta_find(&meta, BP_IPC_DICT_KEY, &n) : NULL;

    return s && n == strlen(BP_IPC_DICT_GROWING) && memcmp(s, BP_IPC_DICT_GROWING, n) == 0;
}

static int decode_column(struct decode *d, const struct bp_fb_table *t, int i)
{
    struct bp_ipc_field *f = &d->out->fields[i];
    struct bp_field *ours;
    char *name = NULL;
    int rc;

    d->column = i;
    BP_GO(decode_field(d, t, f, &name));
    BP_GO(bp_schema_add(d->schema, name, f->type, d->err));
    ours = &d->schema->fields[i];
    ours->nullable = f->nullable;
    if (f->dict >= 0 && f->type.kind == BP_TEXT)
        ours->dict = is_growing(t) ? BP_DICT_GROWING : BP_DICT_KNOWN;
out:
    bp_mem_free(name);
    return rc;
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
        if (!fields->fields) {
            rc = err->code;
            goto out;
        }
    }
    fields->n_fields = (int)v.n;
    for (uint32_t i = 0; i < v.n; i++) {
        struct bp_fb_table field = bp_fb_vector_table(&v, i);

        if (!field.fb)
            break;
        BP_GO(decode_column(&d, &field, (int)i));
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
