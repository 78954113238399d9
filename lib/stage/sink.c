/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing: one task's rows into one file of a stage, by one rename.
 *
 * Crash cases. Before the rename there is only a file under a .tmp- name, which
 * readers do not see and the next try on this host removes. The rename puts the
 * whole file in place of an older one of the same task. With --replace, files of
 * another N are removed after that: killed between, the directory holds files
 * of two N, which readers refuse by name; the repeated task, or any other task
 * of the new N, finishes the removal. Removing first would leave a moment with
 * neither the old table nor the new.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "col/key.h"
#include "flow/marks.h"
#include "stage/footer.h"
#include "stage/names.h"
#include "stage/pending.h"
#include "stage/route.h"
#include "sys/dir.h"

#define PENDING_MAX_BYTES (INT64_C(64) << 20)
#define PENDING_MIN_BYTES (INT64_C(1) << 20)
#define PART_BYTES 96 /* of a partition: counts, a run of rows, a block in the footer */

struct stage_sink {
    struct bp_ctx *ctx;
    char *dir;
    bool replace, needs_whole; /* needs_whole: no -T, so the shares must be all */
    struct bp_schema schema;   /* as written */
    struct bp_stage_foot foot;
    struct bp_route route;
    struct bp_pending *pending;
    int64_t limit_bytes, taken_bytes;
    struct bp_block *part_of; /* scratch, per row */
    struct bp_shareset shares;
    struct bp_outfile file;
    bool has_file;
    struct bp_ipc_writer *writer;
};

static void give_back(struct stage_sink *s)
{
    bp_budget_give(&s->ctx->budget, s->taken_bytes);
    s->taken_bytes = 0;
}

static void sink_free(void *self)
{
    struct stage_sink *s = self;

    give_back(s);
    bp_ipc_writer_free(s->writer);
    if (s->has_file)
        bp_outfile_abort(&s->file);
    bp_pending_free(s->pending);
    bp_stage_foot_release(&s->foot);
    bp_schema_release(&s->schema);
    bp_shareset_release(&s->shares);
    bp_block_unref(s->part_of);
    bp_route_release(&s->route);
    bp_mem_free(s->dir);
    bp_mem_free(s);
}

/* ---- opening ---- */

static int check_opts(const struct bp_stage_opts *o, struct bp_err *err)
{
    if (o->parts < 1 || o->parts > BP_PARTS_MAX)
        return bp_fail(err, BP_EUSAGE, "%u partitions: there may be 1 to %d", o->parts,
                       BP_PARTS_MAX);
    if (o->n_tasks < 0 || o->n_tasks > BP_TASKS_MAX)
        return bp_fail(err, BP_EUSAGE, "%d tasks: there may be 1 to %d", o->n_tasks, BP_TASKS_MAX);
    if (o->n_tasks && (o->task < 0 || o->task >= o->n_tasks))
        return bp_fail(err, BP_EUSAGE, "task %d/%d: the first number is from 0 to %d", o->task,
                       o->n_tasks, o->n_tasks - 1);
    return 0;
}

/* What the footer says of the way to the partitions. */
static int set_way(struct stage_sink *s, const struct bp_stage_opts *o, struct bp_err *err)
{
    struct bp_stage_foot *f = &s->foot;
    const struct bp_route *r = &s->route;

    f->keys = bp_mem_new((size_t)r->n_keys, sizeof *f->keys, err);
    f->classes = bp_mem_new((size_t)r->n_keys, sizeof *f->classes, err);
    if (err->code)
        return err->code;
    for (int i = 0; i < r->n_keys; i++) {
        const struct bp_field *key = &s->schema.fields[r->key_cols[i]];

        f->keys[i] = bp_mem_str(key->name, err);
        if (!f->keys[i])
            return err->code;
        f->n_keys = i + 1;
        BP_TRY(bp_key_allowed(key->type, key->name, err));
        f->classes[i] = bp_key_class(key->type);
    }
    f->even = o->even;
    f->split = o->split;
    f->copied = o->copied;
    if (o->split || o->copied)
        snprintf(f->hot, sizeof f->hot, "%016" PRIx64, o->hot_identity);
    f->parts = r->parts;
    if (!o->router)
        return 0;
    memcpy(f->borders, o->router->borders, sizeof f->borders);
    f->range = bp_mem_str(o->router->range, err);
    return f->range ? 0 : err->code;
}

