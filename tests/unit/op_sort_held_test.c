/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_held.h"

#include "unit.h"

static int64_t next_value;

/* n rows that go on where the batch before ended. */
static void make_batch(struct bp_batch *out, int64_t n)
{
    struct bp_err err = {0};
    struct bp_builder b;

    bp_builder_init(&b, BP_TYPE(BP_INT64));
    for (int64_t i = 0; i < n; i++, next_value++)
        NEED(bp_builder_add(&b, &next_value, &err) == 0);
    NEED(bp_batch_init(out, 1, &err) == 0);
    NEED(bp_builder_finish(&b, &out->cols[0], &err) == 0);
    out->n_rows = n;
}

/* Adds a batch; what its values were at. */
static const int64_t *add(struct bp_held *h, int64_t n)
{
    struct bp_err err = {0};
    struct bp_batch b;
    const int64_t *at;

    make_batch(&b, n);
    at = b.cols[0].data;
    CHECK(bp_held_add(h, &b, &err) == 0);
    return at;
}

/* All rows are there, in order; the number of chunks. */
static int finish(struct bp_held *h)
{
    struct bp_err err = {0};
    int64_t want = 0, bad = 0;

    CHECK(bp_held_finish(h, &err) == 0);
    for (int i = 0; i < h->n_chunks; i++) {
        CHECK(h->chunks[i].n_rows > 0 && h->chunks[i].n_rows <= BP_HELD_ROWS);
        for (int64_t row = 0; row < h->chunks[i].n_rows; row++)
            bad += ((const int64_t *)h->chunks[i].cols[0].data)[row] != want++;
    }
    CHECK(bad == 0 && want == next_value && h->n_rows == next_value);
    next_value = 0;
    return h->n_chunks;
}

static void rows_stand_in_full_chunks(void)
{
    struct bp_held h;

    bp_held_init(&h, NULL);
    for (int i = 0; i < 9; i++)
        add(&h, 5000);
    CHECK(finish(&h) == 6);
    CHECK(h.chunks[4].n_rows == BP_HELD_ROWS && bp_held_ids(&h) == 45000);
    bp_held_release(&h);
}

static void a_batch_of_enough_rows_is_a_chunk_without_a_copy(void)
{
    const int64_t *first, *second, *even;
    struct bp_held h;

    bp_held_init(&h, NULL);
    h.alone_rows = 4000;
    first = add(&h, 5000);
    second = add(&h, BP_HELD_ROWS);
    add(&h, 10); /* waits, and must not come behind what follows */
    even = add(&h, 10001);
    add(&h, 20);
    add(&h, 3999);
    CHECK(finish(&h) == 6);
    NEED(h.n_chunks == 6);
    CHECK(h.chunks[0].cols[0].data == first && h.chunks[1].cols[0].data == second);
    CHECK(h.chunks[2].n_rows == 10 && h.chunks[3].n_rows == 5001 && h.chunks[4].n_rows == 5000);
    CHECK(h.chunks[3].cols[0].data == even && h.chunks[4].cols[0].data == even + 5001);
    CHECK(h.chunks[5].n_rows == 4019);
    bp_held_release(&h);
    CHECK(h.alone_rows == 4000);
}

UNIT_MAIN(T(rows_stand_in_full_chunks), T(a_batch_of_enough_rows_is_a_chunk_without_a_copy))
