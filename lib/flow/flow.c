/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"

#include <string.h>

#include "flow/marks.h"

int bp_source_next(struct bp_source *s, struct bp_batch *out, struct bp_err *err)
{
    memset(out, 0, sizeof *out);
    return s->ops->next(s->self, out, err);
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
    /* order and division may rest on columns that are no more: both only permit */
    if (bp_schema_copy_meta(&kept, &s->schema, err) < 0 ||
        bp_schema_set_meta(&kept, BP_MARK_SORTED, NULL, err) < 0 ||
        bp_schema_set_meta(&kept, BP_MARK_PARTED, NULL, err) < 0 ||
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
