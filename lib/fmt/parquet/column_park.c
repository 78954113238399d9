/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column writer's state out of memory and back: the page that is being filled and the values
 * of the dictionary. What the memory of the dictionary looks like (its slots, the map from the
 * stream's codes) does not show in the file, and is made anew.
 */
#include <string.h>

#include "base/mem.h"
#include "fmt/parquet/column_write.h"

#define N_KEPT 8

static void kept(struct bp_pq_writer *w, struct bp_buf *out[N_KEPT])
{
    struct bp_buf *all[N_KEPT] = {&w->valid, &w->def,        &w->rep,        &w->codes,
                                  &w->plain, &w->dict.words, &w->dict.bytes, &w->dict.offsets};

    memcpy(out, all, sizeof all);
}

int64_t bp_pq_writer_state_bytes(const struct bp_pq_writer *w)
{
    const struct bp_buf *all[] = {&w->valid,      &w->def,          &w->rep,
                                  &w->codes,      &w->plain,        &w->dict.words,
                                  &w->dict.bytes, &w->dict.offsets, &w->map};
    size_t sum = w->dict.n_slots * sizeof *w->dict.slots +
                 (w->dict.small ? BP_PQ_SMALL * sizeof *w->dict.small : 0);

    for (size_t i = 0; i < BP_COUNT_OF(all); i++)
        sum += all[i]->cap;
    return (int64_t)sum;
}

int64_t bp_pq_write_scratch_bytes(const struct bp_pq_write_scratch *t)
{
    const struct bp_buf *all[] = {&t->raw,
                                  &t->packed,
                                  &t->used,
                                  &t->words.words_mem,
                                  &t->words.bytes_mem,
                                  &t->words.offsets_mem,
                                  &t->entries.def,
                                  &t->entries.rep,
                                  &t->entries.def_old,
                                  &t->entries.rep_old};
    size_t sum = 0;

    for (size_t i = 0; i < BP_COUNT_OF(all); i++)
        sum += all[i]->cap;
    return (int64_t)sum;
}

void bp_pq_writer_rest(struct bp_pq_writer *w)
{
    struct bp_buf *all[] = {&w->valid, &w->def, &w->rep, &w->codes, &w->plain, &w->map};

    for (size_t i = 0; i < BP_COUNT_OF(all); i++)
        bp_buf_release(all[i]);
    bp_dict_unref(w->mapped);
    w->mapped = NULL;
    bp_pq_value_dict_release(&w->dict);
}

int bp_pq_writer_park(struct bp_pq_writer *w, struct bp_buf *out, struct bp_err *err)
{
    struct bp_buf *all[N_KEPT];

    kept(w, all);
    BP_TRY(bp_buf_append(out, &w->dict.n, sizeof w->dict.n, err));
    for (int i = 0; i < N_KEPT; i++) {
        BP_TRY(bp_buf_append(out, &all[i]->len, sizeof all[i]->len, err));
        BP_TRY(bp_buf_append(out, all[i]->data, all[i]->len, err));
    }
    bp_pq_writer_rest(w);
    return 0;
}

int bp_pq_writer_unpark(struct bp_pq_writer *w, const struct bp_buf *in, struct bp_err *err)
{
    const uint8_t *p = in->data;
    struct bp_buf *all[N_KEPT];
    int64_t n;
    size_t len;

    kept(w, all);
    memcpy(&n, p, sizeof n);
    p += sizeof n;
    for (int i = 0; i < N_KEPT; i++) {
        memcpy(&len, p, sizeof len);
        p += sizeof len;
        BP_TRY(bp_buf_append(all[i], p, len, err));
        p += len;
    }
    return bp_pq_value_dict_rebuild(&w->dict, n, err);
}
