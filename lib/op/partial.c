/* SPDX-License-Identifier: Apache-2.0 */
/* The mark bp.partial: written, read back with distrust, refused. */
#include "op/partial.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "flow/json.h"
#include "flow/marks.h"
#include "op/op.h"

int bp_partial_refuse(const struct bp_schema *s, const char *cmd, struct bp_err *err)
{
    if (!bp_schema_meta(s, BP_MARK_PARTIAL))
        return 0;
    return bp_fail(err, BP_EUSAGE,
                   "the input is a partial result (of bp-reduce --partial), which %s does not "
                   "take; finish it first: bp-reduce --final",
                   cmd);
}

void bp_partial_release(struct bp_partial *p)
{
    for (int i = 0; i < p->n_keys; i++)
        bp_mem_free(p->keys[i]);
    for (int i = 0; i < p->n_aggs; i++) {
        bp_mem_free(p->aggs[i].name);
        bp_mem_free(p->aggs[i].func);
    }
    bp_mem_free(p->keys);
    bp_mem_free(p->aggs);
    *p = (struct bp_partial){0};
}

/* ---- writing ---- */

static json_t *type_json(struct bp_type t)
{
    char name[BP_TYPE_NAME_MAX];

    return json_string(bp_type_name(t, name));
}

static json_t *agg_json(const struct bp_partial_agg *a)
{
    json_t *args = json_array();

    for (int i = 0; i < a->n_args; i++) {
        if (json_array_append_new(args, type_json(a->args[i])) < 0) {
            json_decref(args);
            return NULL;
        }
    }
    return json_pack("{s:o,s:s,s:s,s:o}", "args", args, "func", a->func, "name", a->name, "result",
                     type_json(a->result));
}

static json_t *partial_json(const struct bp_partial *p)
{
    json_t *keys = json_array(), *aggs = json_array(), *root;
    bool bad = !keys || !aggs;

    for (int i = 0; i < p->n_keys && !bad; i++)
        bad = json_array_append_new(keys, json_string(p->keys[i])) < 0;
    for (int i = 0; i < p->n_aggs && !bad; i++)
        bad = json_array_append_new(aggs, agg_json(&p->aggs[i])) < 0;
    if (bad) {
        json_decref(keys);
        json_decref(aggs);
        return NULL;
    }
    root = json_pack("{s:o,s:o,s:i}", "aggs", aggs, "keys", keys, "version", BP_PARTIAL_VERSION);
    if (root && p->across && json_object_set_new(root, "across", json_true()) < 0) {
        json_decref(root);
        return NULL;
    }
    return root;
}

int bp_partial_write(struct bp_schema *s, const struct bp_partial *p, struct bp_err *err)
{
    json_t *root = partial_json(p);
    struct bp_buf text = {0};
    int rc;

    if (!root)
        return bp_fail(err, BP_EDATA,
                       "cannot write the bp.partial mark: out of memory, or a name is not UTF-8");
    BP_GO(bp_json_write(root, &text, err));
    BP_GO(bp_buf_str(&text, err) ? 0 : err->code);
    rc = bp_schema_set_meta(s, BP_MARK_PARTIAL, (const char *)text.data, err);
out:
    json_decref(root);
    bp_buf_release(&text);
    return rc;
}

/* ---- reading ---- */

static int bad_mark(struct bp_err *err, const char *what)
{
    return bp_fail(err, BP_EDATA, "the bp.partial mark of the input is damaged: %s", what);
}

static int read_type(const json_t *j, struct bp_type *out, struct bp_err *err)
{
    const char *s = json_string_value(j);
    size_t used = 0;

    if (!s)
        return bad_mark(err, "a type is missing");
    if (bp_type_parse(s, strlen(s), &used, out, err) < 0)
        return bp_err_prefix(err, "the bp.partial mark of the input");
    return s[used] ? bad_mark(err, "there is text behind a type") : 0;
}

