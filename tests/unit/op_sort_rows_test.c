/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_rows.h"
#include "op_table.h"

static const char *const columns =
    "i int, u ubigint, d decimal(38,2), s smallint, t text, b boolean, f double precision";

/* Every chunk of two rows needs more bytes than those before it. */
static const char *const widening =
    "1,200,5,NULL,a,1,0.5;-1,3,-5,3,NULL,0,1.5;"
    "300,1,128,-7,longer than a slot,1,2;NULL,0,-129,7,b,NULL,3;"
    "70000,18446744073709551615,-9223372036854775808,300,c,0,4;5,0,70000,-300,,1,NULL;"
    "-2147483648,9223372036854775808,9223372036854775807,1,e,0,6;"
    "2147483647,4294967295,NULL,2,also a long text,1,7;";

/* The chunks of a table as rows, gathered from the last row to the first. */
static const char *backwards(struct bp_source in)
{
    struct bp_err err = {0};
    struct bp_sort_rows r;
    struct bp_batch b;
    uint64_t refs[16];
    int n = 0;

    table_must(bp_sort_rows_open(&r, &in.schema, 0, &err), &err);
    while (bp_source_next(&in, &b, &err) == 0) {
        for (int64_t row = 0; row < b.n_rows; row++)
            refs[15 - n++] = (uint64_t)r.n_chunks << 32 | (uint64_t)row;
        CHECK(bp_sort_rows_add(&r, &b, &err) == 0);
        bp_batch_release(&b);
    }
    table_must(bp_sort_rows_gather(&r, refs + 16 - n, n, &b, &err), &err);
    bp_sort_rows_release(&r);
    table_free(in.self);
    in.self = bp_mem_new(1, sizeof(struct table), &err);
    *(struct table *)in.self = (struct table){bp_mem_new(1, sizeof b, &err), 1, 0};
    bp_batch_move(&((struct table *)in.self)->batches[0], &b);
    return drain(&in);
}

static void rows_come_back_when_later_ones_needed_more_bytes(void)
{
    const char *all =
        "2147483647,4294967295,NULL,2,also a long text,1,7;"
        "-2147483648,9223372036854775808,9223372036854775807,1,e,0,6;"
        "5,0,70000,-300,,1,NULL;70000,18446744073709551615,-9223372036854775808,300,c,0,4;"
        "NULL,0,-129,7,b,NULL,3;300,1,128,-7,longer than a slot,1,2;"
        "-1,3,-5,3,NULL,0,1.5;1,200,5,NULL,a,1,0.5;";

    for (int n = 1; n <= 8; n++)
        CHECK_STR(backwards(table(columns, widening, n)), all);
}

static void dictionaries_are_kept_beside_numbers_that_widen(void)
{
    CHECK_STR(
        backwards(table_dict(table("t text, i bigint, u text",
                                   "x,1,p;y,2,q;x,300,p;NULL,4,long enough;y,-5000000000,p;", 2))),
        "y,-5000000000,p;NULL,4,long enough;x,300,p;y,2,q;x,1,p;");
}

static void a_row_takes_the_bytes_its_values_need(void)
{
    struct bp_source in = table("a bigint, b decimal(38,0), c timestamp, d int", "1,-2,3,-4;", 1);
    struct bp_err err = {0};
    struct bp_sort_rows r;
    struct bp_batch b;

    NEED(bp_sort_rows_open(&r, &in.schema, 0, &err) == 0);
    NEED(bp_source_next(&in, &b, &err) == 0);
    NEED(bp_sort_rows_add(&r, &b, &err) == 0);
    CHECK(r.layouts[0].row_bytes ==
          8); /* a byte of bits, four of values, three to the next multiple */
    bp_batch_release(&b);
    bp_sort_rows_release(&r);
    bp_source_free(&in);
}

/* Beside a byte of bits: the length and room for all, or for four bytes where a heap takes less. */
static void short_texts_are_in_the_row(void)
{
    static const struct {
        const char *rows;
        size_t bytes;
        bool heap;
    } cases[] = {{"abc;NULL;", 16, false},
                 {"abcdefg;abcde;", 16, false},
                 {"abcdefghijk;abcdefghijkl;", 24, false},
                 {"0123456789abcdef;0123456789abcdef;", 24, false},
                 {"0123456789abcdefg;0123456789abcdefg;", 16, true},
                 {"0123456789;a;", 16, true}};
    struct bp_err err = {0};
    struct bp_sort_rows r;
    struct bp_batch b;

    for (size_t i = 0; i < BP_COUNT_OF(cases); i++) {
        struct bp_source in = table("t text", cases[i].rows, 2);

        NEED(bp_sort_rows_open(&r, &in.schema, 0, &err) == 0);
        r.packed = true;
        NEED(bp_source_next(&in, &b, &err) == 0);
        NEED(bp_sort_rows_add(&r, &b, &err) == 0);
        CHECK(r.layouts[0].row_bytes == cases[i].bytes);
        CHECK((r.chunks[0].heap != NULL) == cases[i].heap);
        bp_batch_release(&b);
        bp_sort_rows_release(&r);
        bp_source_free(&in);
    }
}

/* A third more memory at most, so that it is in no more lines of 64 bytes than it need be. */
static void a_row_is_in_few_lines_of_the_cache(void)
{
    static const size_t cases[][2] = {
        {1, 8},   {8, 8},   {9, 16},  {17, 32},  {25, 32},   {33, 40},   {40, 40},   {41, 64},
        {64, 64}, {65, 72}, {88, 88}, {95, 128}, {128, 128}, {136, 136}, {137, 192}, {193, 256}};
    struct bp_sort_rows r = {0}, packed = {.packed = true};

    for (size_t i = 0; i < BP_COUNT_OF(cases); i++) {
        CHECK(bp_sort_rows_row_bytes(&r, cases[i][0]) == cases[i][1]);
        CHECK(bp_sort_rows_row_bytes(&packed, cases[i][0]) == (cases[i][0] + 7) / 8 * 8);
    }
    for (size_t n = 1; n < 1000; n++)
        CHECK(bp_sort_rows_row_bytes(&r, n) <= bp_sort_rows_row_bytes(&r, n + 1));
}

UNIT_MAIN(T(a_row_is_in_few_lines_of_the_cache), T(short_texts_are_in_the_row),
          T(rows_come_back_when_later_ones_needed_more_bytes),
          T(dictionaries_are_kept_beside_numbers_that_widen),
          T(a_row_takes_the_bytes_its_values_need))
