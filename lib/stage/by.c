/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/by.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "col/key.h"
#include "flow/marks.h"
#include "stage/by_name.h"
#include "stage/key_ids.h"
#include "stage/publish.h"
#include "stage/regroup.h"

#define FAR_LIVE 4    /* each is a process with memory of its own */
#define MAX_LIVE 32   /* files open at a time */
#define LIVE_SHARE 4  /* of the memory limit, for them */
#define NAME_BYTES 96 /* of a value beside its name, which stands in the list of files, too */
#define KNOWN_STEP_BYTES (64 << 10) /* the budget is asked in steps */

struct file {
    struct bp_sink sink;
    char *name; /* NULL: not open */
    int64_t n_rows;
    int64_t taken_bytes; /* of the budget */
};

struct by_sink {
    struct bp_ctx *ctx;
    struct bp_by_opts o; /* open, arg, file_bytes; names are not kept */
    struct bp_by_name name;
    int *keys; /* n_keys columns of the input */
    const struct bp_column **key_cols;
    int n_keys;
    int *kept;               /* columns that go to the files */
    struct bp_schema schema; /* of the files */
    struct bp_key_ids *ids;
    char **names; /* per value: its file */
    uint32_t n_names, n_live, cap_live;
    int64_t name_bytes, known_bytes; /* of names; of the budget, for all that is known of values */
    struct file live[MAX_LIVE], one; /* one: of those written at the end */
    struct bp_regroup *groups;
    struct bp_block *id, *idx, *rest; /* scratch, per row */
    struct bp_publish to;
};

/* ---- files ---- */

static int file_open(struct by_sink *s, struct file *f, uint32_t id, struct bp_err *err)
{
    struct bp_outfile out;

    BP_TRY(bp_publish_create(&s->to, s->names[id], &out, err));
    BP_TRY(s->o.open(s->o.arg, &out, &s->schema, &f->sink, err));
    f->name = s->names[id];
    f->n_rows = 0;
    return 0;
}

static int file_put(struct file *f, struct bp_batch *in, struct bp_err *err)
{
    f->n_rows += in->n_rows;
    return bp_sink_put(&f->sink, in, err);
}

static void file_free(struct by_sink *s, struct file *f)
{
    bp_sink_free(&f->sink);
    bp_budget_give(&s->ctx->budget, f->taken_bytes);
    *f = (struct file){.name = NULL};
}

static int file_commit(struct by_sink *s, struct file *f, struct bp_err *err)
{
    if (!f->name)
        return 0;
    BP_TRY(f->sink.ops->commit(f->sink.self, err));
    BP_TRY(bp_publish_add(&s->to, f->name, f->n_rows, err));
    file_free(s, f);
    return 0;
}

/* The next value has a file that stays open, if there is room for one more. */
static int open_live(struct by_sink *s, uint32_t id, struct bp_err *err)
{
    struct file *f = &s->live[s->n_live];
    int64_t bytes = s->o.file_bytes;

    if (id != s->n_live || s->n_live == s->cap_live || !bp_budget_take(&s->ctx->budget, bytes))
        return 0;
    f->taken_bytes = bytes;
    s->n_live++;
    return file_open(s, f, id, err);
}

/* ---- opening ---- */

static void sink_free(void *self)
{
    struct by_sink *s = self;

    for (uint32_t i = 0; i < s->n_live; i++)
        file_free(s, &s->live[i]);
    file_free(s, &s->one);
    bp_regroup_free(s->groups);
    bp_budget_give(&s->ctx->budget, s->known_bytes);
    bp_key_ids_free(s->ids);
    for (uint32_t i = 0; i < s->n_names; i++)
        bp_mem_free(s->names[i]);
    bp_mem_free(s->names);
    bp_by_name_release(&s->name);
    bp_mem_free(s->key_cols);
    bp_mem_free(s->kept);
    bp_schema_release(&s->schema);
    bp_block_unref(s->id);
    bp_block_unref(s->idx);
    bp_block_unref(s->rest);
    bp_publish_release(&s->to);
    bp_mem_free(s);
}

static bool is_key(const struct by_sink *s, int column)
{
    for (int k = 0; k < s->n_keys; k++)
        if (s->keys[k] == column)
            return true;
    return false;
}

