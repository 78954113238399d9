/* SPDX-License-Identifier: Apache-2.0 */
/* bp.task and bp.parted; the lineage is in lineage.c. */
#include "flow/marks.h"

#include <stdio.h>

#include "base/mem.h"
#include "flow/json.h"

/* Digits without a leading zero, at most nine of them. */
static const char *read_count(const char *p, int32_t *out)
{
    const char *from = p;

    for (*out = 0; *p >= '0' && *p <= '9'; p++) {
        if (p - from == 9)
            return NULL;
        *out = *out * 10 + (*p - '0');
    }
    return p == from || (*from == '0' && p - from > 1) ? NULL : p;
}

bool bp_share_parse(const char *text, struct bp_share *out)
{
    struct bp_share s;
    const char *p = read_count(text, &s.i);

    if (!p || *p != '/')
        return false;
    p = read_count(p + 1, &s.n);
    if (!p || *p || s.i >= s.n)
        return false;
    *out = s;
    return true;
}

int bp_mark_task(const struct bp_schema *s, struct bp_share *out, struct bp_err *err)
{
    const char *text = bp_schema_meta(s, BP_MARK_TASK);

    *out = (struct bp_share){0, 0};
    if (text && !bp_share_parse(text, out))
        return bp_fail(err, BP_EDATA, "%s '%.40s' is not I/N with I from 0 to N-1", BP_MARK_TASK,
                       text);
    return 0;
}

int bp_mark_set_task(struct bp_schema *s, struct bp_share share, struct bp_err *err)
{
    char text[32];

    if (!share.n)
        return bp_schema_set_meta(s, BP_MARK_TASK, NULL, err);
    snprintf(text, sizeof text, "%d/%d", share.i, share.n);
    return bp_schema_set_meta(s, BP_MARK_TASK, text, err);
}

int bp_mark_judge_shares(struct bp_schema *s, const struct bp_shareset *set, struct bp_err *err)
{
    if (set->n_seen == 1 && set->n > 1)
        return bp_mark_set_task(s, (struct bp_share){set->last, set->n}, err);
    if (!bp_shareset_whole(set))
        return bp_fail(err, BP_EDATA, "the input has %d of %d shares: neither one nor all",
                       set->n_seen, set->n);
    if (set->n > 1)
        return bp_mark_set_task(s, (struct bp_share){0, 0}, err);
    return 0; /* no share, no rows at all, or the only one of one */
}

void bp_parted_release(struct bp_parted *p)
{
    for (int i = 0; p->keys && i < p->n_keys; i++)
        bp_mem_free(p->keys[i]);
    bp_mem_free(p->keys);
    bp_mem_free(p->classes);
    *p = (struct bp_parted){0};
}

static int read_parted_keys(const json_t *v, struct bp_parted *out, struct bp_err *err)
{
    const json_t *keys = json_object_get(v, "keys"), *classes = json_object_get(v, "classes");
    size_t n = json_array_size(keys);

    if (!json_is_array(keys) || !json_is_array(classes) || json_array_size(classes) != n ||
        n > 100000)
        return bp_fail(err, BP_EDATA, "%s: keys and classes are not arrays of one length",
                       BP_MARK_PARTED);
    out->keys = bp_mem_new(n + 1, sizeof *out->keys, err);
    out->classes = bp_mem_new(n, sizeof *out->classes, err);
    if (!out->keys || !out->classes)
        return err->code;
    for (size_t i = 0; i < n; i++) {
        const json_t *key = json_array_get(keys, i), *class = json_array_get(classes, i);

        if (!json_is_string(key) || !json_is_integer(class) || json_integer_value(class) < 1 ||
            json_integer_value(class) > 255)
            return bp_fail(err, BP_EDATA, "%s: key %zu has no name or no class", BP_MARK_PARTED,
                           i + 1);
        out->keys[i] = bp_mem_str(json_string_value(key), err);
        if (!out->keys[i])
            return err->code;
        out->classes[i] = (int)json_integer_value(class);
        out->n_keys = (int)i + 1;
    }
    return 0;
}

