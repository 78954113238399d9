/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp.lineage: the tree of commands behind a table. A step is an object with
 * those of "cmd", "clauses", "vars", "inputs", "from" that are not empty; a
 * table that carries no lineage is the empty step {}, kept only beside others
 * that are not (so that the sides of a join keep their places).
 *
 * The identity of a run is a hash of the tree without "inputs": what was done,
 * not to which files. Tasks of one fan-out thus agree, an edited clause shows.
 */
#include "flow/marks.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "flow/json.h"

/* A step that is not an object would make walks below meaningless. */
static int check_step(const json_t *step, struct bp_err *err)
{
    const json_t *from = json_object_get(step, "from");
    size_t i;
    json_t *v;

    if (!json_is_object(step) || (from && !json_is_array(from)))
        return bp_fail(err, BP_EDATA, "%s is not a tree of steps", BP_MARK_LINEAGE);
    json_array_foreach(from, i, v) BP_TRY(check_step(v, err));
    return 0;
}

/* text NULL: the empty step. */
static int read_lineage(const char *text, json_t **out, struct bp_err *err)
{
    int rc;

    BP_TRY(bp_json_read(text ? text : "{}", BP_MARK_LINEAGE, out, err));
    rc = check_step(*out, err);
    if (rc < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return rc;
}

static int set_strings(json_t *step, const char *key, const char *const *strings,
                       struct bp_err *err)
{
    json_t *a;

    if (!strings || !strings[0])
        return 0;
    a = json_array();
    BP_TRY(bp_json_set(step, key, a, err));
    for (; *strings; strings++)
        BP_TRY(bp_json_add(a, bp_json_string(*strings, err), err));
    return 0;
}

static int set_vars(json_t *step, const char *const *vars, struct bp_err *err)
{
    json_t *o;

    if (!vars || !vars[0])
        return 0;
    o = json_object();
    BP_TRY(bp_json_set(step, "vars", o, err));
    for (; *vars; vars++) {
        const char *eq = strchr(*vars, '=');
        json_t *value;
        char *name;
        int rc;

        if (!eq)
            return bp_fail(err, BP_EUSAGE, "'%s' is not NAME=VALUE", *vars);
        value = bp_json_string(*vars, err); /* checks the name's bytes, too */
        if (!value)
            return err->code;
        json_decref(value);
        name = bp_mem_strn(*vars, (size_t)(eq - *vars), err);
        if (!name)
            return err->code;
        rc = bp_json_set(o, name, bp_json_string(eq + 1, err), err);
        bp_mem_free(name);
        BP_TRY(rc);
    }
    return 0;
}

static int set_from(json_t *step, const struct bp_schema *const from[], int n_from,
                    struct bp_err *err)
{
    json_t *a;
    bool any = false;

    for (int i = 0; i < n_from; i++)
        any |= bp_schema_meta(from[i], BP_MARK_LINEAGE) != NULL;
    if (!any)
        return 0;
    a = json_array();
    BP_TRY(bp_json_set(step, "from", a, err));
    for (int i = 0; i < n_from; i++) {
        json_t *v;

        BP_TRY(read_lineage(bp_schema_meta(from[i], BP_MARK_LINEAGE), &v, err));
        BP_TRY(bp_json_add(a, v, err));
    }
    return 0;
}

static int fill_step(json_t *v, const struct bp_step *step, const struct bp_schema *const from[],
                     int n_from, struct bp_err *err)
{
    BP_TRY(bp_json_set(v, "cmd", bp_json_string(step->cmd, err), err));
    BP_TRY(set_strings(v, "clauses", step->clauses, err));
    BP_TRY(set_vars(v, step->vars, err));
    BP_TRY(set_strings(v, "inputs", step->inputs, err));
    return set_from(v, from, n_from, err);
}

int bp_lineage_push(struct bp_schema *out, const struct bp_step *step,
                    const struct bp_schema *const from[], int n_from, struct bp_err *err)
{
    struct bp_buf text = {0};
    json_t *v = json_object();
    const char *str;
    int rc;

    if (!v)
        return bp_fail_oom(err, sizeof *v);
    BP_GO(fill_step(v, step, from, n_from, err));
    BP_GO(bp_json_write(v, &text, err));
    str = bp_buf_str(&text, err);
    rc = str ? bp_schema_set_meta(out, BP_MARK_LINEAGE, str, err) : err->code;
out:
    bp_buf_release(&text);
    json_decref(v);
    return rc;
}

static void drop_inputs(json_t *step)
{
    const json_t *from = json_object_get(step, "from");
    size_t i;
    json_t *v;

    json_object_del(step, "inputs");
    json_array_foreach(from, i, v) drop_inputs(v);
}

int bp_lineage_identity(const struct bp_schema *s, uint32_t parts, int32_t n_tasks, char out[33],
                        struct bp_err *err)
{
    struct bp_buf text = {0};
    json_t *tree = NULL, *v = json_object();
    int rc;

    if (!v)
        return bp_fail_oom(err, sizeof *v);
    BP_GO(read_lineage(bp_schema_meta(s, BP_MARK_LINEAGE), &tree, err));
    drop_inputs(tree);
    BP_GO(bp_json_set(v, "lineage", tree, err));
    BP_GO(bp_json_set(v, "parts", json_integer(parts), err));
    BP_GO(bp_json_set(v, "tasks", json_integer(n_tasks), err));
    BP_GO(bp_json_write(v, &text, err));
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)bp_xxh3(text.data, text.len),
             (unsigned long long)bp_xxh3_seeded(text.data, text.len, 1));
out:
    bp_buf_release(&text);
    json_decref(v);
    return rc;
}

