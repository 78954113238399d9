/* SPDX-License-Identifier: Apache-2.0 */
/* Levels and pieces by hand: what they say of rows, lists put together from them and taken
 * apart again. */
#include <string.h>

#include "fmt/parquet/piece.h"
#include "fmt/parquet/shred.h"
#include "unit.h"

/* a int[]: {1,2}, {}, NULL, {NULL,3} */
static const uint8_t DEF[] = {3, 3, 1, 0, 2, 3}, REP[] = {0, 1, 0, 0, 0, 1};
static const uint8_t SLOT_DEFS[] = {0, 2};
static const struct bp_pq_column COLUMN = {.name = "a.list.element",
                                           .type = {.kind = BP_INT32},
                                           .max_def = 3,
                                           .max_rep = 1,
                                           .nested = true,
                                           .slot_defs = SLOT_DEFS};

static void ints(struct bp_column *out, const int *values, const bool *valid, int n)
{
    struct bp_builder b;
    struct bp_err err = {0};

    bp_builder_init(&b, BP_TYPE(BP_INT32));
    for (int i = 0; i < n; i++)
        NEED((valid[i] ? bp_builder_add(&b, &values[i], &err) : bp_builder_add_null(&b, &err)) ==
             0);
    NEED(bp_builder_finish(&b, out, &err) == 0);
}

static struct bp_pq_levels levels(int from, int n)
{
    return (struct bp_pq_levels){.n = n, .def = DEF + from, .rep = REP + from};
}

static void rows_are_counted_and_found(void)
{
    struct bp_pq_levels l = levels(0, 6), flat = {.n = 6, .def = DEF};

    CHECK(bp_pq_levels_rows(&l, 0, 6) == 4);
    CHECK(bp_pq_levels_rows(&l, 1, 4) == 2);
    CHECK(bp_pq_levels_row(&l, 0, 0) == 0);
    CHECK(bp_pq_levels_row(&l, 0, 1) == 2);
    CHECK(bp_pq_levels_row(&l, 1, 0) == 2);
    CHECK(bp_pq_levels_row(&l, 0, 4) == 6);
    CHECK(bp_pq_levels_rows(&flat, 1, 5) == 4);
    CHECK(bp_pq_levels_row(&flat, 1, 3) == 4);
    CHECK(bp_pq_levels_count(DEF, 6, 2) == 4);
}

static void older_levels_are_packed_from_the_top(void)
{
    /* 3 3 1 0 2 3 in two bits each: 1111 0100 1011; 0 1 0 0 0 1 in one */
    static const uint8_t def[] = {0xf4, 0xb0}, rep[] = {0x44};
    struct bp_pq_page page = {.n_values = 6,
                              .def_encoding = BP_PQ_BIT_PACKED,
                              .rep_encoding = BP_PQ_BIT_PACKED,
                              .def = def,
                              .def_bytes = 2,
                              .rep = rep,
                              .rep_bytes = 1};
    struct bp_pq_column low = COLUMN;
    struct bp_pq_levels l;
    struct bp_buf scratch = {0};
    struct bp_err err = {0};

    NEED(bp_pq_levels_read(&COLUMN, &page, &scratch, &l, &err) == 0);
    CHECK(memcmp(l.def, DEF, 6) == 0 && memcmp(l.rep, REP, 6) == 0);
    bp_pq_levels_release(&l);
    low.max_def = 2;
    CHECK(bp_pq_levels_read(&low, &page, &scratch, &l, &err) < 0);
    CHECK(strstr(err.msg, "level 3"));
    page.def_bytes = 1;
    CHECK(bp_pq_levels_read(&COLUMN, &page, &scratch, &l, &err) < 0);
    bp_buf_release(&scratch);
}

