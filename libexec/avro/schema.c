/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Avro schema, a record, as columns: a record in it is a struct, an array a list, a map a list
 * of structs of key and value. What has no column is refused by name. Types that have names may be
 * used again by them: a type that contains itself has no end, and one that doubles at each of many
 * names has too many parts; both are refused.
 */
#include <string.h>

#include "avro.h"
#include "base/mem.h"

#define TYPES_MAX 10000 /* with all that they are made of */

/* A record whose fields are being read, within others. */
struct open_record {
    const json_t *def;
    const struct open_record *outer;
};

/* Where the reading stands: what messages name, and what names mean here. */
struct place {
    struct avro_schema *s;
    const char *file, *column;
    const char *space; /* the namespace that names are in; "": none */
    const struct open_record *open;
    int depth;
};

static int refuse(const struct place *at, const char *what, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "%s: column %s: %s", at->file, at->column, what);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* ---- logical types ---- */

static const struct {
    const char *name;
    enum avro_wire wire;
    struct bp_type type;
} logical[] = {
    {"date", AVRO_INT, {.kind = BP_DATE}},
    {"time-millis", AVRO_INT, {.kind = BP_TIME, .unit = BP_MILLI}},
    {"time-micros", AVRO_LONG, {.kind = BP_TIME, .unit = BP_MICRO}},
    {"timestamp-millis", AVRO_LONG, {.kind = BP_TIMESTAMPTZ, .unit = BP_MILLI}},
    {"timestamp-micros", AVRO_LONG, {.kind = BP_TIMESTAMPTZ, .unit = BP_MICRO}},
    {"timestamp-nanos", AVRO_LONG, {.kind = BP_TIMESTAMPTZ, .unit = BP_NANO}},
    {"local-timestamp-millis", AVRO_LONG, {.kind = BP_TIMESTAMP, .unit = BP_MILLI}},
    {"local-timestamp-micros", AVRO_LONG, {.kind = BP_TIMESTAMP, .unit = BP_MICRO}},
    {"local-timestamp-nanos", AVRO_LONG, {.kind = BP_TIMESTAMP, .unit = BP_NANO}},
};

/* As the specification wants it, a logical type that does not fit its type is none. */
static int set_logical(const struct place *at, struct avro_type *f, const json_t *def,
                       struct bp_err *err)
{
    const char *name = text_of(def, "logicalType");
    json_int_t precision = json_integer_value(json_object_get(def, "precision"));
    json_int_t scale = json_integer_value(json_object_get(def, "scale"));

    for (size_t i = 0; i < BP_COUNT_OF(logical); i++) {
        if (same(name, logical[i].name) && f->wire == logical[i].wire)
            f->type = logical[i].type;
    }
    if (!same(name, "decimal") || (f->wire != AVRO_BYTES && f->wire != AVRO_FIXED) ||
        precision < 1 || scale < 0 || scale > precision)
        return 0;
    if (precision > 38)
        return refuse(at, "its decimals have more than 38 digits", err);
    f->type = BP_TYPE_DECIMAL((uint8_t)precision, (uint8_t)scale);
    return 0;
}

/* ---- names ---- */

/* The whole name of `name` in space, to be released. */
static int full_name(const char *space, const char *name, struct bp_buf *out, struct bp_err *err)
{
    bool is_full = !*space || strchr(name, '.');

    BP_TRY(bp_buf_printf(out, err, "%s%s%s", is_full ? "" : space, is_full ? "" : ".", name));
    return bp_buf_str(out, err) ? 0 : err->code;
}

/* What the name stands for: in the namespace here, else in none. NULL: nothing that is known. */
static int find_named(const struct place *at, const char *name, json_t **out, struct bp_err *err)
{
    struct bp_buf full = {0};
    int rc = full_name(at->space, name, &full, err);

    if (rc == 0)
        *out = json_object_get(at->s->named, (const char *)full.data);
    if (rc == 0 && !*out)
        *out = json_object_get(at->s->named, name);
    bp_buf_release(&full);
    return rc;
}

#define FULL_NAME "\1" /* a key of ours in a definition: its whole name */

/* Later types may name it. full gets its whole name, which is that of where it was first met. */
static int remember(const struct place *at, json_t *def, struct bp_buf *full, struct bp_err *err)
{
    const char *name = text_of(def, "name"), *space = text_of(def, "namespace");
    const char *known = text_of(def, FULL_NAME);

    if (*known)
        return full_name("", known, full, err);
    if (!*name)
        return refuse(at, "its type has no name", err);
    BP_TRY(full_name(*space ? space : at->space, name, full, err));
    if (json_object_set(at->s->named, (const char *)full->data, def) < 0 ||
        json_object_set_new(def, FULL_NAME, json_string((const char *)full->data)) < 0)
        return bp_fail_oom(err, full->len);
    return 0;
}

/* ---- types ---- */

