/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/groups.h"

#include "base/mem.h"
#include "ipc/ipc.h"
#include "stage/spill.h"

#define PENDING_MAX_BYTES (INT64_C(256) << 20)
#define PENDING_MIN_BYTES (INT64_C(1) << 20)
#define NO_BLOCK (-1)

struct chain { /* the blocks of a group */
    int32_t first, last;
};

struct bp_by_groups {
    struct bp_ctx *ctx;
    struct bp_schema schema; /* names and types */
    struct bp_pending *pending;
    uint32_t n_groups, cap_groups;
    int64_t limit_bytes, taken_bytes;
    /* what was written */
    struct bp_tempfile file;
    struct bp_outfile out; /* the same descriptor */
    struct bp_ipc_writer *w;
    struct chain *chains; /* cap_groups */
    int32_t *next;        /* per block: the next of its group */
    int64_t n_blocks, cap_blocks;
};

static int bare_schema(struct bp_schema *out, const struct bp_schema *from, struct bp_err *err)
{
    for (int i = 0; i < from->n_fields; i++)
        BP_TRY(bp_schema_add(out, from->fields[i].name, from->fields[i].type, err));
    return 0;
}

int bp_by_groups_open(struct bp_by_groups **out, const struct bp_schema *schema, struct bp_ctx *ctx,
                      struct bp_err *err)
{
    struct bp_by_groups *g = bp_mem_new(1, sizeof *g, err);
    int rc;

    if (!g)
        return err->code;
    g->ctx = ctx;
    g->file.fd = g->out.fd = g->out.guard = -1;
    g->limit_bytes = PENDING_MAX_BYTES;
    if (ctx->budget.limit_bytes)
        g->limit_bytes = BP_MIN(g->limit_bytes, ctx->budget.limit_bytes / 2);
    g->limit_bytes = BP_MAX(g->limit_bytes, PENDING_MIN_BYTES);
    bp_budget_least(&ctx->budget, PENDING_MIN_BYTES);
    BP_GO(bare_schema(&g->schema, schema, err));
    BP_GO(bp_pending_open(&g->pending, &g->schema, 1, err));
    *out = g;
    return 0;
out:
    bp_by_groups_free(g);
    return rc;
}

static void give_back(struct bp_by_groups *g)
{
    bp_budget_give(&g->ctx->budget, g->taken_bytes);
    g->taken_bytes = 0;
}

void bp_by_groups_free(struct bp_by_groups *g)
{
    if (!g)
        return;
    give_back(g);
    bp_ipc_writer_free(g->w);
    bp_pending_free(g->pending);
    bp_outfile_abort(&g->out); /* borrowed: the descriptor stays */
    bp_tempfile_close(&g->file);
    bp_schema_release(&g->schema);
    bp_mem_free(g->chains);
    bp_mem_free(g->next);
    bp_mem_free(g);
}

/* ---- to the file ---- */

static int open_file(struct bp_by_groups *g, struct bp_err *err)
{
    if (g->w)
        return 0;
    BP_TRY(bp_tempfile_open(&g->file, err));
    BP_TRY(bp_outfile_borrow(&g->out, g->file.fd, g->file.dir, err));
    return bp_ipc_writer_open(&g->w, &g->out, true, &g->schema, err);
}

static int link_block(struct bp_by_groups *g, uint32_t group, struct bp_err *err)
{
    struct chain *c = &g->chains[group];
    int32_t block = (int32_t)g->n_blocks;

    if (g->n_blocks == INT32_MAX)
        return bp_fail(err, BP_EDATA, "too many rows wait for too many files: more memory (--mem)");
    if (g->n_blocks == g->cap_blocks) {
        int64_t cap = g->cap_blocks ? g->cap_blocks * 2 : 1024;
        int32_t *grown = bp_mem_grow(g->next, (size_t)cap, sizeof *grown, err);

        if (!grown)
            return err->code;
        g->next = grown;
        g->cap_blocks = cap;
    }
    g->next[g->n_blocks++] = NO_BLOCK;
    if (c->first == NO_BLOCK)
        c->first = block;
    else
        g->next[c->last] = block;
    c->last = block;
    return 0;
}

