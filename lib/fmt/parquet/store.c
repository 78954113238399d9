/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/store.h"

#include "base/mem.h"

#define COPY_BYTES ((size_t)256 << 10)

static int open_store(struct bp_pq_store *s, struct bp_err *err)
{
    if (s->is_open)
        return 0;
    BP_TRY(bp_tempfile_open(&s->f, err));
    if (bp_outfile_borrow(&s->out, s->f.fd, "temporary file", err) < 0) {
        bp_tempfile_close(&s->f);
        return err->code;
    }
    s->is_open = true;
    return 0;
}

/* The next entry of the list, of bytes from here on. */
static int begin(struct bp_pq_store *s, int column, struct bp_err *err)
{
    struct bp_pq_stored *l;

    BP_TRY(open_store(s, err));
    if (s->n == s->cap) {
        l = bp_mem_grow(s->list, (size_t)s->cap + 64, sizeof *l, err);
        if (!l)
            return err->code;
        s->list = l;
        s->cap += 64;
    }
    s->list[s->n] = (struct bp_pq_stored){.column = column, .from = s->out.pos_bytes};
    return 0;
}

static int put(struct bp_pq_store *s, const void *p, size_t n, struct bp_err *err)
{
    if (bp_outfile_write(&s->out, p, n, err) < 0)
        return bp_err_prefix(err, "pages of a row group, in '%s' (TMPDIR; %lld bytes are free)",
                             s->f.dir, (long long)bp_tempfile_free_bytes(&s->f));
    return 0;
}

static void end(struct bp_pq_store *s, struct bp_ctx *ctx)
{
    struct bp_pq_stored *l = &s->list[s->n++];

    l->to = s->out.pos_bytes;
    atomic_fetch_add(&ctx->spilled_bytes, (long long)(l->to - l->from));
}

int bp_pq_store_put(struct bp_pq_store *s, int column, const void *p, size_t n, struct bp_ctx *ctx,
                    struct bp_err *err)
{
    BP_TRY(begin(s, column, err));
    BP_TRY(put(s, p, n, err));
    end(s, ctx);
    return 0;
}

int bp_pq_store_pages(struct bp_pq_store *s, int column, struct bp_pq_encoded *chunk,
                      struct bp_ctx *ctx, struct bp_err *err)
{
    struct bp_chain *pages = &chunk->pages;

    if (pages->len == 0)
        return 0;
    BP_TRY(begin(s, column, err));
    for (int i = 0; i < pages->n; i++)
        BP_TRY(put(s, pages->blocks[i]->data, bp_chain_block_bytes(pages, i), err));
    end(s, ctx);
    chunk->moved_bytes += (int64_t)pages->len;
    bp_chain_clear(pages);
    return 0;
}

static int copy_bytes(const struct bp_pq_store *s, const struct bp_pq_stored *l,
                      struct bp_outfile *to, uint8_t *buf, struct bp_err *err)
{
    struct bp_input in;
    size_t got;
    int rc;

    BP_TRY(bp_tempfile_input(&in, &s->f, l->from, l->to, err));
    for (int64_t at = l->from; at < l->to; at += (int64_t)got) {
        BP_GO(bp_input_read_some(&in, buf, COPY_BYTES, &got, err));
        if (got == 0)
            BP_GO(bp_fail(err, BP_ESYS, "the temporary file in '%s' became shorter", s->f.dir));
        BP_GO(bp_outfile_write(to, buf, got, err));
    }
    rc = 0;
out:
    bp_input_close(&in);
    return rc;
}

int bp_pq_store_copy(const struct bp_pq_store *s, int column, struct bp_outfile *to,
                     struct bp_err *err)
{
    uint8_t *buf;
    int rc = 0;

    if (s->n == 0)
        return 0;
    buf = bp_mem_new(COPY_BYTES, 1, err);
    if (!buf)
        return err->code;
    for (int i = 0; i < s->n && rc == 0; i++)
        if (s->list[i].column == column)
            rc = copy_bytes(s, &s->list[i], to, buf, err);
    bp_mem_free(buf);
    return rc;
}

void bp_pq_store_clear(struct bp_pq_store *s)
{
    if (s->n)
        bp_tempfile_discard(&s->f, s->list[0].from, s->list[s->n - 1].to);
    s->n = 0;
}

void bp_pq_store_release(struct bp_pq_store *s)
{
    if (s->is_open) {
        bp_outfile_abort(&s->out);
        bp_tempfile_close(&s->f);
    }
    bp_mem_free(s->list);
    *s = (struct bp_pq_store){0};
}