/* What stands in the files: under a pattern all, else what no directory tells. */
static int keep_columns(struct by_sink *s, const struct bp_schema *in, bool all, struct bp_err *err)
{
    s->kept = bp_mem_new((size_t)in->n_fields, sizeof *s->kept, err);
    if (!s->kept)
        return err->code;
    for (int i = 0; i < in->n_fields; i++) {
        const struct bp_field *f = &in->fields[i];
        int at = s->schema.n_fields;

        if (!all && is_key(s, i))
            continue;
        BP_TRY(bp_schema_add(&s->schema, f->name, f->type, err));
        s->schema.fields[at].nullable = f->nullable;
        s->schema.fields[at].dict = f->dict;
        s->kept[at] = i;
    }
    for (int k = 0; k < s->n_keys; k++) {
        const struct bp_field *f = &in->fields[s->keys[k]];

        BP_TRY(bp_key_allowed(f->type, f->name, err));
        if (!all)
            BP_TRY(bp_schema_add(&s->to.list.by, f->name, f->type, err));
    }
    for (int i = 0; i < s->schema.n_fields; i++)
        BP_TRY(bp_schema_add(&s->to.list.columns, s->schema.fields[i].name,
                             s->schema.fields[i].type, err));
    if (!s->schema.n_fields)
        return bp_fail(err, BP_EUSAGE, "--by names all columns: none is left for the files");
    BP_TRY(bp_schema_copy_meta(&s->schema, in, err));
    BP_TRY(bp_schema_set_meta(&s->schema, BP_MARK_SORTED, NULL, err));
    return bp_schema_set_meta(&s->schema, BP_MARK_PARTED, NULL, err);
}

static void choose_live(struct by_sink *s)
{
    int64_t limit = s->ctx->budget.limit_bytes;
    int64_t n = s->to.tree.is_far ? FAR_LIVE : MAX_LIVE;

    if (limit)
        n = BP_MIN(n, limit / LIVE_SHARE / BP_MAX(s->o.file_bytes, 1));
    s->cap_live = (uint32_t)n;
    bp_budget_least(&s->ctx->budget, s->o.file_bytes);
}

/* Below a URL what is there tells which names are free. */
static int name_files(struct by_sink *s, const struct bp_by_opts *o, struct bp_err *err)
{
    char suffix[64], name[256];

    snprintf(suffix, sizeof suffix, "%s%s", o->to.run ? "" : "-of-00001", o->suffix);
    bp_publish_name(&s->to, 0, suffix, name, sizeof name);
    return bp_by_name_file(&s->name, name, err);
}

static int sink_open(struct by_sink *s, const struct bp_schema *schema, const struct bp_by_opts *o,
                     struct bp_err *err)
{
    BP_TRY(bp_by_name_init(&s->name, schema, o->columns, o->pattern, err));
    s->keys = s->name.columns;
    s->n_keys = s->name.n_columns;
    s->key_cols = bp_mem_new((size_t)s->n_keys, sizeof(struct bp_column *), err);
    if (!s->key_cols)
        return err->code;
    BP_TRY(bp_publish_open(&s->to, &o->to, err));
    if (!o->pattern)
        BP_TRY(name_files(s, o, err));
    BP_TRY(keep_columns(s, schema, o->pattern != NULL, err));
    choose_live(s);
    BP_TRY(bp_key_ids_open(&s->ids, s->n_keys, err));
    return bp_regroup_open(&s->groups, &s->schema, s->ctx, s->o.file_bytes, err);
}

/* ---- rows ---- */

/* Names for the values that this batch is the first to have; ids are in order of rows. */
static int name_values(struct by_sink *s, const struct bp_batch *in, const uint32_t *id,
                       struct bp_err *err)
{
    for (int64_t i = 0; i < in->n_rows && s->n_names < bp_key_ids_count(s->ids); i++) {
        if (id[i] != s->n_names)
            continue;
        if ((s->n_names & (s->n_names - 1)) == 0) { /* full at powers of two */
            char **grown =
                bp_mem_grow(s->names, s->n_names ? (size_t)s->n_names * 2 : 1, sizeof *grown, err);

            if (!grown)
                return err->code;
            s->names = grown;
        }
        BP_TRY(bp_by_name_make(&s->name, in, i, &s->names[s->n_names], err));
        s->name_bytes += 2 * (int64_t)strlen(s->names[s->n_names]) + NAME_BYTES;
        s->n_names++;
        BP_TRY(open_live(s, s->n_names - 1, err));
    }
    return 0;
}

/* What is known of the values counts, and cannot be spilled. */
static int count_known(struct by_sink *s, struct bp_err *err)
{
    int64_t bytes = bp_key_ids_bytes(s->ids) + s->name_bytes;
    int64_t more = bytes - s->known_bytes + KNOWN_STEP_BYTES;

    if (bytes <= s->known_bytes)
        return 0;
    if (!bp_budget_take(&s->ctx->budget, more)) {
        BP_TRY(bp_regroup_yield(s->groups, err));
        if (!bp_budget_take(&s->ctx->budget, more))
            return bp_fail(err, BP_EDATA,
                           "%u different values, and what is known of each takes all of the "
                           "memory: %lld MiB; more (--mem), or columns with fewer values",
                           s->n_names, (long long)(bytes >> 20));
    }
    s->known_bytes += more;
    return 0;
}

/* The columns of the files, of all rows; in is released. */
static int project(struct by_sink *s, struct bp_batch *in, struct bp_batch *out, struct bp_err *err)
{
    int rc = bp_batch_init(out, s->schema.n_fields, err);

    for (int c = 0; c < s->schema.n_fields && rc == 0; c++)
        bp_column_ref(&out->cols[c], &in->cols[s->kept[c]]);
    out->n_rows = in->n_rows;
    bp_batch_release(in);
    return rc;
}

