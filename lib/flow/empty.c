/* SPDX-License-Identifier: Apache-2.0 */
/* A table without rows. */
#include "base/mem.h"
#include "flow/flow.h"
#include "flow/marks.h"

struct empty {
    struct bp_schema schema;
    struct bp_share share;
    bool said;
};

static int empty_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct empty *e = self;

    if (!e->share.n || e->said)
        return BP_DONE;
    e->said = true;
    BP_TRY(bp_batch_init(out, e->schema.n_fields, err));
    for (int c = 0; c < e->schema.n_fields; c++)
        if (bp_column_nulls(&out->cols[c], e->schema.fields[c].type, 0, err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    out->share = e->share;
    return 0;
}

static void empty_free(void *self)
{
    struct empty *e = self;

    bp_schema_release(&e->schema);
    bp_mem_free(e);
}

static const struct bp_source_ops empty_ops = {.next = empty_next, .free = empty_free};

int bp_empty_source(struct bp_source *out, const struct bp_schema *schema, struct bp_share share,
                    struct bp_err *err)
{
    struct empty *e = bp_mem_new(1, sizeof *e, err);

    *out = (struct bp_source){0};
    if (!e)
        return err->code;
    e->share = share;
    out->ops = &empty_ops;
    out->self = e;
    if (bp_schema_copy(&e->schema, schema, err) < 0 ||
        bp_schema_copy(&out->schema, schema, err) < 0 ||
        (share.n && bp_mark_set_task(&out->schema, share, err) < 0))
        bp_source_free(out);
    return err->code;
}