static int write_block(void *arg, uint32_t group, const struct bp_batch *b, struct bp_err *err)
{
    struct bp_by_groups *g = arg;
    int64_t before = g->out.pos_bytes;

    if (bp_ipc_writer_put(g->w, b, NULL, err) < 0)
        return bp_spill_failed(&g->file, before, bp_batch_size_bytes(b), err);
    atomic_fetch_add(&g->ctx->spilled_bytes, g->out.pos_bytes - before);
    return link_block(g, group, err);
}

static int spill(struct bp_by_groups *g, struct bp_err *err)
{
    int rc;

    BP_TRY(open_file(g, err));
    rc = bp_pending_flush(g->pending, write_block, g, err);
    give_back(g);
    return rc;
}

/* ---- coming in ---- */

static int grow(struct bp_by_groups *g, uint32_t n_groups, struct bp_err *err)
{
    uint32_t cap = BP_MAX(g->cap_groups, 1024);
    struct chain *grown;

    g->n_groups = BP_MAX(g->n_groups, n_groups);
    if (n_groups <= g->cap_groups)
        return 0;
    while (cap < n_groups)
        cap *= 2;
    grown = bp_mem_grow(g->chains, cap, sizeof *grown, err);
    if (!grown)
        return err->code;
    for (uint32_t i = g->cap_groups; i < cap; i++)
        grown[i] = (struct chain){NO_BLOCK, NO_BLOCK};
    g->chains = grown;
    BP_TRY(bp_pending_grow(g->pending, cap, err));
    g->cap_groups = cap;
    return 0;
}

/* One batch is taken whatever the budget says. */
static int make_room(struct bp_by_groups *g, int64_t bytes, struct bp_err *err)
{
    if (bp_pending_bytes(g->pending) + bytes > g->limit_bytes ||
        !bp_budget_take(&g->ctx->budget, bytes)) {
        BP_TRY(spill(g, err));
        if (!bp_budget_take(&g->ctx->budget, bytes))
            return 0;
    }
    g->taken_bytes += bytes;
    return 0;
}

int bp_by_groups_add(struct bp_by_groups *g, struct bp_batch *in, const uint32_t *group_of,
                     uint32_t n_groups, struct bp_err *err)
{
    int rc;

    BP_GO(grow(g, n_groups, err));
    BP_GO(make_room(g, bp_batch_size_bytes(in), err));
    return bp_pending_add(g->pending, in, group_of, err);
out:
    bp_batch_release(in);
    return rc;
}

/* ---- coming out ---- */

static int read_back(struct bp_by_groups *g, struct bp_ipc_file *f, bp_pending_emit emit, void *arg,
                     struct bp_err *err)
{
    struct bp_batch b;
    int rc;

    for (uint32_t k = 0; k < g->n_groups; k++)
        for (int32_t i = g->chains[k].first; i != NO_BLOCK; i = g->next[i]) {
            BP_TRY(bp_ipc_file_read(f, i, NULL, &b, err));
            rc = emit(arg, k, &b, err);
            bp_batch_release(&b);
            BP_TRY(rc);
        }
    return 0;
}

int bp_by_groups_drain(struct bp_by_groups *g, bp_pending_emit emit, void *arg, struct bp_err *err)
{
    struct bp_ipc_file *f = NULL;
    struct bp_input in;
    int rc;

    if (!g->w) {
        rc = bp_pending_flush(g->pending, emit, arg, err);
        give_back(g);
        return rc;
    }
    BP_TRY(spill(g, err));
    bp_pending_free(g->pending);
    g->pending = NULL;
    if (bp_ipc_writer_finish(g->w, NULL, 0, err) < 0)
        return bp_spill_failed(&g->file, g->out.pos_bytes, 1024, err);
    BP_TRY(bp_tempfile_whole(&in, &g->file, err));
    BP_TRY(bp_ipc_file_open(&f, &in, err));
    rc = read_back(g, f, emit, arg, err);
    bp_ipc_file_free(f);
    return rc;
}