/* Three pieces: {1 | 2}, {} | NULL, {NULL,3}. */
static void fill(struct bp_pq_pieces *s)
{
    static const int values[] = {1, 2, 0, 3};
    static const bool valid[] = {true, true, false, true};
    struct bp_err err = {0};
    struct bp_pq_piece p[] = {
        {.levels = levels(0, 1), .first_row = 0, .n_rows = 1},
        {.levels = levels(1, 2), .first_row = 1, .n_rows = 1},
        {.levels = levels(3, 3), .first_row = 2, .n_rows = 2},
    };

    ints(&p[0].col, values, valid, 1);
    ints(&p[1].col, values + 1, valid + 1, 1);
    ints(&p[2].col, values + 2, valid + 2, 2);
    p[2].whole = p[2].last = true;
    CHECK(bp_pq_pieces_cover(s, 0) == 0);
    NEED(bp_pq_pieces_add(s, &p[0], &err) == 0);
    CHECK(bp_pq_pieces_cover(s, 0) == 0); /* it may go on */
    NEED(bp_pq_pieces_add(s, &p[1], &err) == 0);
    CHECK(bp_pq_pieces_cover(s, 0) == 1);
    NEED(bp_pq_pieces_add(s, &p[2], &err) == 0);
    CHECK(bp_pq_pieces_cover(s, 0) == 4 && bp_pq_pieces_cover(s, 3) == 1);
    CHECK(bp_pq_pieces_entries(s, 1) == 5);
}

static void rows_go_on_from_piece_to_piece(void)
{
    struct bp_pq_node elem = {.type = {.kind = BP_INT32}, .def = 3, .slot_def = 2, .rep = 1};
    struct bp_pq_node list = {.def = 1, .n_leaves = 1, .n_kids = 1, .kids = &elem};
    struct bp_pq_pieces s = {0};
    struct bp_pq_shred shred;
    struct bp_column out;
    struct bp_err err = {0};

    NEED(bp_type_list(BP_TYPE(BP_INT32), &list.type, &err) == 0);
    fill(&s);
    NEED(bp_pq_pieces_shred(&s, &COLUMN, 0, 4, &shred, &err) == 0);
    CHECK(shred.levels.n == 6 && shred.slots.n_rows == 4);
    NEED(bp_pq_assemble(&out, &list, &shred, 4, &err) == 0);
    CHECK(memcmp(out.data, ((int32_t[]){0, 2, 2, 2, 4}), 20) == 0);
    CHECK(out.n_nulls == 1 && bp_column_is_null(&out, 2));
    CHECK(memcmp(out.kids->cols[0].data, ((int32_t[]){1, 2, 0, 3}), 16) == 0);
    CHECK(bp_column_is_null(&out.kids->cols[0], 2));
    bp_column_release(&out);
    bp_pq_shred_release(&shred);

    NEED(bp_pq_pieces_shred(&s, &COLUMN, 0, 1, &shred, &err) == 0);
    CHECK(shred.levels.n == 2 && shred.slots.n_rows == 2);
    bp_pq_shred_release(&shred);
    bp_pq_pieces_drop(&s, 1); /* what the row before left in the next is not of the next row */
    NEED(bp_pq_pieces_shred(&s, &COLUMN, 1, 2, &shred, &err) == 0);
    CHECK(shred.levels.n == 2 && shred.slots.n_rows == 0);
    bp_pq_shred_release(&shred);
    bp_pq_pieces_release(&s);
}