static int read_parted_range(const json_t *v, struct bp_parted *out, struct bp_err *err)
{
    int64_t parts, first, last;

    BP_TRY(bp_json_int(v, "parts", 1, INT32_MAX, &parts, BP_MARK_PARTED, err));
    BP_TRY(bp_json_int(v, "first", 0, parts, &first, BP_MARK_PARTED, err));
    /* an empty range ends one before it begins, at -1 too */
    BP_TRY(bp_json_int(v, "last", first - 1, parts - 1, &last, BP_MARK_PARTED, err));
    out->parts = (uint32_t)parts;
    out->first = (uint32_t)first;
    out->last = (uint32_t)last;
    return 0;
}

bool bp_borders_parse(const char *text, char out[BP_BORDERS_LEN + 1])
{
    out[0] = '\0';
    if (!text)
        return true;
    if (strlen(text) != BP_BORDERS_LEN || strspn(text, "0123456789abcdef") != BP_BORDERS_LEN)
        return false;
    memcpy(out, text, BP_BORDERS_LEN + 1);
    return true;
}

static int read_hash(const json_t *v, const char *key, char out[BP_BORDERS_LEN + 1],
                     struct bp_err *err)
{
    const json_t *hash = json_object_get(v, key);

    if (hash && (!json_is_string(hash) || !bp_borders_parse(json_string_value(hash), out)))
        return bp_fail(err, BP_EDATA, "%s: %s is not %d digits", BP_MARK_PARTED, key,
                       BP_BORDERS_LEN);
    return 0;
}

static int read_parted_way(const json_t *v, struct bp_parted *out, struct bp_err *err)
{
    const json_t *copied = json_object_get(v, "copied");

    BP_TRY(read_hash(v, "borders", out->borders, err));
    BP_TRY(read_hash(v, "hot", out->hot, err));
    if (copied && (!json_is_true(copied) || !out->hot[0]))
        return bp_fail(err, BP_EDATA, "%s: not said which keys are copied", BP_MARK_PARTED);
    out->copied = copied != NULL;
    return 0;
}

int bp_mark_parted(const struct bp_schema *s, bool *present, struct bp_parted *out,
                   struct bp_err *err)
{
    const char *text = bp_schema_meta(s, BP_MARK_PARTED);
    json_t *v = NULL;
    int rc;

    *out = (struct bp_parted){0};
    *present = text != NULL;
    if (!text)
        return 0;
    rc = bp_json_read(text, BP_MARK_PARTED, &v, err);
    if (rc == 0)
        rc = read_parted_keys(v, out, err);
    if (rc == 0)
        rc = read_parted_range(v, out, err);
    if (rc == 0)
        rc = read_parted_way(v, out, err);
    if (rc < 0)
        bp_parted_release(out);
    json_decref(v);
    return rc;
}

static int write_parted(json_t *v, const struct bp_parted *p, struct bp_err *err)
{
    json_t *keys = json_array(), *classes;

    BP_TRY(bp_json_set(v, "keys", keys, err));
    classes = json_array();
    BP_TRY(bp_json_set(v, "classes", classes, err));
    for (int i = 0; i < p->n_keys; i++) {
        BP_TRY(bp_json_add(keys, bp_json_string(p->keys[i], err), err));
        BP_TRY(bp_json_add(classes, json_integer(p->classes[i]), err));
    }
    if (p->borders[0])
        BP_TRY(bp_json_set(v, "borders", bp_json_string(p->borders, err), err));
    if (p->hot[0])
        BP_TRY(bp_json_set(v, "hot", bp_json_string(p->hot, err), err));
    if (p->copied)
        BP_TRY(bp_json_set(v, "copied", json_boolean(true), err));
    BP_TRY(bp_json_set(v, "parts", json_integer(p->parts), err));
    BP_TRY(bp_json_set(v, "first", json_integer(p->first), err));
    return bp_json_set(v, "last", json_integer((int32_t)p->last), err);
}

int bp_mark_set_parted(struct bp_schema *s, const struct bp_parted *p, struct bp_err *err)
{
    struct bp_buf text = {0};
    json_t *v = json_object();
    const char *str;
    int rc;

    if (!v)
        return bp_fail_oom(err, sizeof *v);
    BP_GO(write_parted(v, p, err));
    BP_GO(bp_json_write(v, &text, err));
    str = bp_buf_str(&text, err);
    rc = str ? bp_schema_set_meta(s, BP_MARK_PARTED, str, err) : err->code;
out:
    bp_buf_release(&text);
    json_decref(v);
    return rc;
}