/* The marks of the file. What was sorted or parted is not any more. */
static int set_schema(struct stage_sink *s, const struct bp_schema *in,
                      const struct bp_stage_opts *o, struct bp_err *err)
{
    struct bp_share task = {o->task, o->n_tasks};

    BP_TRY(bp_schema_copy(&s->schema, in, err));
    for (int i = 0; i < s->schema.n_fields; i++)
        s->schema.fields[i].dict = BP_DICT_NONE; /* a file cannot replace dictionaries */
    BP_TRY(bp_schema_set_meta(&s->schema, BP_MARK_SORTED, NULL, err));
    BP_TRY(bp_schema_set_meta(&s->schema, BP_MARK_PARTED, NULL, err));
    BP_TRY(bp_schema_set_meta(&s->schema, BP_MARK_LEDGER, NULL, err)); /* the footer has it */
    BP_TRY(bp_schema_set_meta(&s->schema, BP_MARK_VERSION, "1", err));
    BP_TRY(bp_schema_set_meta(&s->schema, BP_STAGE_MARK, BP_STAGE_MARK_VALUE, err));
    return bp_mark_set_task(&s->schema, task, err);
}

/* Ready for this task's file: no other run's and no other kind of file is there. */
static int check_dir(const struct stage_sink *s, struct bp_err *err)
{
    int n = 0;
    uint8_t *committed = NULL;
    bool is_stage = true;

    BP_TRY(bp_task_dir_check(s->dir, s->foot.n_tasks, s->replace, err));
    if (s->replace)
        return 0;
    BP_TRY(bp_task_dir_scan(s->dir, &n, &committed, err));
    bp_mem_free(committed);
    if (n)
        BP_TRY(bp_stage_look(s->dir, &is_stage, err));
    if (!is_stage)
        return bp_fail(err, BP_EDATA,
                       "'%s' holds output files that are no stage's: write to another directory, "
                       "or replace them with --replace",
                       s->dir);
    return 0;
}

static int open_file(struct stage_sink *s, struct bp_err *err)
{
    char name[64], *path;
    int rc;

    BP_TRY(bp_dir_make(s->dir, err));
    BP_TRY(check_dir(s, err));
    (void)bp_task_name(name, s->foot.task, s->foot.n_tasks, BP_STAGE_SUFFIX);
    path = bp_task_path(s->dir, name, err);
    if (!path)
        return err->code;
    rc = bp_outfile_open(&s->file, path, err);
    bp_mem_free(path);
    BP_TRY(rc);
    s->has_file = true;
    return bp_ipc_writer_open(&s->writer, &s->file, true, &s->schema, err);
}

static int64_t pending_limit(const struct bp_ctx *ctx)
{
    int64_t limit = PENDING_MAX_BYTES;

    if (ctx->budget.limit_bytes)
        limit = BP_MIN(limit, ctx->budget.limit_bytes / 2);
    return BP_MAX(limit, PENDING_MIN_BYTES);
}

static int sink_open(struct stage_sink *s, const struct bp_schema *schema,
                     const struct bp_stage_opts *o, struct bp_err *err)
{
    struct bp_share marked;
    uint32_t n_parts;

    BP_TRY(check_opts(o, err));
    BP_TRY(bp_mark_task(schema, &marked, err));
    BP_TRY(bp_stage_check_share(marked, o->task, o->n_tasks, err));
    BP_TRY(set_schema(s, schema, o, err));
    BP_TRY(bp_route_open(&s->route, &s->schema, o, err));
    BP_TRY(set_way(s, o, err));
    s->replace = o->replace;
    s->needs_whole = o->n_tasks == 0;
    s->foot.task = o->n_tasks ? o->task : 0;
    s->foot.n_tasks = o->n_tasks ? o->n_tasks : 1;
    s->limit_bytes = pending_limit(s->ctx);
    n_parts = s->foot.parts + (o->copied ? 1 : 0);
    bp_budget_least(&s->ctx->budget, PENDING_MIN_BYTES + n_parts * PART_BYTES);
    s->dir = bp_mem_str(o->dir, err);
    if (!s->dir)
        return err->code;
    BP_TRY(bp_lineage_identity(schema, s->foot.parts, s->foot.n_tasks, s->foot.identity, err));
    BP_TRY(bp_pending_open(&s->pending, &s->schema, n_parts, err));
    return open_file(s, err);
}

/* ---- rows ---- */

static int route(struct stage_sink *s, const struct bp_batch *in, uint32_t **part_of,
                 struct bp_err *err)
{
    BP_TRY(bp_block_grow(&s->part_of, 0, (size_t)in->n_rows * sizeof **part_of, err));
    *part_of = (uint32_t *)(void *)s->part_of->data;
    return bp_route_rows(&s->route, in, *part_of, err);
}