/* struct(x integer[][], y integer): ({{1,NULL},{}},7), NULL, (NULL,8), ({NULL,{2}},NULL) */
static void add_rows(struct bp_builder *b)
{
    static const int v[] = {1, 2, 7, 8};
    struct bp_builder *x, *y, *in, *leaf;
    struct bp_err err = {0};

    NEED(bp_builder_reserve(b, 4, &err) == 0);
    x = &b->kids[0], y = &b->kids[1];
    NEED(bp_builder_reserve(x, 4, &err) == 0);
    in = &x->kids[0];
    NEED(bp_builder_reserve(in, 4, &err) == 0);
    leaf = &in->kids[0];
    NEED(bp_builder_add(leaf, &v[0], &err) == 0 && bp_builder_add_null(leaf, &err) == 0);
    NEED(bp_builder_add_nested(in, &err) == 0 && bp_builder_add_nested(in, &err) == 0);
    NEED(bp_builder_add_nested(x, &err) == 0 && bp_builder_add(y, &v[2], &err) == 0);
    NEED(bp_builder_add_nested(b, &err) == 0 && bp_builder_add_null(b, &err) == 0);
    NEED(bp_builder_add_null(x, &err) == 0 && bp_builder_add(y, &v[3], &err) == 0);
    NEED(bp_builder_add_nested(b, &err) == 0 && bp_builder_add_null(in, &err) == 0);
    NEED(bp_builder_add(leaf, &v[1], &err) == 0 && bp_builder_add_nested(in, &err) == 0);
    NEED(bp_builder_add_nested(x, &err) == 0 && bp_builder_add_null(y, &err) == 0);
    NEED(bp_builder_add_nested(b, &err) == 0);
}

static void rows_become_entries(void)
{
    struct bp_schema schema = {0};
    struct bp_pq_leaves leaves = {0};
    struct bp_pq_entries e = {0};
    struct bp_column c, values, part;
    struct bp_builder b;
    struct bp_err err = {0};
    bool star;

    NEED(bp_schema_parse("i int, s struct(x int[][], y int), n int[] NOT NULL", &schema, &star,
                         &err) == 0);
    NEED(bp_pq_leaves_list(&leaves, &schema, &err) == 0);
    NEED(leaves.n == 4);
    CHECK(strcmp(leaves.items[1].name, "s.x.list.element.list.element") == 0);
    CHECK(leaves.items[1].max_def == 6 && leaves.items[1].max_rep == 2);
    CHECK(leaves.items[3].max_def == 2 && bp_pq_leaves_of(&leaves, 2) == 3);
    bp_builder_init(&b, schema.fields[1].type);
    add_rows(&b);
    NEED(bp_builder_finish(&b, &c, &err) == 0);

    NEED(bp_pq_entries_of(&leaves.items[1], &c, &e, &values, &err) == 0);
    CHECK(e.n == 7 && e.n_present == 2 && values.n_rows == 3 && values.n_nulls == 1);
    CHECK(memcmp(e.def.data, ((uint8_t[]){6, 5, 4, 0, 1, 3, 6}), 7) == 0);
    CHECK(memcmp(e.rep.data, ((uint8_t[]){0, 2, 1, 0, 0, 0, 1}), 7) == 0);
    bp_column_release(&values);
    NEED(bp_pq_entries_of(&leaves.items[2], &c, &e, &values, &err) == 0);
    CHECK(e.n == 4 && memcmp(e.def.data, ((uint8_t[]){2, 0, 2, 1}), 4) == 0);
    bp_column_release(&values);

    NEED(bp_column_slice(&part, &c, 2, 2, &err) == 0); /* offsets that do not begin at 0 */
    NEED(bp_pq_entries_of(&leaves.items[1], &part, &e, &values, &err) == 0);
    CHECK(e.n == 3 && memcmp(e.def.data, ((uint8_t[]){1, 3, 6}), 3) == 0);
    CHECK(values.n_rows == 1 && *(const int32_t *)values.data == 2);
    bp_column_release(&values);
    bp_column_release(&part);
    leaves.items[1].nullable = false;
    CHECK(bp_pq_entries_of(&leaves.items[1], &c, &e, &values, &err) < 0);
    bp_column_release(&c);
    bp_pq_entries_release(&e);
    bp_pq_leaves_release(&leaves);
    bp_schema_release(&schema);
}

UNIT_MAIN(T(rows_are_counted_and_found), T(older_levels_are_packed_from_the_top),
          T(rows_go_on_from_piece_to_piece), T(rows_become_entries))