static const struct {
    const char *name;
    enum avro_wire wire;
    enum bp_kind kind;
} wires[] = {
    {"boolean", AVRO_BOOLEAN, BP_BOOL},  {"int", AVRO_INT, BP_INT32},
    {"long", AVRO_LONG, BP_INT64},       {"float", AVRO_FLOAT, BP_FLOAT32},
    {"double", AVRO_DOUBLE, BP_FLOAT64}, {"bytes", AVRO_BYTES, BP_BINARY},
    {"string", AVRO_STRING, BP_TEXT},    {"fixed", AVRO_FIXED, BP_BINARY},
    {"enum", AVRO_ENUM, BP_TEXT},        {"record", AVRO_RECORD, BP_STRUCT},
    {"array", AVRO_ARRAY, BP_LIST},      {"map", AVRO_MAP, BP_LIST},
};

static int set_any(const struct place *at, struct avro_type *f, json_t *type, struct bp_err *err);

static int set_fixed(const struct place *at, struct avro_type *f, const json_t *def,
                     struct bp_err *err)
{
    json_int_t size = json_integer_value(json_object_get(def, "size"));

    if (size < 1 || size > 1 << 24)
        return refuse(at, "it is fixed, but its size is missing, 0 or beyond 16 MiB", err);
    f->fixed_bytes = (size_t)size;
    return 0;
}

static int set_enum(const struct place *at, struct avro_type *f, const json_t *def,
                    struct bp_err *err)
{
    f->symbols = json_object_get(def, "symbols");
    if (!json_array_size(f->symbols))
        return refuse(at, "it is an enum without symbols", err);
    for (size_t i = 0; i < json_array_size(f->symbols); i++) {
        if (!json_is_string(json_array_get(f->symbols, i)))
            return refuse(at, "a symbol of its enum is no text", err);
    }
    return 0;
}

static int make_kids(struct avro_type *f, size_t n, struct bp_err *err)
{
    f->kids = bp_mem_new(n, sizeof *f->kids, err);
    if (!f->kids)
        return err->code;
    f->n_kids = (int)n;
    return 0;
}

static int set_items(const struct place *at, struct avro_type *f, json_t *def, struct bp_err *err)
{
    static const char *const entry[] = {"key", "value"};
    struct bp_type kids[2] = {BP_TYPE(BP_TEXT)}, item;

    BP_TRY(make_kids(f, 1, err));
    BP_TRY(
        set_any(at, f->kids, json_object_get(def, f->wire == AVRO_MAP ? "values" : "items"), err));
    item = f->kids->type;
    if (f->wire == AVRO_MAP) {
        kids[1] = f->kids->type;
        BP_TRY(bp_type_struct(entry, kids, 2, &item, err));
    }
    return bp_type_list(item, &f->type, err);
}

/* The kids of f, without its type. */
static int set_fields(const struct place *at, struct avro_type *f, const json_t *fields,
                      struct bp_err *err)
{
    size_t n = json_array_size(fields);

    BP_TRY(make_kids(f, n, err));
    for (size_t i = 0; i < n; i++) {
        struct place in = *at;
        json_t *field = json_array_get(fields, i);
        const char *name = text_of(field, "name");

        if (!*name)
            return bp_fail(err, BP_EDATA, "%s: field %zu of its schema%s%s has no name", at->file,
                           i + 1, at->column ? ", in column " : "", at->column ? at->column : "");
        if (!in.column)
            in.column = name;
        BP_TRY(set_any(&in, &f->kids[i], json_object_get(field, "type"), err));
    }
    return 0;
}

static int struct_type(struct avro_type *f, const json_t *fields, struct bp_err *err)
{
    size_t n = (size_t)f->n_kids;
    const char **names = bp_mem_new(n, sizeof *names, err);
    struct bp_type *kids = names ? bp_mem_new(n, sizeof *kids, err) : NULL;
    int rc = kids ? 0 : err->code;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        names[i] = text_of(json_array_get(fields, i), "name");
        kids[i] = f->kids[i].type;
    }
    if (rc == 0)
        rc = bp_type_struct(names, kids, (int)n, &f->type, err);
    bp_mem_free(names);
    bp_mem_free(kids);
    return rc;
}

/* full: the name of the record, which tells the namespace of what is in it. */
static int set_record(const struct place *at, struct avro_type *f, const json_t *def, char *full,
                      struct bp_err *err)
{
    const json_t *fields = json_object_get(def, "fields");
    struct open_record open = {.def = def, .outer = at->open};
    struct place in = *at;
    char *dot = strrchr(full, '.');

    if (dot)
        *dot = 0;
    in.space = dot ? full : "";
    in.open = &open;
    for (const struct open_record *o = at->open; o; o = o->outer)
        if (o->def == def)
            return refuse(at, "its type contains itself", err);
    if (!json_array_size(fields))
        return refuse(at, "it is a record without fields", err);
    BP_TRY(set_fields(&in, f, fields, err));
    return struct_type(f, fields, err);
}

static int set_named(const struct place *at, struct avro_type *f, json_t *def, struct bp_err *err)
{
    struct bp_buf full = {0};
    int rc = remember(at, def, &full, err);

    if (rc == 0)
        rc = f->wire == AVRO_FIXED  ? set_fixed(at, f, def, err)
             : f->wire == AVRO_ENUM ? set_enum(at, f, def, err)
                                    : set_record(at, f, def, (char *)full.data, err);
    bp_buf_release(&full);
    return rc;
}

