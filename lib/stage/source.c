/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a stage: its blocks in the order of partition, task, row. */
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "stage/names.h"
#include "stage/tasks.h"

struct stage_source {
    struct bp_stage_tasks tasks;
    struct bp_share share;
    int64_t slice_rows; /* of the batches that go out, at most */
    int n_cols;
    int *cols; /* which, of the file's; NULL: all */
    struct bp_type *types;
    int64_t *next_block; /* per task */
    int64_t part;        /* where we are */
    int task;
    struct bp_batch block; /* read and not yet given in full */
    int64_t block_from, n_rows;
    bool began;
};

static void source_free(void *self)
{
    struct stage_source *s = self;

    bp_batch_release(&s->block);
    bp_stage_tasks_release(&s->tasks);
    bp_mem_free(s->next_block);
    bp_mem_free(s->types);
    bp_mem_free(s->cols);
    bp_mem_free(s);
}

/* The partition to read, from `part` on: those of the range, and what every share gets. */
static int64_t next_part(const struct stage_source *s, int64_t part)
{
    const struct bp_stage_foot *f = &s->tasks.tasks[0].foot;

    return part > s->tasks.last && f->copied && part < f->parts ? f->parts : part;
}

static bool is_read(const struct stage_source *s, int64_t part)
{
    const struct bp_stage_foot *f = &s->tasks.tasks[0].foot;

    return part <= s->tasks.last || (f->copied && part == f->parts);
}

/* The next block in order, or NULL: there is none. */
static const struct bp_stage_block *find_block(struct stage_source *s)
{
    for (s->part = next_part(s, s->part); is_read(s, s->part);
         s->part = next_part(s, s->part + 1), s->task = 0)
        for (; s->task < s->tasks.n; s->task++) {
            const struct bp_stage_foot *f = &s->tasks.tasks[s->task].foot;
            int64_t at = s->next_block[s->task];

            if (at < f->n_blocks && f->blocks[at].part == s->part) {
                s->next_block[s->task]++;
                return &f->blocks[at];
            }
        }
    return NULL;
}

static int read_block(struct stage_source *s, const struct bp_stage_block *b, struct bp_err *err)
{
    struct bp_ipc_file *file;
    char name[64];

    BP_TRY(bp_stage_tasks_file(&s->tasks, s->task, &file, err));
    (void)bp_task_name(name, s->task, s->tasks.n, BP_STAGE_SUFFIX);
    if (b->index >= bp_ipc_file_n_batches(file)) /* opened again, and another one */
        return bp_fail(err, BP_EDATA, "%s/%s was replaced while it was read", s->tasks.dir, name);
    s->block_from = 0;
    BP_TRY(
        bp_ipc_file_read_columns(file, b->index, &b->checksum, s->cols, s->n_cols, &s->block, err));
    if (s->block.n_rows == b->n_rows)
        return 0;
    bp_fail(err, BP_EDATA, "%s/%s: batch %d has %lld rows and should have %lld", s->tasks.dir, name,
            b->index, (long long)s->block.n_rows, (long long)b->n_rows);
    bp_batch_release(&s->block);
    return err->code;
}

/* A share without rows still says that it is one. */
static int give_empty(struct stage_source *s, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, s->n_cols, err));
    for (int c = 0; c < s->n_cols; c++)
        if (bp_column_nulls(&out->cols[c], s->types[c], 0, err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    out->share = s->share;
    return 0;
}

static int source_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct stage_source *s = self;
    const struct bp_stage_block *b;
    int64_t n;

    while (s->block_from == s->block.n_rows) {
        bp_batch_release(&s->block);
        s->block_from = 0;
        b = find_block(s);
        if (!b) {
            if (s->began || !s->share.n)
                return BP_DONE;
            s->began = true;
            return give_empty(s, out, err);
        }
        BP_TRY(read_block(s, b, err));
    }
    n = BP_MIN(s->block.n_rows - s->block_from, s->slice_rows);
    BP_TRY(bp_batch_slice(out, &s->block, s->block_from, n, err));
    out->first_row = s->n_rows;
    out->share = s->share;
    out->origin = s->part < s->tasks.tasks[0].foot.parts ? s->part : -1; /* of what all get */
    s->block_from += n;
    s->n_rows += n;
    s->began = true;
    return 0;
}

static int source_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct stage_source *s = self;
    struct bp_type *types = bp_mem_new((size_t)n, sizeof *types, err);
    int *mine = bp_mem_new((size_t)n, sizeof *mine, err);

    if (!types || !mine) {
        bp_mem_free(types);
        bp_mem_free(mine);
        return err->code;
    }
    for (int i = 0; i < n; i++) {
        mine[i] = s->cols ? s->cols[cols[i]] : cols[i];
        types[i] = s->types[cols[i]];
    }
    bp_mem_free(s->types);
    bp_mem_free(s->cols);
    s->types = types;
    s->cols = mine;
    s->n_cols = n;
    return 0;
}