static int write_block(void *arg, uint32_t part, const struct bp_batch *b, struct bp_err *err)
{
    struct stage_sink *s = arg;
    struct bp_stage_foot *f = &s->foot;
    struct bp_ipc_place at;

    if ((f->n_blocks & (f->n_blocks - 1)) == 0) { /* full at powers of two */
        size_t cap = f->n_blocks ? (size_t)f->n_blocks * 2 : 1;
        struct bp_stage_block *grown = bp_mem_grow(f->blocks, cap, sizeof *grown, err);

        if (!grown)
            return err->code;
        f->blocks = grown;
    }
    if (f->n_blocks == INT32_MAX)
        return bp_fail(err, BP_EDATA, "more than %d blocks in one file: use more tasks", INT32_MAX);
    BP_TRY(bp_ipc_writer_put(s->writer, b, &at, err));
    f->blocks[f->n_blocks] = (struct bp_stage_block){.part = part,
                                                     .index = (int32_t)f->n_blocks,
                                                     .n_rows = b->n_rows,
                                                     .offset_bytes = at.offset_bytes,
                                                     .n_bytes = at.metadata_bytes + at.body_bytes,
                                                     .checksum = at.checksum};
    f->n_blocks++;
    return 0;
}

static int flush(struct stage_sink *s, struct bp_err *err)
{
    int rc = bp_pending_flush(s->pending, write_block, s, err);

    give_back(s);
    return rc;
}

/* Before rows come in: room for them under the limit and the budget. One batch
 * is taken whatever they say. */
static int make_room(struct stage_sink *s, int64_t bytes, struct bp_err *err)
{
    if (bp_pending_bytes(s->pending) + bytes > s->limit_bytes ||
        !bp_budget_take(&s->ctx->budget, bytes)) {
        BP_TRY(flush(s, err));
        if (!bp_budget_take(&s->ctx->budget, bytes))
            return 0;
    }
    s->taken_bytes += bytes;
    return 0;
}

static int put_rows(struct stage_sink *s, struct bp_batch *in, struct bp_err *err)
{
    uint32_t *part_of;

    BP_TRY(
        bp_stage_check_share(in->share, s->foot.task, s->needs_whole ? 0 : s->foot.n_tasks, err));
    if (s->needs_whole && (in->share.n || in->n_rows))
        BP_TRY(bp_shareset_add(&s->shares, in->share, err));
    if (!in->n_rows)
        return 0;
    BP_TRY(make_room(s, bp_batch_size_bytes(in), err));
    BP_TRY(route(s, in, &part_of, err));
    s->foot.n_rows += in->n_rows;
    return bp_pending_add(s->pending, in, part_of, err);
}

static int sink_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    int rc = put_rows(self, in, err);

    bp_batch_release(in);
    return rc;
}

/* ---- the end ---- */

static int check_whole(const struct stage_sink *s, struct bp_err *err)
{
    const struct bp_shareset *h = &s->shares;

    if (!s->needs_whole || bp_shareset_whole(h))
        return 0;
    if (h->n_seen == 1)
        return bp_fail(err, BP_EDATA,
                       "the input is only share %d/%d of its table: pass -T (or --task %d/%d), so "
                       "that it becomes that task's file",
                       h->last, h->n, h->last, h->n);
    return bp_fail(err, BP_EDATA, "the input is only %d of the %d shares of its table", h->n_seen,
                   h->n);
}

static int sink_commit(void *self, struct bp_err *err)
{
    struct stage_sink *s = self;

    BP_TRY(check_whole(s, err));
    BP_TRY(flush(s, err));
    BP_TRY(bp_stage_foot_write(&s->foot, &s->schema, s->ctx->ledger, s->writer, err));
    bp_ipc_writer_free(s->writer);
    s->writer = NULL;
    BP_TRY(check_dir(s, err)); /* another run may have come since */
    BP_TRY(bp_outfile_commit(&s->file, err));
    return s->replace ? bp_task_dir_retire(s->dir, s->foot.n_tasks, err) : 0;
}

static const struct bp_sink_ops sink_ops = {
    .put = sink_put, .commit = sink_commit, .free = sink_free};

int bp_stage_sink(struct bp_sink *out, const struct bp_schema *schema,
                  const struct bp_stage_opts *opts, struct bp_ctx *ctx, struct bp_err *err)
{
    struct stage_sink *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_sink){0};
    if (!s)
        return err->code;
    s->ctx = ctx;
    out->name = bp_mem_str(opts->dir, err);
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
