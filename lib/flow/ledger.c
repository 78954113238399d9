/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as a list and as text; ledger_check.c judges several. */
#include "flow/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "flow/json.h"
#include "flow/marks.h"
#include "sys/input.h"

static const char *const units[] = {BP_LEDGER_BYTES, BP_LEDGER_BATCHES, BP_LEDGER_PARTITIONS,
                                    BP_LEDGER_WHOLE, BP_LEDGER_PIPE};

void bp_ledger_release(struct bp_ledger *l)
{
    for (int i = 0; i < l->n; i++)
        bp_mem_free(l->entries[i].input);
    bp_mem_free(l->entries);
    *l = (struct bp_ledger){0};
}

int bp_ledger_add(struct bp_ledger *l, const struct bp_ledger_entry *e, struct bp_err *err)
{
    struct bp_ledger_entry *grown, *mine;

    if (!l)
        return 0;
    if (l->n == l->cap) {
        int cap = l->cap ? l->cap * 2 : 8;

        grown = bp_mem_grow(l->entries, (size_t)cap, sizeof *grown, err);
        if (!grown)
            return err->code;
        l->entries = grown;
        l->cap = cap;
    }
    mine = &l->entries[l->n];
    *mine = *e;
    mine->input = bp_mem_str(e->input, err);
    if (!mine->input)
        return err->code;
    l->n++;
    return 0;
}

int bp_ledger_add_bytes(struct bp_ledger *l, const struct bp_input *in, int64_t lo, int64_t hi,
                        struct bp_share share, struct bp_err *err)
{
    struct bp_ledger_entry e = {.input = in->name,
                                .unit = BP_LEDGER_WHOLE,
                                .size_bytes = in->size_bytes,
                                .mtime_ns = in->mtime_ns,
                                .end = 1,
                                .to = hi > 0,
                                .share = share};

    memcpy(e.version, in->version, sizeof e.version);
    if (in->is_file) {
        e.unit = BP_LEDGER_BYTES;
        e.end = in->size_bytes;
        e.from = BP_MIN(lo, e.end);
        e.to = BP_MAX(e.from, BP_MIN(hi, e.end));
    } else if (in->size_bytes < 0 && !in->is_named) {
        e.unit = BP_LEDGER_PIPE;
    }
    return bp_ledger_add(l, &e, err);
}

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* By what is one thing to be read; then by what was read of it. */
static int compare(const void *a, const void *b)
{
    const struct bp_ledger_entry *x = a, *y = b;
    int c = strcmp(x->input, y->input);

    c = c ? c : strcmp(x->unit, y->unit);
    c = c ? c : x->nth - y->nth;
    c = c ? c : x->share.n - y->share.n;
    c = c ? c : compare_int(x->from, y->from);
    c = c ? c : compare_int(x->to, y->to);
    c = c ? c : x->share.i - y->share.i;
    c = c ? c : compare_int(x->mtime_ns, y->mtime_ns);
    c = c ? c : compare_int(x->size_bytes, y->size_bytes);
    c = c ? c : compare_int(x->first, y->first);
    c = c ? c : compare_int(x->end, y->end);
    return c ? c : strcmp(x->version, y->version);
}

static int by_name(const void *a, const void *b)
{
    const struct bp_ledger_entry *const *x = a, *const *y = b;
    int c = strcmp((*x)->input, (*y)->input);

    c = c ? c : strcmp((*x)->unit, (*y)->unit);
    return c ? c : (*x > *y) - (*x < *y);
}

int bp_ledger_number(struct bp_ledger *l, int from, struct bp_err *err)
{
    struct bp_ledger_entry **p;
    int n = l ? l->n - from : 0;

    if (n < 2)
        return 0;
    p = bp_mem_new((size_t)n, sizeof(struct bp_ledger_entry *), err);
    if (!p)
        return err->code;
    for (int i = 0; i < n; i++)
        p[i] = &l->entries[from + i];
    qsort(p, (size_t)n, sizeof *p, by_name);
    for (int i = 1; i < n; i++)
        if (strcmp(p[i]->input, p[i - 1]->input) == 0 && strcmp(p[i]->unit, p[i - 1]->unit) == 0)
            p[i]->nth = p[i - 1]->nth + 1;
    bp_mem_free(p);
    return 0;
}

/* ---- text ---- */

static int set_int(json_t *v, const char *key, int64_t value, bool present, struct bp_err *err)
{
    return present ? bp_json_set(v, key, json_integer(value), err) : 0;
}

