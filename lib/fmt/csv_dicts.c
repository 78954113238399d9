/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each worker has dictionaries of its own, so that it waits for nobody. Behind them, where
 * chunks are in order again, their codes become those of one dictionary a column, which has the
 * values in the order of the rows, however many workers there are.
 */
#include "base/mem.h"
#include "fmt/csv_reader.h"

struct csv_dicts {
    struct csv_reader *r;
    int n_cols, n_workers;
    struct bp_dictmap *maps; /* [n_workers * n_cols] */
};

bool csv_dict_is_full(const struct bp_dictset *d)
{
    return d->n > BP_RECUT_ROWS || bp_dictset_bytes(d) > BP_RECUT_BYTES;
}

int csv_dicts_open(struct csv_dicts **out, struct csv_reader *r, int n_workers, struct bp_err *err)
{
    struct csv_dicts *d = bp_mem_new(1, sizeof *d, err);

    if (!d)
        return err->code;
    d->r = r;
    d->n_cols = r->n_cols;
    d->n_workers = n_workers;
    d->maps = bp_mem_new((size_t)n_workers * (size_t)r->n_cols, sizeof *d->maps, err);
    r->dicts = d->maps ? bp_mem_new((size_t)r->n_cols, sizeof *r->dicts, err) : NULL;
    if (!r->dicts) {
        bp_mem_free(d->maps);
        bp_mem_free(d);
        return err->code;
    }
    *out = d;
    return 0;
}

int csv_dicts_unify(struct csv_dicts *d, int worker, struct bp_batch *b, struct bp_err *err)
{
    struct bp_dictmap *maps = d->maps + (size_t)worker * (size_t)d->n_cols;

    for (int c = 0; c < b->n_cols; c++) {
        if (!d->r->cols[c].dict)
            continue;
        BP_TRY(bp_dictset_recode(&d->r->dicts[c], &maps[c], &b->cols[c], err));
        BP_TRY(bp_dictset_bind(&d->r->dicts[c], &b->cols[c], err));
    }
    return 0;
}

void csv_dicts_renew(struct csv_dicts *d)
{
    for (int c = 0; c < d->n_cols; c++)
        if (csv_dict_is_full(&d->r->dicts[c]))
            bp_dictset_clear(&d->r->dicts[c]);
}

void csv_dicts_free(struct csv_dicts *d)
{
    if (!d)
        return;
    for (int i = 0; i < d->n_workers * d->n_cols; i++)
        bp_dictmap_release(&d->maps[i]);
    for (int c = 0; c < d->n_cols; c++)
        bp_dictset_release(&d->r->dicts[c]);
    bp_mem_free(d->r->dicts);
    bp_mem_free(d->maps);
    bp_mem_free(d);
}
