/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"

#include <string.h>

#include "base/num.h"
#include "flow/marks.h"

int bp_source_next(struct bp_source *s, struct bp_batch *out, struct bp_err *err)
{
    memset(out, 0, sizeof *out);
    return s->ops->next(s->self, out, err);
}

/* The division into shares rests on its keys: it goes with one of them. */
static int keep_parted(struct bp_schema *s, struct bp_err *err)
{
    struct bp_parted p = {0};
    bool present, whole;
    int rc;

    BP_TRY(bp_mark_parted(s, &present, &p, err));
    whole = present;
    for (int i = 0; i < p.n_keys; i++)
        whole &= bp_schema_find(s, p.keys[i]) >= 0;
    rc = whole ? 0 : bp_schema_set_meta(s, BP_MARK_PARTED, NULL, err);
    bp_parted_release(&p);
    return rc;
}

int bp_source_prune(struct bp_source *s, const struct bp_condition *c, struct bp_err *err)
{
    return s->ops->prune ? s->ops->prune(s->self, c, err) : 0;
}

int bp_source_project(struct bp_source *s, const int *cols, int n, struct bp_err *err)
{
    struct bp_schema kept = {0};

    if (!s->ops->project)
        return BP_DONE;
    for (int i = 0; i < n; i++) {
        const struct bp_field *f = &s->schema.fields[cols[i]];

        if (bp_schema_add(&kept, f->name, f->type, err) < 0)
            goto fail;
        kept.fields[i].nullable = f->nullable;
        kept.fields[i].dict = f->dict;
    }
    /* the order may rest on columns that are no more: it only permits */
    if (bp_schema_copy_meta(&kept, &s->schema, err) < 0 ||
        bp_schema_set_meta(&kept, BP_MARK_SORTED, NULL, err) < 0 || keep_parted(&kept, err) < 0 ||
        s->ops->project(s->self, cols, n, err) < 0)
        goto fail;
    bp_schema_release(&s->schema);
    s->schema = kept;
    return 0;
fail:
    bp_schema_release(&kept);
    return err->code;
}

void bp_source_free(struct bp_source *s)
{
    if (s->ops)
        s->ops->free(s->self);
    bp_schema_release(&s->schema);
    bp_mem_free(s->name);
    memset(s, 0, sizeof *s);
}

void bp_source_move(struct bp_source *dst, struct bp_source *src)
{
    *dst = *src;
    memset(src, 0, sizeof *src);
}

int bp_sink_put(struct bp_sink *s, struct bp_batch *in, struct bp_err *err)
{
    return s->ops->put(s->self, in, err);
}

void bp_sink_free(struct bp_sink *s)
{
    if (s->ops)
        s->ops->free(s->self);
    bp_mem_free(s->name);
    memset(s, 0, sizeof *s);
}

int bp_flow_run(struct bp_source *src, struct bp_sink *sink, struct bp_err *err)
{
    struct bp_batch b;
    int rc;

    for (;;) {
        rc = bp_source_next(src, &b, err);
        if (rc != 0)
            break;
        rc = bp_sink_put(sink, &b, err);
        if (rc < 0)
            break;
    }
    if (rc == BP_DONE)
        rc = sink->ops->commit(sink->self, err);
    if (rc < 0 && rc != BP_ECLOSED && sink->ops->abort)
        sink->ops->abort(sink->self, err->msg);
    return rc;
}

bool bp_budget_take(struct bp_budget *b, int64_t bytes)
{
    long long used, peak;

    if (!b)
        return true;
    used = atomic_fetch_add(&b->used_bytes, bytes) + bytes;
    if (b->limit_bytes && used > b->limit_bytes) {
        atomic_fetch_sub(&b->used_bytes, bytes);
        return false;
    }
    peak = atomic_load(&b->peak_bytes);
    while (used > peak && !atomic_compare_exchange_weak(&b->peak_bytes, &peak, used))
        ;
    return true;
}

void bp_budget_give(struct bp_budget *b, int64_t bytes)
{
    if (b)
        atomic_fetch_sub(&b->used_bytes, bytes);
}

void bp_budget_least(struct bp_budget *b, int64_t bytes)
{
    if (b)
        b->least_bytes += bytes;
}

int bp_budget_check(const struct bp_budget *b, int64_t kept_share, struct bp_err *err)
{
    int64_t used = (int64_t)atomic_load(&b->used_bytes), need;

    if (!b->limit_bytes || used + b->least_bytes <= b->limit_bytes)
        return 0;
    /* what is used but for the limit's share, and the least, have to fit into the rest */
    need = used - b->limit_bytes / kept_share + b->least_bytes;
    need += need / (kept_share - 1);
    return bp_fail(err, BP_EUSAGE,
                   "%lld MiB of memory (--mem) are too few: this needs %lldM at least",
                   (long long)(b->limit_bytes >> 20), (long long)((need >> 20) + 1));
}

#define COLUMN_BYTES 512     /* blocks' heads and ends */
#define TEXT_BYTES 16        /* of a text: a guess */
#define NESTED_BYTES 64      /* of a list or struct: the same */
#define BATCH_SHARE 32       /* of the memory limit, for the values of a batch */
#define BATCH_LEAST_ROWS 256 /* but not fewer rows */

static int64_t row_bytes(const struct bp_schema *s)
{
    int64_t bytes = 0;

    for (int i = 0; i < s->n_fields; i++) {
        struct bp_type t = s->fields[i].type;

        bytes += bp_type_is_nested(t)  ? NESTED_BYTES
                 : bp_type_is_bytes(t) ? 4 + TEXT_BYTES
                                       : BP_MAX((int64_t)bp_type_width_bytes(t), 1);
    }
    return bytes;
}

int64_t bp_ctx_batch_rows(const struct bp_ctx *ctx, const struct bp_schema *s)
{
    int64_t rows = BP_MAX(ctx->batch_rows, 1), limit = ctx->budget.limit_bytes, wide;

    if (!limit)
        return rows;
    wide = limit / BATCH_SHARE / BP_MAX(row_bytes(s), 1);
    return BP_MIN(rows, BP_MAX(wide, BATCH_LEAST_ROWS));
}

int64_t bp_least_batch_bytes(const struct bp_schema *s)
{
    return BATCH_LEAST_ROWS * row_bytes(s) + s->n_fields * COLUMN_BYTES;
}