static int read_string(const json_t *j, const char *what, char **out, struct bp_err *err)
{
    const char *s = json_string_value(j);

    if (!s)
        return bad_mark(err, what);
    *out = bp_mem_str(s, err);
    return *out ? 0 : err->code;
}

static int read_agg(const json_t *j, struct bp_partial_agg *a, struct bp_err *err)
{
    const json_t *args = json_object_get(j, "args");

    BP_TRY(read_string(json_object_get(j, "name"), "an aggregate has no name", &a->name, err));
    BP_TRY(read_string(json_object_get(j, "func"), "an aggregate has no function", &a->func, err));
    BP_TRY(read_type(json_object_get(j, "result"), &a->result, err));
    if (!json_is_array(args) || json_array_size(args) > BP_PARTIAL_ARGS_MAX)
        return bad_mark(err, "an aggregate's arguments are no list, or too long a one");
    a->n_args = (int)json_array_size(args);
    for (int i = 0; i < a->n_args; i++)
        BP_TRY(read_type(json_array_get(args, (size_t)i), &a->args[i], err));
    return 0;
}

static int read_root(const json_t *root, struct bp_partial *p, struct bp_err *err)
{
    const json_t *keys = json_object_get(root, "keys"), *aggs = json_object_get(root, "aggs");
    const json_t *version = json_object_get(root, "version");
    size_t n;

    if (!json_is_array(keys) || !json_is_array(aggs) || !json_is_integer(version))
        return bad_mark(err, "keys, aggs or version is missing");
    if (json_integer_value(version) != BP_PARTIAL_VERSION)
        return bp_fail(err, BP_EDATA,
                       "the input is a partial result of version %lld; this program reads version "
                       "%d: make it again with the same release",
                       (long long)json_integer_value(version), BP_PARTIAL_VERSION);
    n = json_array_size(keys);
    p->keys = bp_mem_new(n + 1, sizeof *p->keys, err);
    p->aggs = p->keys ? bp_mem_new(json_array_size(aggs) + 1, sizeof *p->aggs, err) : NULL;
    if (!p->aggs)
        return err->code;
    for (size_t i = 0; i < n; i++) {
        BP_TRY(read_string(json_array_get(keys, i), "a key has no name", &p->keys[i], err));
        p->n_keys++;
    }
    p->across = json_is_true(json_object_get(root, "across"));
    if (p->across && (!p->n_keys || !json_array_size(aggs)))
        return bad_mark(err, "there is no key to go across, or no aggregate");
    n = json_array_size(aggs);
    for (size_t i = 0; i < n; i++) {
        p->n_aggs++; /* first: a half-read one is released too */
        BP_TRY(read_agg(json_array_get(aggs, i), &p->aggs[i], err));
    }
    return 0;
}

int bp_partial_read(const struct bp_schema *s, bool *present, struct bp_partial *out,
                    struct bp_err *err)
{
    const char *text = bp_schema_meta(s, BP_MARK_PARTIAL);
    struct bp_err why = {0};
    json_t *root;
    int rc;

    *out = (struct bp_partial){0};
    *present = text != NULL;
    if (!text)
        return 0;
    if (bp_json_read(text, BP_MARK_PARTIAL, &root, &why) < 0)
        return why.code == BP_ENOMEM ? bp_fail_oom(err, strlen(text)) : bad_mark(err, why.msg);
    rc = read_root(root, out, err);
    json_decref(root);
    if (rc < 0)
        bp_partial_release(out);
    return rc;
}

int bp_partial_keys(const struct bp_schema *s, char ***names, struct bp_err *err)
{
    struct bp_partial p;
    bool present;

    BP_TRY(bp_partial_read(s, &present, &p, err));
    if (!present)
        return bp_fail(err, BP_EUSAGE,
                       "the input is no partial result of bp-reduce --partial: name the keys (-k)");
    if (p.across) {
        bp_mem_free(p.keys[p.n_keys - 1]);
        p.keys[p.n_keys - 1] = NULL;
    }
    *names = p.keys;
    p.keys = NULL;
    p.n_keys = 0;
    bp_partial_release(&p);
    return 0;
}
