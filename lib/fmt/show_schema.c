/* SPDX-License-Identifier: Apache-2.0 */
/* A schema for people (a tree as Spark's printSchema draws it) and as JSON. */
#include <string.h>

#include "col/text.h"
#include "fmt/cell.h"
#include "fmt/show.h"

/* The lines below a field whose type has a struct in it: its fields, each one step
 * deeper. "struct[]" stands for what the lines below say. */
static int tree_name(struct bp_type t, struct bp_buf *out, struct bp_err *err)
{
    char name[BP_TYPE_NAME_MAX];

    if (t.kind == BP_STRUCT)
        return bp_buf_puts(out, "struct", err);
    if (t.kind != BP_LIST)
        return bp_buf_puts(out, bp_type_name(t, name), err);
    BP_TRY(tree_name(t.nest->kids[0], out, err));
    return bp_buf_puts(out, "[]", err);
}

static int tree_line(const char *name, struct bp_type t, int depth, struct bp_buf *out,
                     struct bp_err *err)
{
    int64_t width;

    for (int i = 0; i < depth; i++)
        BP_TRY(bp_buf_puts(out, " |   ", err));
    BP_TRY(bp_buf_puts(out, " |-- ", err));
    BP_TRY(bp_cell_text(out, name, strlen(name), 0, &width, err));
    BP_TRY(bp_buf_puts(out, ": ", err));
    return tree_name(t, out, err);
}

static int tree_below(struct bp_type t, int depth, struct bp_buf *out, struct bp_err *err)
{
    while (t.kind == BP_LIST)
        t = t.nest->kids[0];
    for (int i = 0; t.kind == BP_STRUCT && i < t.nest->n_kids; i++) {
        BP_TRY(tree_line(t.nest->names[i], t.nest->kids[i], depth, out, err));
        BP_TRY(bp_buf_puts(out, "\n", err));
        BP_TRY(tree_below(t.nest->kids[i], depth + 1, out, err));
    }
    return 0;
}

int bp_show_schema_tree(const struct bp_schema *s, struct bp_buf *out, struct bp_err *err)
{
    BP_TRY(bp_buf_puts(out, "root\n", err));
    for (int i = 0; i < s->n_fields; i++) {
        const struct bp_field *f = &s->fields[i];

        BP_TRY(tree_line(f->name, f->type, 0, out, err));
        BP_TRY(bp_buf_printf(out, err, " (nullable = %s)\n", f->nullable ? "true" : "false"));
        BP_TRY(tree_below(f->type, 1, out, err));
    }
    return 0;
}

int bp_show_json_text(const uint8_t *p, size_t n, struct bp_buf *out, struct bp_err *err)
{
    size_t bad_at, good;

    BP_TRY(bp_buf_append(out, "\"", 1, err));
    while (n > 0) {
        good = bp_utf8_check(p, n, &bad_at) ? n : bad_at;
        for (size_t i = 0; i < good; i++) {
            if (p[i] == '"' || p[i] == '\\')
                BP_TRY(bp_buf_printf(out, err, "\\%c", p[i]));
            else if (p[i] < 0x20)
                BP_TRY(bp_buf_printf(out, err, "\\u%04x", (unsigned)p[i]));
            else
                BP_TRY(bp_buf_append(out, p + i, 1, err));
        }
        if (good < n)
            BP_TRY(bp_buf_puts(out, "\xef\xbf\xbd", err));
        good = good < n ? good + 1 : n;
        p += good;
        n -= good;
    }
    return bp_buf_append(out, "\"", 1, err);
}

static int json_string(struct bp_buf *out, const char *s, struct bp_err *err)
{
    return bp_show_json_text((const uint8_t *)s, strlen(s), out, err);
}

static int json_field(struct bp_buf *out, const struct bp_field *f, struct bp_err *err)
{
    struct bp_buf type = {0};
    int rc;

    BP_GO(bp_type_print(f->type, &type, err));
    BP_GO(bp_buf_puts(out, "    {\"name\": ", err));
    BP_GO(json_string(out, f->name, err));
    BP_GO(bp_buf_puts(out, ", \"type\": ", err));
    BP_GO(bp_show_json_text(type.data, type.len, out, err));
    BP_GO(bp_buf_printf(out, err, ", \"nullable\": %s%s}", f->nullable ? "true" : "false",
                        f->dict == BP_DICT_KNOWN ? ", \"dictionary\": true" : ""));
out:
    bp_buf_release(&type);
    return rc;
}

int bp_show_schema_json(const struct bp_schema *s, struct bp_buf *out, struct bp_err *err)
{
    BP_TRY(bp_buf_puts(out, "{\n  \"fields\": [", err));
    for (int i = 0; i < s->n_fields; i++) {
        BP_TRY(bp_buf_puts(out, i ? ",\n" : "\n", err));
        BP_TRY(json_field(out, &s->fields[i], err));
    }
    BP_TRY(bp_buf_puts(out, s->n_fields ? "\n  ],\n" : "],\n", err));
    BP_TRY(bp_buf_puts(out, "  \"metadata\": {", err));
    for (int i = 0; i < s->n_meta; i++) {
        BP_TRY(bp_buf_puts(out, i ? ",\n    " : "\n    ", err));
        BP_TRY(json_string(out, s->meta[i].key, err));
        BP_TRY(bp_buf_puts(out, ": ", err));
        BP_TRY(json_string(out, s->meta[i].value, err));
    }
    return bp_buf_puts(out, s->n_meta ? "\n  }\n}\n" : "}\n}\n", err);
}
