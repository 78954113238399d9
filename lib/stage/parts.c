/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batches are cut by the rule of the data first, so that the places at which files
 * end do not depend on how the rows came. Files of a size end at the row that fills
 * them, by the mean row of its batch. For N even ones the number of rows is wanted
 * before the first is written: the rows wait, in memory as far as the budget goes, then in
 * a temporary file.
 */
#include "stage/parts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "flow/recut.h"
#include "stage/publish.h"
#include "stage/spill.h"

struct parts_sink {
    struct bp_ctx *ctx;
    struct bp_publish to;
    char *suffix;
    int64_t n_parts, part_bytes;
    bp_open_file open;
    void *arg;
    struct bp_schema schema;
    struct bp_recut recut;
    /* the file being written */
    struct bp_sink file;
    char name[256];
    int64_t n_files, file_rows, file_bytes;
    /* rows that wait */
    struct bp_batch *held;
    int64_t n_held, cap_held, taken_bytes, n_rows;
    int64_t kept_bytes;     /* of the budget, for the file that comes then */
    struct bp_spill *spill; /* what came behind those held */
};

/* ---- files ---- */

static int open_file(struct parts_sink *s, struct bp_err *err)
{
    struct bp_outfile out;

    if (s->n_files > BP_PARTS_FILES_MAX)
        return bp_fail(err, BP_EDATA, "more than %d files: a larger --target-size",
                       BP_PARTS_FILES_MAX);
    bp_publish_name(&s->to, s->n_files, s->suffix, s->name, sizeof s->name);
    BP_TRY(bp_publish_create(&s->to, s->name, &out, err));
    s->n_files++;
    s->file_rows = s->file_bytes = 0;
    return s->open(s->arg, &out, &s->schema, &s->file, err);
}

static int end_file(struct parts_sink *s, struct bp_err *err)
{
    if (!s->file.ops)
        return 0;
    BP_TRY(s->file.ops->commit(s->file.self, err));
    bp_sink_free(&s->file);
    return bp_publish_add(&s->to, s->name, s->file_rows, err);
}

/* Rows [from, from + n) of b to the file at hand. */
static int write_rows(struct parts_sink *s, const struct bp_batch *b, int64_t from, int64_t n,
                      struct bp_err *err)
{
    struct bp_batch part;

    if (!s->file.ops)
        BP_TRY(open_file(s, err));
    BP_TRY(bp_batch_slice(&part, b, from, n, err));
    s->file_rows += n;
    return bp_sink_put(&s->file, &part, err);
}

/* ---- by size ---- */

static int fill_files(struct parts_sink *s, const struct bp_batch *b, struct bp_err *err)
{
    int64_t row_bytes = BP_MAX(bp_batch_size_bytes(b) / BP_MAX(b->n_rows, 1), 1);

    for (int64_t from = 0; from < b->n_rows;) {
        int64_t n = (s->part_bytes - s->file_bytes + row_bytes - 1) / row_bytes;

        n = BP_MAX(BP_MIN(n, b->n_rows - from), 1);
        BP_TRY(write_rows(s, b, from, n, err));
        s->file_bytes += n * row_bytes;
        from += n;
        if (s->file_bytes >= s->part_bytes) {
            s->file_bytes = 0;
            BP_TRY(end_file(s, err));
        }
    }
    return 0;
}

/* ---- evenly ---- */

static int hold(struct parts_sink *s, const struct bp_batch *b, struct bp_err *err)
{
    int64_t bytes = bp_batch_size_bytes(b) + (int64_t)sizeof *b;

    s->n_rows += b->n_rows;
    if (s->spill || !bp_budget_take(&s->ctx->budget, bytes)) {
        if (!s->spill)
            BP_TRY(bp_spill_open(&s->spill, &s->schema, s->ctx, err));
        return bp_spill_put(s->spill, b, err);
    }
    s->taken_bytes += bytes;
    if (s->n_held == s->cap_held) {
        int64_t cap = s->cap_held ? s->cap_held * 2 : 64;
        struct bp_batch *grown = bp_mem_grow(s->held, (size_t)cap, sizeof *grown, err);

        if (!grown)
            return err->code;
        s->held = grown;
        s->cap_held = cap;
    }
    BP_TRY(bp_batch_ref(&s->held[s->n_held], b, err));
    s->n_held++;
    return 0;
}

/* Where file i begins. */
static int64_t border(const struct parts_sink *s, int64_t i)
{
    return s->n_rows / s->n_parts * i + s->n_rows % s->n_parts * i / s->n_parts;
}

/* Rows [*at, *at + b's) of the table. */
static int deal(struct parts_sink *s, const struct bp_batch *b, int64_t *at, struct bp_err *err)
{
    for (int64_t from = 0; from < b->n_rows;) {
        int64_t n;

        while (s->n_files == 0 || border(s, s->n_files) <= *at) { /* an empty one, too */
            BP_TRY(end_file(s, err));
            BP_TRY(open_file(s, err));
        }
        n = BP_MIN(border(s, s->n_files) - *at, b->n_rows - from);
        BP_TRY(write_rows(s, b, from, n, err));
        from += n;
        *at += n;
    }
    return 0;
}

static int deal_spilled(struct parts_sink *s, int64_t *at, struct bp_err *err)
{
    struct bp_spill_run run;
    struct bp_source src;
    struct bp_batch b;
    int rc;

    BP_TRY(bp_spill_end(s->spill, &run, err));
    BP_TRY(bp_spill_source(&src, s->spill, &run, err));
    while ((rc = bp_source_next(&src, &b, err)) == 0) {
        rc = deal(s, &b, at, err);
        bp_batch_release(&b);
        if (rc < 0)
            break;
    }
    bp_source_free(&src);
    return rc == BP_DONE ? 0 : rc;
}

