/* SPDX-License-Identifier: Apache-2.0 */
#include "op/hot.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "col/key.h"

void bp_hot_release(struct bp_hot *h)
{
    bp_mem_free(h->hashes);
    memset(h, 0, sizeof *h);
}

static int find_column(const struct bp_schema *table, const char *key, const struct bp_schema *rows,
                       int *col, struct bp_err *err)
{
    char want[BP_TYPE_NAME_MAX], got[BP_TYPE_NAME_MAX];
    struct bp_type t;
    int at;

    BP_TRY(bp_schema_index(rows, key, &at, err));
    t = rows->fields[at].type;
    BP_TRY(bp_schema_index(table, rows->fields[at].name, col, err));
    if (bp_key_class(t) != bp_key_class(table->fields[*col].type))
        return bp_fail(err, BP_EUSAGE,
                       "key '%s' is %s in the rows but %s here: no value of one equals one of the "
                       "other; cast it (bp-map -a)",
                       key, bp_type_name(t, want), bp_type_name(table->fields[*col].type, got));
    return 0;
}

static int add_batch(struct bp_hot *h, const struct bp_batch *b, const int *cols,
                     const struct bp_column **keys, int n_keys, struct bp_err *err)
{
    uint64_t *grown;

    if (h->n + b->n_rows > BP_HOT_MAX)
        return bp_fail(err, BP_EUSAGE, "more than %d keys: few keys are hot", BP_HOT_MAX);
    grown = bp_mem_grow(h->hashes, (size_t)(h->n + b->n_rows), sizeof *grown, err);
    if (!grown)
        return err->code;
    h->hashes = grown;
    for (int k = 0; k < n_keys; k++)
        keys[k] = &b->cols[cols[k]];
    BP_TRY(bp_key_hash(keys, n_keys, b->n_rows, h->hashes + h->n, err));
    h->n += b->n_rows;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void finish(struct bp_hot *h)
{
    int64_t n = 0;

    if (h->n)
        qsort(h->hashes, (size_t)h->n, sizeof *h->hashes, by_value);
    for (int64_t i = 0; i < h->n; i++)
        if (i == 0 || h->hashes[i] != h->hashes[n - 1])
            h->hashes[n++] = h->hashes[i];
    h->n = n;
    h->identity = bp_xxh3(h->hashes, (size_t)n * sizeof *h->hashes);
}

int bp_hot_read(struct bp_hot *out, struct bp_source *table, char *const keys[],
                const struct bp_schema *rows, struct bp_err *err)
{
    const struct bp_column **srcs;
    struct bp_batch b = {0};
    int n = 0, *cols, rc;

    memset(out, 0, sizeof *out);
    while (keys[n])
        n++;
    cols = bp_mem_new((size_t)n + 1, sizeof *cols, err);
    srcs = bp_mem_new((size_t)n + 1, sizeof(const struct bp_column *), err);
    BP_GO(cols && srcs ? 0 : err->code);
    for (int k = 0; k < n; k++)
        BP_GO(find_column(&table->schema, keys[k], rows, &cols[k], err));
    while ((rc = bp_source_next(table, &b, err)) == 0) {
        if (b.n_rows)
            rc = add_batch(out, &b, cols, srcs, n, err);
        bp_batch_release(&b);
        BP_GO(rc);
    }
    BP_GO(rc < 0 ? rc : 0);
    finish(out);
out:
    bp_mem_free(cols);
    bp_mem_free(srcs);
    if (rc < 0)
        bp_hot_release(out);
    return rc;
}
