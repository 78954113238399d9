/* SPDX-License-Identifier: Apache-2.0 */
/* What the footers of a stage say, whether all of its tasks are there or not. */
#include <string.h>

#include "base/mem.h"
#include "stage/tasks.h"

void bp_stage_report_release(struct bp_stage_report *r)
{
    for (int i = 0; r->keys && i < r->n_keys; i++)
        bp_mem_free(r->keys[i]);
    bp_mem_free(r->keys);
    bp_mem_free(r->range);
    for (int i = 0; r->ledgers && i < r->n_tasks; i++)
        bp_ledger_release(&r->ledgers[i]);
    bp_mem_free(r->ledgers);
    bp_mem_free(r->committed);
    bp_mem_free(r->rows);
    bp_mem_free(r->bytes);
    *r = (struct bp_stage_report){0};
}

/* Everything that a checksum of the file covers, read once. */
static int verify_blocks(struct bp_ipc_file *file, const struct bp_stage_foot *f,
                         struct bp_err *err)
{
    for (int64_t i = 0; i < f->n_blocks; i++) {
        const struct bp_stage_block *b = &f->blocks[i];
        struct bp_batch batch = {0};
        int64_t n_rows;

        if (bp_ipc_file_read(file, b->index, &b->checksum, &batch, err) < 0)
            return bp_err_prefix(err, "block %d of partition %u", b->index, b->part);
        n_rows = batch.n_rows;
        bp_batch_release(&batch);
        if (n_rows != b->n_rows)
            return bp_fail(err, BP_EDATA,
                           "block %d of partition %u has %lld rows, and its footer says %lld",
                           b->index, b->part, (long long)n_rows, (long long)b->n_rows);
    }
    return 0;
}

/* The first task that is read says how the stage is partitioned. */
static int begin(struct bp_stage_report *r, struct bp_stage_foot *f, struct bp_err *err)
{
    r->parts = f->parts;
    r->even = f->even;
    r->rows = bp_mem_new(f->parts + 1, sizeof *r->rows, err);
    r->bytes = r->rows ? bp_mem_new(f->parts + 1, sizeof *r->bytes, err) : NULL;
    if (!r->bytes)
        return err->code;
    r->keys = f->keys;
    r->n_keys = f->n_keys;
    r->split = f->split;
    r->copied = f->copied;
    r->range = f->range;
    memcpy(r->borders, f->borders, sizeof r->borders);
    f->keys = NULL;
    f->range = NULL;
    memcpy(r->identity, f->identity, sizeof r->identity);
    return 0;
}

static bool same_parts(const struct bp_stage_report *r, const struct bp_stage_foot *f)
{
    bool same = f->parts == r->parts && f->even == r->even && f->n_keys == r->n_keys &&
                f->split == r->split && f->copied == r->copied && !f->range == !r->range;

    if (same && f->range)
        same = strcmp(f->range, r->range) == 0 && strcmp(f->borders, r->borders) == 0;

    for (int i = 0; same && i < r->n_keys; i++)
        same = strcmp(f->keys[i], r->keys[i]) == 0;
    return same;
}

static int count_blocks(struct bp_stage_report *r, const struct bp_stage_foot *f,
                        struct bp_err *err)
{
    bool over = false;

    for (int64_t i = 0; i < f->n_blocks; i++) {
        const struct bp_stage_block *b = &f->blocks[i];

        over |= __builtin_add_overflow(r->n_rows, b->n_rows, &r->n_rows);
        over |= __builtin_add_overflow(r->n_bytes, b->n_bytes, &r->n_bytes);
        r->rows[b->part] += over ? 0 : b->n_rows;
        r->bytes[b->part] += over ? 0 : b->n_bytes;
    }
    r->n_blocks += f->n_blocks;
    return over ? bp_fail(err, BP_EDATA, "rows or bytes do not add up") : 0;
}

static int report_task(struct bp_stage_report *r, const char *dir, int task, bool verify,
                       struct bp_err *err)
{
    struct bp_stage_foot f = {0};
    struct bp_ipc_file *file;
    int rc;

    BP_TRY(bp_stage_task_open(dir, task, r->n_tasks, &file, err));
    BP_GO(bp_stage_foot_read(file, -1, -1, &f, err));
    if (f.task != task || f.n_tasks != r->n_tasks)
        BP_GO(bp_fail(err, BP_EDATA, "this is task %d of %d under a wrong name: rename it back",
                      f.task, f.n_tasks));
    if (!r->rows)
        BP_GO(begin(r, &f, err));
    else if (!same_parts(r, &f))
        BP_GO(bp_fail(err, BP_EDATA,
                      "it is partitioned otherwise than the tasks before it: run all again"));
    else if (strcmp(r->identity, f.identity) != 0)
        r->other_run = r->other_run < 0 ? task : r->other_run;
    BP_GO(count_blocks(r, &f, err));
    r->ledgers[task] = f.ledger;
    f.ledger = (struct bp_ledger){0};
    if (verify)
        rc = verify_blocks(file, &f, err);
out:
    bp_ipc_file_free(file);
    bp_stage_foot_release(&f);
    return rc;
}

int bp_stage_report_read(struct bp_stage_report *out, const char *dir, bool verify,
                         struct bp_err *err)
{
    char name[64];
    int rc;

    *out = (struct bp_stage_report){.other_run = -1};
    BP_TRY(bp_task_dir_scan(dir, &out->n_tasks, &out->committed, err));
    if (!out->n_tasks)
        return bp_fail(err, BP_EDATA, "%s: no task of this stage is committed yet", dir);
    out->ledgers = bp_mem_new((size_t)out->n_tasks, sizeof *out->ledgers, err);
    if (!out->ledgers) {
        bp_stage_report_release(out);
        return err->code;
    }
    for (int i = 0; i < out->n_tasks; i++) {
        if (!out->committed[i])
            continue;
        rc = report_task(out, dir, i, verify, err);
        if (rc < 0) {
            (void)bp_task_name(name, i, out->n_tasks, ".arrow");
            bp_stage_report_release(out);
            return strstr(err->msg, name) ? rc : bp_err_prefix(err, "%s/%s", dir, name);
        }
        out->n_committed++;
    }
    return 0;
}