static int deal_all(struct parts_sink *s, struct bp_err *err)
{
    int64_t at = 0;

    for (int64_t i = 0; i < s->n_held; i++) {
        int64_t bytes = bp_batch_size_bytes(&s->held[i]) + (int64_t)sizeof *s->held;

        BP_TRY(deal(s, &s->held[i], &at, err));
        bp_batch_release(&s->held[i]);
        bp_budget_give(&s->ctx->budget, bytes);
        s->taken_bytes -= bytes;
    }
    if (s->spill)
        BP_TRY(deal_spilled(s, &at, err));
    while (s->n_files < s->n_parts) {
        BP_TRY(end_file(s, err));
        BP_TRY(open_file(s, err));
    }
    return end_file(s, err);
}

/* ---- the sink ---- */

static int take_batch(struct parts_sink *s, const struct bp_batch *b, struct bp_err *err)
{
    return s->n_parts > 1 ? hold(s, b, err)
           : s->n_parts   ? write_rows(s, b, 0, b->n_rows, err)
                          : fill_files(s, b, err);
}

static int parts_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    struct parts_sink *s = self;
    struct bp_batch b;
    int rc;

    if (!in->n_rows) {
        bp_batch_release(in);
        return 0;
    }
    BP_TRY(bp_recut_put(&s->recut, in, err));
    while ((rc = bp_recut_take(&s->recut, &b, err)) == 0) {
        rc = take_batch(s, &b, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    return rc == BP_DONE ? 0 : rc;
}

/* The memory of the file that is written while rows wait is not theirs. */
static void give_back(struct parts_sink *s)
{
    bp_budget_give(&s->ctx->budget, s->kept_bytes);
    s->kept_bytes = 0;
}

static void keep_room(struct parts_sink *s, int64_t file_bytes)
{
    int64_t limit = s->ctx->budget.limit_bytes;

    s->kept_bytes = limit ? BP_MIN(file_bytes, limit / 2) : 0;
    if (s->kept_bytes && !bp_budget_take(&s->ctx->budget, s->kept_bytes))
        s->kept_bytes = 0;
}

static int parts_commit(void *self, struct bp_err *err)
{
    struct parts_sink *s = self;
    struct bp_batch b;
    int rc;

    BP_TRY(bp_recut_flush(&s->recut, &b, err));
    rc = b.n_rows ? take_batch(s, &b, err) : 0;
    bp_batch_release(&b);
    BP_TRY(rc);
    give_back(s);
    if (s->n_parts > 1) {
        BP_TRY(deal_all(s, err));
    } else {
        if (!s->n_files) /* no rows: the columns all the same */
            BP_TRY(open_file(s, err));
        BP_TRY(end_file(s, err));
    }
    return bp_publish_commit(&s->to, err);
}

static void parts_free(void *self)
{
    struct parts_sink *s = self;

    bp_sink_free(&s->file);
    for (int64_t i = 0; i < s->n_held; i++)
        bp_batch_release(&s->held[i]);
    bp_mem_free(s->held);
    bp_budget_give(&s->ctx->budget, s->taken_bytes);
    give_back(s);
    bp_spill_free(s->spill);
    bp_recut_release(&s->recut);
    bp_schema_release(&s->schema);
    bp_publish_release(&s->to);
    bp_mem_free(s->suffix);
    bp_mem_free(s);
}

static const struct bp_sink_ops parts_ops = {
    .put = parts_put, .commit = parts_commit, .free = parts_free};

static int parts_open(struct parts_sink *s, const struct bp_schema *schema,
                      const struct bp_parts_opts *o, struct bp_err *err)
{
    struct bp_manifest *list = &s->to.list;

    if (o->n_parts > BP_PARTS_FILES_MAX)
        return bp_fail(err, BP_EUSAGE, "--parts %lld: there may be 1 to %d", (long long)o->n_parts,
                       BP_PARTS_FILES_MAX);
    s->suffix = bp_mem_str(o->suffix, err);
    if (!s->suffix)
        return err->code;
    BP_TRY(bp_schema_copy(&s->schema, schema, err));
    BP_TRY(bp_schema_set_meta(&s->schema, BP_MARK_PARTED, NULL, err));
    BP_TRY(bp_recut_init(&s->recut, &s->schema, err));
    BP_TRY(bp_publish_open(&s->to, &o->to, err));
    if (s->n_parts > 1)
        keep_room(s, o->file_bytes);
    for (int i = 0; i < schema->n_fields; i++)
        BP_TRY(bp_schema_add(&list->columns, schema->fields[i].name, schema->fields[i].type, err));
    return 0;
}

int bp_parts_sink(struct bp_sink *out, const struct bp_schema *schema,
                  const struct bp_parts_opts *o, struct bp_ctx *ctx, struct bp_err *err)
{
    struct parts_sink *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_sink){0};
    if (!s)
        return err->code;
    s->ctx = ctx;
    s->to.tree.fd = s->to.locked = -1;
    s->n_parts = o->n_parts;
    s->part_bytes = o->part_bytes;
    s->open = o->open;
    s->arg = o->arg;
    out->name = bp_mem_str(o->to.dir, err);
    if (!out->name || parts_open(s, schema, o, err) < 0) {
        parts_free(s);
        bp_mem_free(out->name);
        out->name = NULL;
        return err->code;
    }
    out->ops = &parts_ops;
    out->self = s;
    return 0;
}