static const struct bp_source_ops source_ops = {
    .next = source_next, .free = source_free, .project = source_project};

/* The marks of what is read: a share if asked for one, parted by the keys. */
static int set_schema(struct stage_source *s, struct bp_schema *out, struct bp_err *err)
{
    const struct bp_stage_foot *f = &s->tasks.tasks[0].foot;
    struct bp_ipc_file *file;
    struct bp_parted p = {.keys = f->keys,
                          .classes = f->classes,
                          .n_keys = f->n_keys,
                          .parts = f->parts,
                          .first = (uint32_t)s->tasks.first,
                          .last = (uint32_t)s->tasks.last};

    memcpy(p.borders, f->borders, sizeof p.borders);
    memcpy(p.hot, f->hot, sizeof p.hot);
    p.copied = f->copied;
    BP_TRY(bp_stage_tasks_file(&s->tasks, 0, &file, err));
    BP_TRY(bp_schema_copy(out, bp_ipc_file_schema(file), err));
    s->n_cols = out->n_fields;
    s->types = bp_mem_new((size_t)s->n_cols, sizeof *s->types, err);
    if (!s->types)
        return err->code;
    for (int c = 0; c < s->n_cols; c++)
        s->types[c] = out->fields[c].type;
    BP_TRY(bp_schema_set_meta(out, BP_STAGE_MARK, NULL, err));
    BP_TRY(bp_schema_set_meta(out, BP_MARK_SORTED, NULL, err));
    BP_TRY(bp_schema_set_meta(out, BP_MARK_PARTED, NULL, err));
    BP_TRY(bp_mark_set_task(out, s->share, err));
    /* of the whole there are no other shares, and PARTS shall not be in a result's bytes */
    return s->share.n && f->n_keys && !f->even ? bp_mark_set_parted(out, &p, err) : 0;
}

/* The share of the range that was asked for. */
static int note_read(const struct stage_source *s, struct bp_stage_range range,
                     struct bp_ledger *ledger, struct bp_err *err)
{
    int64_t parts = s->tasks.tasks[0].foot.parts;
    struct bp_ledger_entry e = {.input = s->tasks.dir,
                                .unit = BP_LEDGER_PARTITIONS,
                                .size_bytes = -1,
                                .mtime_ns = -1,
                                .first = range.first < 0 ? 0 : range.first,
                                .end = range.first < 0 ? parts : range.last + 1,
                                .from = s->tasks.first,
                                .to = s->tasks.last + 1,
                                .share = s->share};

    memcpy(e.version, s->tasks.version, sizeof e.version);
    return bp_ledger_add(ledger, &e, err);
}

static int check_share(struct bp_share share, struct bp_err *err)
{
    if (share.n < 0 || share.n > BP_TASKS_MAX || (share.n && (share.i < 0 || share.i >= share.n)))
        return bp_fail(err, BP_EUSAGE, "task %d/%d is none: I/N, I from 0 to N-1", share.i,
                       share.n);
    return 0;
}

/* Some partitions without a share's mark: nobody could tell the copies. */
static int check_copied(const struct stage_source *s, struct bp_stage_range range,
                        struct bp_err *err)
{
    const struct bp_stage_foot *f = &s->tasks.tasks[0].foot;

    if (!f->copied || s->share.n || range.first < 0 || range.last - range.first + 1 == f->parts)
        return 0;
    return bp_fail(
        err, BP_EUSAGE,
        "%s has rows that every partition shares (bp-shuffle --copy-hot): read it whole, "
        "or in bp-join with --task",
        s->tasks.dir);
}

static int source_open(struct stage_source *s, struct bp_source *out, const char *dir,
                       struct bp_stage_range range, struct bp_ctx *ctx, struct bp_err *err)
{
    BP_TRY(check_share(s->share, err));
    BP_TRY(bp_stage_tasks_open(&s->tasks, dir, range, s->share, err));
    s->part = s->tasks.first;
    BP_TRY(check_copied(s, range, err));
    s->next_block = bp_mem_new((size_t)s->tasks.n, sizeof *s->next_block, err);
    out->name = bp_mem_str(dir, err);
    if (err->code)
        return err->code;
    BP_TRY(note_read(s, range, ctx->ledger, err));
    return set_schema(s, &out->schema, err);
}

int bp_stage_source(struct bp_source *out, const char *dir, struct bp_stage_range range, int task,
                    int n_tasks, struct bp_ctx *ctx, struct bp_err *err)
{
    struct stage_source *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_source){0};
    if (!s)
        return err->code;
    out->ops = &source_ops;
    out->self = s;
    s->share = (struct bp_share){task, n_tasks};
    s->slice_rows = ctx->batch_rows > 0 ? ctx->batch_rows : 8192;
    if (source_open(s, out, dir, range, ctx, err) < 0) {
        bp_source_free(out);
        return err->code;
    }
    return 0;
}
