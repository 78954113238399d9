/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a Parquet row group that wait on disk: what goes in comes out, column by column. */
#include "col_random.h"
#include "fmt/parquet/held.h"

static const char *const types[] = {
    "int",
    "boolean",
    "text",
    "decimal(30,2)",
    "smallint[]",
    "boolean[][]",
    "struct(a int, b text, c boolean[])",
    "struct(k text, v decimal(10,0)[])[]",
};
#define N_COLS ((int)BP_COUNT_OF(types))
#define ROWS 300

static int random_batch(struct bp_batch *b, struct bp_err *err)
{
    BP_TRY(bp_batch_init(b, N_COLS, err));
    b->n_rows = ROWS;
    for (int c = 0; c < N_COLS; c++)
        BP_TRY(make(&b->cols[c], types[c], ROWS, err));
    return 0;
}

static void check_same(const struct bp_pq_held *h, int i, const struct bp_batch *b)
{
    struct bp_err err = {0};

    for (int c = N_COLS - 1; c >= 0; c--) {
        struct bp_column col;

        NEED(bp_pq_held_read(h, i, c, b->cols[c].type, &col, &err) == 0);
        CHECK(col.n_rows == b->n_rows && col.n_nulls == b->cols[c].n_nulls && !col.dict);
        for (int64_t r = 0; r < col.n_rows; r++)
            CHECK(same_row(&col, r, &b->cols[c], r));
        bp_column_release(&col);
    }
}

static void batches_and_slices_of_them_come_back(void)
{
    struct bp_pq_held h = {0};
    struct bp_ctx ctx = {.n_threads = 1};
    struct bp_err err = {0};
    struct bp_batch b, part;

    NEED(random_batch(&b, &err) == 0);
    NEED(bp_batch_slice(&part, &b, 13, 101, &err) == 0);
    for (int round = 0; round < 2; round++) {
        for (int c = 0; c < N_COLS + 3; c++) { /* leaves: there may be more than columns */
            struct bp_buf bytes = {0}, back = {0};

            NEED(bp_buf_append(&bytes, "parked bytes, of any length", (size_t)(c + round) % 27,
                               &err) == 0);
            NEED(bp_pq_held_park(&h, c, N_COLS + 3, N_COLS, &bytes, &ctx, &err) == 0);
            NEED(bp_pq_held_unpark(&h, c, &back, &err) == 0);
            CHECK(back.len == bytes.len &&
                  memcmp(back.data, "parked bytes, of any length", back.len) == 0);
            bp_buf_release(&bytes);
            bp_buf_release(&back);
        }
        for (int i = 0; i < 40; i++)
            NEED(bp_pq_held_put(&h, i % 2 ? &part : &b, &ctx, &err) == 0);
        for (int i = 39; i >= 0; i--)
            check_same(&h, i, i % 2 ? &part : &b);
        bp_pq_held_clear(&h);
    }
    CHECK(atomic_load(&ctx.spilled_bytes) > 0);
    bp_pq_held_release(&h);
    bp_batch_release(&part);
    bp_batch_release(&b);
}

static void codes_come_back_as_text(void)
{
    static const int32_t codes[] = {2, 0, 0, 1};
    struct bp_pq_held h = {0};
    struct bp_ctx ctx = {.n_threads = 1};
    struct bp_err err = {0};
    struct bp_column values, got;
    struct bp_buf none = {0};
    struct bp_batch b;
    struct bp_dict *d;

    NEED(make(&values, "text", 3, &err) == 0 && bp_dict_new(&d, &values, &err) == 0);
    NEED(bp_batch_init(&b, 1, &err) == 0);
    b.n_rows = 4;
    b.cols[0] = (struct bp_column){.type = BP_TYPE(BP_TEXT), .n_rows = 4, .data = codes, .dict = d};
    NEED(bp_pq_held_park(&h, 0, 1, 1, &none, &ctx, &err) == 0);
    NEED(bp_pq_held_put(&h, &b, &ctx, &err) == 0);
    NEED(bp_pq_held_read(&h, 0, 0, BP_TYPE(BP_TEXT), &got, &err) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(same_row(&got, i, &b.cols[0], i));
    bp_column_release(&got);
    bp_pq_held_release(&h);
    bp_batch_release(&b);
}

UNIT_MAIN(T(batches_and_slices_of_them_come_back), T(codes_come_back_as_text))
