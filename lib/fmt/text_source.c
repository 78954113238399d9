/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of CSV and of JSON Lines have in common. */
#include "fmt/text_source.h"

#include <strings.h>

#include "base/mem.h"
#include "col/schema.h"

#define RECORD_MAX_BYTES ((size_t)256 << 20)
#define RECORD_LEAST_BYTES ((size_t)1 << 20) /* is read, however little memory there is */

void text_cols_free(struct text_col *cols, int n)
{
    for (int i = 0; cols && i < n; i++)
        bp_mem_free(cols[i].name);
    bp_mem_free(cols);
}

bool text_col_lacks(const struct bp_schema *table, const char *name, const char *const *may_lack)
{
    for (int i = 0; may_lack && may_lack[i]; i++)
        if (strcasecmp(name, may_lack[i]) == 0)
            return bp_schema_find(table, name) == -1;
    return false;
}

int text_line_col(const struct text_col *cols, int n)
{
    for (int c = 0; c < n; c++)
        if (cols[c].is_line)
            return c;
    return -1;
}

int text_line_add(struct text_col *cols, int *n, const char *name, struct bp_err *err)
{
    cols[*n] = (struct text_col){
        .name = bp_mem_str(name, err), .type = {.kind = BP_INT64}, .key = -1, .is_line = true};
    if (!cols[*n].name)
        return err->code;
    ++*n;
    return 0;
}

void text_lines_shift(struct bp_batch *b, int c, int64_t before)
{
    int64_t *v = (void *)b->cols[c].own[1]->data; /* csv_out_finish() put it there */

    for (int64_t i = 0; i < b->n_rows; i++)
        v[i] += before + 1;
}

int text_cols_project(struct text_col **cols, int *n_cols, const int *wanted, int n,
                      struct bp_err *err)
{
    struct text_col *kept = bp_mem_new((size_t)n, sizeof *kept, err);

    if (!kept)
        return err->code;
    for (int i = 0; i < n; i++) {
        kept[i] = (*cols)[wanted[i]];
        kept[i].name = bp_mem_str(kept[i].name, err);
        if (!kept[i].name) {
            text_cols_free(kept, i);
            return err->code;
        }
    }
    text_cols_free(*cols, *n_cols);
    *cols = kept;
    *n_cols = n;
    return 0;
}

int text_slice(struct bp_batch *b, int64_t *from, int64_t batch_rows, struct bp_batch *out,
               struct bp_err *err)
{
    int64_t max = BP_MAX(1, batch_rows), n = b->n_rows - *from;
    int64_t pieces = (n + max - 1) / max, take = (n + pieces - 1) / pieces;

    if (take > 64)
        take = BP_MIN((take + 7) & ~(int64_t)7, n); /* bitmaps are shared at bytes */
    if (*from == 0 && take >= n) {
        bp_batch_move(out, b);
        return 0;
    }
    BP_TRY(bp_batch_slice(out, b, *from, take, err));
    *from = take < n ? *from + take : 0;
    return 0;
}

size_t text_chunk_bytes_for(const struct bp_ctx *ctx, size_t most, size_t least)
{
    int64_t share = ctx->budget.limit_bytes / (16 * ((int64_t)ctx->n_threads + 2));

    if (!ctx->budget.limit_bytes || share >= (int64_t)most)
        return most;
    return (size_t)BP_MAX(share, (int64_t)least) & ~(size_t)4095;
}

#define AHEAD_BYTES ((int64_t)4 << 20) /* of columns, in chunks more than TEXT_SLOTS */
#define AHEAD_SHARE 64                 /* of the memory */

bool text_reads_on(const struct bp_ctx *ctx, int n_threads, int64_t in_work, int64_t job_bytes)
{
    int64_t limit = ctx->budget.limit_bytes;
    int64_t most = limit ? BP_MIN(limit / AHEAD_SHARE, AHEAD_BYTES) : AHEAD_BYTES;

    return in_work < TEXT_SLOTS(n_threads) ||
           (job_bytes && in_work < TEXT_SLOTS_MOST(n_threads) && in_work * job_bytes <= most);
}

int text_threads_for(const struct bp_ctx *ctx, int64_t slot_bytes)
{
    int64_t limit = ctx->budget.limit_bytes / 2;
    int n = BP_MAX(1, ctx->n_threads);

    while (limit && n > 1 && TEXT_SLOTS(n) * slot_bytes > limit)
        n--;
    return n;
}

size_t text_record_max_for(const struct bp_ctx *ctx)
{
    size_t share = (size_t)ctx->budget.limit_bytes / 4;

    if (!share || share > RECORD_MAX_BYTES)
        return RECORD_MAX_BYTES;
    return BP_MAX(share, RECORD_LEAST_BYTES);
}

void text_tell_least(struct bp_ctx *ctx, int64_t bytes, int64_t *told_bytes)
{
    bp_budget_least(&ctx->budget, bytes - *told_bytes);
    *told_bytes = bytes;
}

int text_keep_declared(char **out, const struct bp_schema *schema, struct bp_err *err)
{
    struct bp_buf b = {0};
    const char *text;

    if (!schema || !schema->n_fields)
        return 0;
    text = bp_schema_print(schema, false, &b, err) < 0 ? NULL : bp_buf_str(&b, err);
    if (text)
        *out = bp_mem_str(text, err);
    bp_buf_release(&b);
    return *out ? 0 : err->code;
}