static int wire_of(const char *name)
{
    size_t i = 0;

    while (i < BP_COUNT_OF(wires) && !same(name, wires[i].name))
        i++;
    return i < BP_COUNT_OF(wires) ? (int)i : -1;
}

/* Goes from a name, or an object whose "type" is one, to what it stands for; *i: in wires. */
static int find_type(const struct place *at, json_t **def, int *i, struct bp_err *err)
{
    const char *name;
    int steps = 0;

    while (json_is_object(json_object_get(*def, "type")) && steps++ < 8)
        *def = json_object_get(*def, "type"); /* {"type": {"type": "int"}} */
    name = json_is_string(*def) ? json_string_value(*def) : text_of(*def, "type");
    *i = wire_of(name);
    if (*i < 0) {
        json_t *known = NULL;

        BP_TRY(find_named(at, name, &known, err));
        if (known)
            *def = known;
        *i = known ? wire_of(text_of(known, "type")) : -1;
    }
    if (*i < 0)
        return bp_fail(err, BP_EDATA, "%s: column %s: Avro's type '%.60s' is not read", at->file,
                       at->column, *name ? name : "union");
    return 0;
}

static int set_type(const struct place *at, struct avro_type *f, json_t *def, struct bp_err *err)
{
    struct place in = *at;
    int i;

    BP_TRY(find_type(at, &def, &i, err));
    if (++at->s->n_types > TYPES_MAX)
        return bp_fail(err, BP_EDATA, "%s: its schema has more than %d types", at->file, TYPES_MAX);
    if (++in.depth > BP_NEST_DEPTH_MAX + 1)
        return refuse(at, "its types are too deep in one another", err);
    f->wire = wires[i].wire;
    f->type = (struct bp_type){.kind = (uint8_t)wires[i].kind};
    if (f->wire == AVRO_ARRAY || f->wire == AVRO_MAP)
        return set_items(&in, f, def, err);
    if (f->wire == AVRO_FIXED || f->wire == AVRO_ENUM || f->wire == AVRO_RECORD)
        BP_TRY(set_named(&in, f, def, err));
    return json_is_object(def) ? set_logical(at, f, def, err) : 0;
}

static bool is_null(const json_t *type)
{
    const char *name = json_string_value(type);

    return same(name ? name : text_of(type, "type"), "null");
}

static int set_any(const struct place *at, struct avro_type *f, json_t *type, struct bp_err *err)
{
    size_t n = json_array_size(type);

    f->null_branch = -1;
    if (!json_is_array(type))
        return set_type(at, f, type, err);
    f->n_branches = (int)n;
    if (n == 2 && is_null(json_array_get(type, 0)) != is_null(json_array_get(type, 1)))
        f->null_branch = is_null(json_array_get(type, 0)) ? 0 : 1;
    else if (n != 1)
        return refuse(at, "it is a union of other things than null and one type", err);
    return set_type(at, f, json_array_get(type, f->null_branch == 0 ? 1 : 0), err);
}

/* ---- the schema ---- */

static int read_columns(const struct place *at, const json_t *fields, struct bp_err *err)
{
    struct avro_schema *s = at->s;

    BP_TRY(set_fields(at, &s->record, fields, err));
    for (int i = 0; i < s->record.n_kids; i++)
        BP_TRY(bp_schema_add(&s->columns, text_of(json_array_get(fields, (size_t)i), "name"),
                             s->record.kids[i].type, err));
    return 0;
}

int avro_schema_read(struct avro_schema *s, const struct avro_file *f, struct bp_err *err)
{
    struct open_record open = {0};
    struct place at = {.s = s, .file = f->name, .space = "", .open = &open};
    struct bp_buf full = {0};
    json_error_t why;
    json_t *fields;
    char *dot;
    int rc = 0;

    s->json = json_loadb((const char *)f->schema.data, f->schema.len, 0, &why);
    if (!s->json)
        return bp_fail(err, BP_EDATA, "%s: its schema is not JSON: %.200s", f->name, why.text);
    open.def = s->json;
    fields = json_object_get(s->json, "fields");
    if (!same(text_of(s->json, "type"), "record") || !json_array_size(fields))
        return bp_fail(err, BP_EDATA, "%s: its schema is not a record with fields", f->name);
    s->named = json_object();
    if (!s->named)
        return bp_fail_oom(err, 1);
    if (*text_of(s->json, "name")) {
        BP_GO(remember(&at, s->json, &full, err));
        dot = strrchr((char *)full.data, '.');
        if (dot) {
            *dot = 0;
            at.space = (char *)full.data;
        }
    }
    rc = read_columns(&at, fields, err);
out:
    bp_buf_release(&full);
    return rc;
}

static void release_kids(struct avro_type *t)
{
    for (int i = 0; i < t->n_kids; i++)
        release_kids(&t->kids[i]);
    bp_mem_free(t->kids);
}

void avro_schema_release(struct avro_schema *s)
{
    json_decref(s->json);
    json_decref(s->named);
    release_kids(&s->record);
    bp_schema_release(&s->columns);
}