/* Rows by open file, stably: start[f] up to start[f + 1] in idx; the last lot is of values
 * without one. */
static void sort_rows(const struct by_sink *s, int64_t n, const uint32_t *id, int32_t *idx,
                      int32_t start[MAX_LIVE + 2])
{
    int32_t at[MAX_LIVE + 1];

    memset(start, 0, (MAX_LIVE + 2) * sizeof *start);
    for (int64_t i = 0; i < n; i++)
        start[BP_MIN(id[i], s->n_live) + 1]++;
    for (uint32_t f = 0; f <= s->n_live; f++) {
        start[f + 1] += start[f];
        at[f] = start[f];
    }
    for (int64_t i = 0; i < n; i++)
        idx[at[BP_MIN(id[i], s->n_live)]++] = (int32_t)i;
}

/* The rows idx[0, n) of b: to the open file, or to wait for theirs. */
static int send(struct by_sink *s, uint32_t f, const struct bp_batch *b, const uint32_t *id,
                const int32_t *idx, int64_t n, struct bp_err *err)
{
    struct bp_batch part;
    uint32_t *rest;

    if (n == 0)
        return 0;
    if (n == b->n_rows)
        BP_TRY(bp_batch_ref(&part, b, err));
    else
        BP_TRY(bp_batch_gather(&part, b, idx, n, err));
    if (f < s->n_live)
        return file_put(&s->live[f], &part, err);
    if (bp_block_grow(&s->rest, 0, (size_t)n * sizeof *rest, err) < 0) {
        bp_batch_release(&part);
        return err->code;
    }
    rest = (uint32_t *)(void *)s->rest->data;
    for (int64_t i = 0; i < n; i++)
        rest[i] = id[idx[i]] - s->n_live;
    return bp_regroup_add(s->groups, &part, rest, s->n_names - s->n_live, err);
}

static int put_rows(struct by_sink *s, struct bp_batch *in, struct bp_err *err)
{
    int32_t start[MAX_LIVE + 2], *idx;
    struct bp_batch b = {0};
    uint32_t *id;
    int rc;

    BP_GO(bp_block_grow(&s->id, 0, (size_t)in->n_rows * sizeof *id, err));
    BP_GO(bp_block_grow(&s->idx, 0, (size_t)in->n_rows * sizeof *idx, err));
    id = (uint32_t *)(void *)s->id->data;
    idx = (int32_t *)(void *)s->idx->data;
    for (int k = 0; k < s->n_keys; k++)
        s->key_cols[k] = &in->cols[s->keys[k]];
    BP_GO(bp_key_ids_get(s->ids, s->key_cols, in->n_rows, id, err));
    BP_GO(name_values(s, in, id, err));
    BP_GO(count_known(s, err));
    BP_GO(project(s, in, &b, err));
    sort_rows(s, b.n_rows, id, idx, start);
    for (uint32_t f = 0; f <= s->n_live && rc == 0; f++)
        rc = send(s, f, &b, id, idx + start[f], start[f + 1] - start[f], err);
out:
    bp_batch_release(&b);
    return rc;
}

static int sink_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    int rc = in->n_rows ? put_rows(self, in, err) : 0;

    bp_batch_release(in);
    return rc;
}

/* ---- the end ---- */

static int put_group(void *arg, uint32_t group, const struct bp_batch *b, struct bp_err *err)
{
    struct by_sink *s = arg;
    uint32_t id = group + s->n_live;
    struct bp_batch own;

    if (s->one.name != s->names[id]) {
        BP_TRY(file_commit(s, &s->one, err));
        BP_TRY(file_open(s, &s->one, id, err));
    }
    BP_TRY(bp_batch_ref(&own, b, err));
    return file_put(&s->one, &own, err);
}

static int sink_commit(void *self, struct bp_err *err)
{
    struct by_sink *s = self;

    for (uint32_t i = 0; i < s->n_live; i++)
        BP_TRY(file_commit(s, &s->live[i], err));
    BP_TRY(bp_regroup_drain(s->groups, put_group, s, err));
    BP_TRY(file_commit(s, &s->one, err));
    return bp_publish_commit(&s->to, err);
}

static const struct bp_sink_ops sink_ops = {
    .put = sink_put, .commit = sink_commit, .free = sink_free};

int bp_by_sink(struct bp_sink *out, const struct bp_schema *schema, const struct bp_by_opts *opts,
               struct bp_ctx *ctx, struct bp_err *err)
{
    struct by_sink *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_sink){0};
    if (!s)
        return err->code;
    s->ctx = ctx;
    s->o = *opts;
    s->to.tree.fd = s->to.locked = -1;
    out->name = bp_mem_str(opts->to.dir, err);
    if (!out->name || sink_open(s, schema, opts, err) < 0) {
        sink_free(s);
        bp_mem_free(out->name);
        out->name = NULL;
        return err->code;
    }
    out->ops = &sink_ops;
    out->self = s;
    return 0;
}