static int fill(json_t *v, const struct bp_ledger_entry *e, struct bp_err *err)
{
    bool known = strcmp(e->unit, BP_LEDGER_PIPE) != 0;
    char share[32];

    BP_TRY(bp_json_set(v, "input", bp_json_string(e->input, err), err));
    BP_TRY(bp_json_set(v, "unit", bp_json_string(e->unit, err), err));
    BP_TRY(set_int(v, "size", e->size_bytes, known && e->size_bytes >= 0, err));
    BP_TRY(set_int(v, "mtime", e->mtime_ns, known && e->mtime_ns >= 0, err));
    if (e->version[0])
        BP_TRY(bp_json_set(v, "version", bp_json_string(e->version, err), err));
    BP_TRY(set_int(v, "first", e->first, known, err));
    BP_TRY(set_int(v, "end", e->end, known, err));
    BP_TRY(set_int(v, "from", e->from, known, err));
    BP_TRY(set_int(v, "to", e->to, known, err));
    BP_TRY(set_int(v, "nth", e->nth, e->nth > 0, err));
    snprintf(share, sizeof share, "%d/%d", e->share.i, e->share.n);
    return e->share.n ? bp_json_set(v, "share", bp_json_string(share, err), err) : 0;
}

static int fill_all(json_t *a, const struct bp_ledger *l, struct bp_err *err)
{
    for (int i = 0; l && i < l->n; i++) {
        json_t *v;
        int rc;

        if (i && compare(&l->entries[i - 1], &l->entries[i]) == 0)
            continue;
        v = json_object();
        if (!v)
            return bp_fail_oom(err, sizeof *v);
        rc = fill(v, &l->entries[i], err);
        if (rc < 0) {
            json_decref(v);
            return rc;
        }
        BP_TRY(bp_json_add(a, v, err));
    }
    return 0;
}

int bp_ledger_write(struct bp_ledger *l, struct bp_buf *out, struct bp_err *err)
{
    json_t *a = json_array();
    int rc;

    if (!a)
        return bp_fail_oom(err, sizeof *a);
    if (l && l->n)
        qsort(l->entries, (size_t)l->n, sizeof *l->entries, compare);
    rc = fill_all(a, l, err);
    if (rc == 0)
        rc = bp_json_write(a, out, err);
    json_decref(a);
    return rc;
}

static int damaged(struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "%s is damaged: it does not say what was read of which input",
                   BP_MARK_LEDGER);
}

static int get_int(const json_t *v, const char *key, int64_t absent, int64_t max, int64_t *out,
                   struct bp_err *err)
{
    *out = absent;
    return json_object_get(v, key) ? bp_json_int(v, key, 0, max, out, BP_MARK_LEDGER, err) : 0;
}

static int read_range(const json_t *v, struct bp_ledger_entry *e, struct bp_err *err)
{
    BP_TRY(bp_json_int(v, "first", 0, INT64_MAX, &e->first, BP_MARK_LEDGER, err));
    BP_TRY(bp_json_int(v, "end", e->first, INT64_MAX, &e->end, BP_MARK_LEDGER, err));
    BP_TRY(bp_json_int(v, "from", e->first, e->end, &e->from, BP_MARK_LEDGER, err));
    return bp_json_int(v, "to", e->from, e->end, &e->to, BP_MARK_LEDGER, err);
}

static int read_entry(const json_t *v, struct bp_ledger_entry *e, struct bp_err *err)
{
    const char *input = json_string_value(json_object_get(v, "input"));
    const char *unit = json_string_value(json_object_get(v, "unit"));
    const char *version = json_string_value(json_object_get(v, "version"));
    const json_t *share = json_object_get(v, "share");
    int64_t nth;

    *e = (struct bp_ledger_entry){.input = (char *)(uintptr_t)input};
    for (size_t i = 0; unit && i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i], unit) == 0)
            e->unit = units[i];
    if (!input || !e->unit || (version && strlen(version) >= sizeof e->version))
        return damaged(err);
    if (share && (!json_is_string(share) || !bp_share_parse(json_string_value(share), &e->share)))
        return damaged(err);
    if (version)
        memcpy(e->version, version, strlen(version) + 1);
    BP_TRY(get_int(v, "size", -1, INT64_MAX, &e->size_bytes, err));
    BP_TRY(get_int(v, "mtime", -1, INT64_MAX, &e->mtime_ns, err));
    BP_TRY(get_int(v, "nth", 0, INT32_MAX, &nth, err));
    e->nth = (int)nth;
    return strcmp(e->unit, BP_LEDGER_PIPE) == 0 ? 0 : read_range(v, e, err);
}

int bp_ledger_read(struct bp_ledger *l, const char *text, struct bp_err *err)
{
    struct bp_ledger_entry e;
    json_t *a, *v;
    int rc = 0;
    size_t i;

    BP_TRY(bp_json_read(text, BP_MARK_LEDGER, &a, err));
    if (!json_is_array(a))
        BP_GO(damaged(err));
    json_array_foreach(a, i, v)
    {
        BP_GO(read_entry(v, &e, err));
        BP_GO(bp_ledger_add(l, &e, err));
    }
out:
    json_decref(a);
    return rc;
}
