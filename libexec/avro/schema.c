/* SPDX-License-Identifier: Apache-2.0 */
/* An Avro schema, a record of plain fields, as columns. What has no column is refused by name. */
#include <string.h>

#include "avro.h"
#include "base/mem.h"

/* What is known of the field that is being read, for messages. */
struct place {
    struct avro_schema *s;
    const char *file, *column;
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
static int set_logical(const struct place *at, struct avro_field *f, const json_t *def,
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

/* ---- types ---- */

static const struct {
    const char *name;
    enum avro_wire wire;
    enum bp_kind kind;
} primitives[] = {
    {"boolean", AVRO_BOOLEAN, BP_BOOL},  {"int", AVRO_INT, BP_INT32},
    {"long", AVRO_LONG, BP_INT64},       {"float", AVRO_FLOAT, BP_FLOAT32},
    {"double", AVRO_DOUBLE, BP_FLOAT64}, {"bytes", AVRO_BYTES, BP_BINARY},
    {"string", AVRO_STRING, BP_TEXT},    {"fixed", AVRO_FIXED, BP_BINARY},
    {"enum", AVRO_ENUM, BP_TEXT},
};

/* Later fields may name it, with its namespace or without. */
static int remember(const struct place *at, json_t *def, struct bp_err *err)
{
    const char *name = text_of(def, "name"), *space = text_of(def, "namespace");
    struct bp_buf full = {0};
    int rc = 0;

    if (!*name)
        return refuse(at, "its type has no name", err);
    if (!*space)
        space = text_of(at->s->json, "namespace");
    BP_GO(bp_buf_printf(&full, err, "%s%s%s", space, *space ? "." : "", name));
    if (!bp_buf_str(&full, err))
        rc = err->code;
    else if (json_object_set(at->s->named, name, def) < 0 ||
             json_object_set(at->s->named, (const char *)full.data, def) < 0)
        rc = bp_fail_oom(err, full.len);
out:
    bp_buf_release(&full);
    return rc;
}

static int set_named(const struct place *at, struct avro_field *f, json_t *def, struct bp_err *err)
{
    json_int_t size = json_integer_value(json_object_get(def, "size"));

    if (f->wire == AVRO_FIXED && (size < 1 || size > 1 << 24))
        return refuse(at, "it is fixed, but its size is missing, 0 or beyond 16 MiB", err);
    f->fixed_bytes = (size_t)size;
    f->symbols = json_object_get(def, "symbols");
    if (f->wire != AVRO_ENUM)
        return 0;
    if (!json_array_size(f->symbols))
        return refuse(at, "it is an enum without symbols", err);
    for (size_t i = 0; i < json_array_size(f->symbols); i++) {
        if (!json_is_string(json_array_get(f->symbols, i)))
            return refuse(at, "a symbol of its enum is no text", err);
    }
    return 0;
}

/* type: a name, or an object whose "type" is one. */
static int set_type(const struct place *at, struct avro_field *f, json_t *type, struct bp_err *err)
{
    json_t *def = type, *known;
    const char *name;
    size_t i = 0;
    int depth = 0;

    while (json_is_object(json_object_get(def, "type")) && depth++ < 8)
        def = json_object_get(def, "type"); /* {"type": {"type": "int"}} */
    name = json_is_string(def) ? json_string_value(def) : text_of(def, "type");
    known = json_object_get(at->s->named, name);
    if (known) {
        def = known;
        name = text_of(def, "type");
    }
    while (i < BP_COUNT_OF(primitives) && !same(name, primitives[i].name))
        i++;
    if (i == BP_COUNT_OF(primitives))
        return bp_fail(err, BP_EDATA,
                       "%s: column %s: Avro's type '%.60s' is not read (only plain values, or "
                       "null)",
                       at->file, at->column, *name ? name : "union");
    f->wire = primitives[i].wire;
    f->type = (struct bp_type){.kind = (uint8_t)primitives[i].kind};
    if (f->wire == AVRO_FIXED || f->wire == AVRO_ENUM) {
        if (!known)
            BP_TRY(remember(at, def, err));
        BP_TRY(set_named(at, f, def, err));
    }
    return json_is_object(def) ? set_logical(at, f, def, err) : 0;
}

static bool is_null(const json_t *type)
{
    const char *name = json_string_value(type);

    return same(name ? name : text_of(type, "type"), "null");
}

static int set_field(const struct place *at, struct avro_field *f, json_t *type, struct bp_err *err)
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

int avro_schema_read(struct avro_schema *s, const struct avro_file *f, struct bp_err *err)
{
    struct place at = {.s = s, .file = f->name};
    json_error_t why;
    json_t *fields;
    size_t n;

    s->json = json_loadb((const char *)f->schema.data, f->schema.len, 0, &why);
    if (!s->json)
        return bp_fail(err, BP_EDATA, "%s: its schema is not JSON: %.200s", f->name, why.text);
    fields = json_object_get(s->json, "fields");
    n = json_array_size(fields);
    if (!same(text_of(s->json, "type"), "record") || !n)
        return bp_fail(err, BP_EDATA, "%s: its schema is not a record with fields", f->name);
    s->named = json_object();
    s->fields = bp_mem_new(n, sizeof *s->fields, err);
    if (!s->named || !s->fields)
        return bp_fail_oom(err, n);
    for (size_t i = 0; i < n; i++) {
        json_t *field = json_array_get(fields, i);

        at.column = text_of(field, "name");
        if (!*at.column)
            return bp_fail(err, BP_EDATA, "%s: field %zu of its schema has no name", f->name,
                           i + 1);
        BP_TRY(set_field(&at, &s->fields[i], json_object_get(field, "type"), err));
        BP_TRY(bp_schema_add(&s->columns, at.column, s->fields[i].type, err));
    }
    return 0;
}

void avro_schema_release(struct avro_schema *s)
{
    json_decref(s->json);
    json_decref(s->named);
    bp_mem_free(s->fields);
    bp_schema_release(&s->columns);
}