static int walk_inputs(const json_t *step,
                       int (*each)(void *arg, const char *name, struct bp_err *err), void *arg,
                       struct bp_err *err)
{
    size_t i;
    json_t *v;

    json_array_foreach(json_object_get(step, "inputs"), i, v)
    {
        if (!json_is_string(v))
            return bp_fail(err, BP_EDATA, "%s: an input has no name", BP_MARK_LINEAGE);
        BP_TRY(each(arg, json_string_value(v), err));
    }
    json_array_foreach(json_object_get(step, "from"), i, v) BP_TRY(walk_inputs(v, each, arg, err));
    return 0;
}

int bp_lineage_inputs(const struct bp_schema *s,
                      int (*each)(void *arg, const char *name, struct bp_err *err), void *arg,
                      struct bp_err *err)
{
    json_t *tree;
    int rc;

    BP_TRY(read_lineage(bp_schema_meta(s, BP_MARK_LINEAGE), &tree, err));
    rc = walk_inputs(tree, each, arg, err);
    json_decref(tree);
    return rc;
}

/* ---- differences in words ---- */

static const char *cmd_of(const json_t *step)
{
    const char *cmd = json_string_value(json_object_get(step, "cmd"));

    return cmd ? cmd : "an unknown command";
}

/* 'text', cut where it gets long. */
static int put_quoted(const json_t *v, struct bp_buf *out, struct bp_err *err)
{
    const char *s = json_string_value(v);
    size_t n = s ? strlen(s) : 0, cut = n;

    if (!v)
        return bp_buf_puts(out, "none", err);
    if (cut > 120) {
        for (cut = 120; cut > 0 && ((unsigned char)s[cut] & 0xC0) == 0x80; cut--)
            ;
    }
    return bp_buf_printf(out, err, "'%.*s%s'", (int)cut, s ? s : "?", cut < n ? "..." : "");
}

static int put_pair(const char *cmd, const char *what, const char *name, const json_t *a,
                    const json_t *b, struct bp_buf *out, struct bp_err *err)
{
    BP_TRY(bp_buf_printf(out, err, "%s: %s%s%s", cmd, what, name, *name ? " " : ""));
    BP_TRY(put_quoted(a, out, err));
    BP_TRY(bp_buf_puts(out, " against ", err));
    return put_quoted(b, out, err);
}

/* Each of these: BP_DONE when it found a difference and described it. */
static int diff_clauses(const json_t *a, const json_t *b, struct bp_buf *out, struct bp_err *err)
{
    const json_t *ca = json_object_get(a, "clauses"), *cb = json_object_get(b, "clauses");
    size_t n = BP_MAX(json_array_size(ca), json_array_size(cb));

    for (size_t i = 0; i < n; i++) {
        const json_t *va = json_array_get(ca, i), *vb = json_array_get(cb, i);

        if (!va || !vb || !json_equal(va, vb)) {
            BP_TRY(put_pair(cmd_of(a), "", "", va, vb, out, err));
            return BP_DONE;
        }
    }
    return 0;
}

static int diff_vars(const json_t *a, const json_t *b, struct bp_buf *out, struct bp_err *err)
{
    json_t *va = json_object_get(a, "vars"), *vb = json_object_get(b, "vars");
    const char *name;
    json_t *v;

    json_object_foreach(va, name, v)
    {
        if (!json_equal(v, json_object_get(vb, name))) {
            BP_TRY(put_pair(cmd_of(a), "-v ", name, v, json_object_get(vb, name), out, err));
            return BP_DONE;
        }
    }
    json_object_foreach(vb, name, v)
    {
        if (!json_object_get(va, name)) {
            BP_TRY(put_pair(cmd_of(a), "-v ", name, NULL, v, out, err));
            return BP_DONE;
        }
    }
    return 0;
}

static int diff_step(const json_t *a, const json_t *b, struct bp_buf *out, struct bp_err *err);

static int diff_from(const json_t *a, const json_t *b, struct bp_buf *out, struct bp_err *err)
{
    const json_t *fa = json_object_get(a, "from"), *fb = json_object_get(b, "from");
    size_t na = json_array_size(fa), nb = json_array_size(fb);

    for (size_t i = 0; i < BP_MIN(na, nb); i++) {
        int rc = diff_step(json_array_get(fa, i), json_array_get(fb, i), out, err);

        if (rc != 0)
            return rc;
    }
    if (na == nb)
        return 0;
    BP_TRY(bp_buf_printf(out, err, "%s: %zu inputs with a history against %zu", cmd_of(a), na, nb));
    return BP_DONE;
}

/* The deepest difference is the cause of what lies above it: inputs first. */
static int diff_step(const json_t *a, const json_t *b, struct bp_buf *out, struct bp_err *err)
{
    int rc;

    if (json_equal(a, b))
        return 0;
    if (strcmp(cmd_of(a), cmd_of(b)) != 0) {
        BP_TRY(bp_buf_printf(out, err, "%s against %s", cmd_of(a), cmd_of(b)));
        return BP_DONE;
    }
    rc = diff_from(a, b, out, err);
    if (rc == 0)
        rc = diff_clauses(a, b, out, err);
    if (rc == 0)
        rc = diff_vars(a, b, out, err);
    return rc;
}

int bp_lineage_diff(const char *a, const char *b, struct bp_buf *out, struct bp_err *err)
{
    json_t *va = NULL, *vb = NULL;
    int rc;

    BP_GO(read_lineage(a, &va, err));
    BP_GO(read_lineage(b, &vb, err));
    drop_inputs(va);
    drop_inputs(vb);
    rc = diff_step(va, vb, out, err);
out:
    json_decref(va);
    json_decref(vb);
    return rc < 0 ? rc : 0;
}
