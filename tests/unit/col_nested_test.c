/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and structs: types, and columns against a naive model, their text. */
#include <stdlib.h>

#include "col_random.h"

static bool prints(const char *s, const char *as)
{
    struct bp_buf b = {0};
    struct bp_err err = {0};
    bool same = bp_type_print(parse(s), &b, &err) == 0 && b.len == strlen(as) &&
                memcmp(b.data, as, b.len) == 0;

    bp_buf_release(&b);
    return same;
}

static void type_names_are_read_back(void)
{
    CHECK(prints("int[]", "integer[]"));
    CHECK(prints("struct( a int , \"b \"\"c\" text[] ) [ ]",
                 "struct(a integer, \"b \"\"c\" text[])[]"));
    CHECK(prints("map(text, decimal(5,2))", "struct(key text, value decimal(5,2))[]"));
    CHECK(prints("timestamp(3)[][]", "timestamp(3)[][]"));
}

static void equal_types_are_one(void)
{
    CHECK(
        bp_type_equal(parse("struct(a int, b text[])[]"), parse("struct(a integer, b text[]) []")));
    CHECK(!bp_type_equal(parse("struct(a int)"), parse("struct(b int)")));
    CHECK(!bp_type_equal(parse("int[]"), parse("bigint[]")));
    CHECK(!bp_type_equal(parse("int[]"), parse("int[][]")));
    CHECK(!bp_type_equal(parse("int[]"), parse("struct(item int)")));
}

static void wrong_types_are_refused(void)
{
    static const char *const bad[] = {"int[3]",   "int[",     "struct(a)",      "struct(a int",
                                      "struct()", "map(int)", "struct(a int,)", "struct(\"a int)"};
    char deep[400] = "int";
    struct bp_type t;
    size_t used;

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++) {
        struct bp_err err = {0};

        CHECK(bp_type_parse(bad[i], strlen(bad[i]), &used, &t, &err) == BP_EUSAGE);
    }
    for (int i = 0; i < 100; i++)
        strcat(deep, "[]");
    CHECK(bp_type_parse(deep, strlen(deep), &used, &t, &(struct bp_err){0}) == BP_EUSAGE);
}

static void a_field_is_found_by_name(void)
{
    struct bp_type t = parse("struct(a int, A int, bb int)");

    CHECK(bp_type_field(t, "A", 1) == 1);
    CHECK(bp_type_field(t, "BB", 2) == 2);
    CHECK(bp_type_field(t, "c", 1) == -1);
}

/* ---- columns ---- */

static const char *const kinds[] = {
    "int[]",
    "text[]",
    "boolean[][]",
    "struct(a int, b text, c boolean)",
    "struct(a int[], b struct(c text))",
    "struct(k text, v decimal(10,0)[])[]",
};

#define ROWS 200

/* Null slots hold nothing, offsets rise, fields have the struct's rows. */
static bool is_sound(const struct bp_column *c)
{
    const int32_t *off = c->data;
    int64_t n_nulls = 0;

    for (int64_t i = 0; i < c->n_rows; i++) {
        bool is_null = bp_column_is_null(c, i);

        n_nulls += is_null;
        if (c->type.kind == BP_LIST && (off[i + 1] < off[i] || (is_null && off[i + 1] != off[i])))
            return false;
        for (int k = 0; c->type.kind == BP_STRUCT && k < c->kids->n; k++)
            if (is_null && !bp_column_is_null(&c->kids->cols[k], i))
                return false;
    }
    for (int k = 0; c->kids && k < c->kids->n; k++)
        if (!is_sound(&c->kids->cols[k]) ||
            (c->type.kind == BP_STRUCT && c->kids->cols[k].n_rows != c->n_rows))
            return false;
    return n_nulls == c->n_nulls;
}

static void check_kind(const char *type)
{
    struct bp_err err = {0};
    struct bp_column c, d, back;
    int32_t idx[ROWS];
    uint64_t refs[ROWS], hash[2 * ROWS];
    const struct bp_column *srcs[2] = {&c, &d}, *one = &back;

    NEED(make(&c, type, ROWS, &err) == 0 && make(&d, type, ROWS, &err) == 0);
    CHECK(is_sound(&c));
    for (int i = 0; i < ROWS; i++) {
        idx[i] = (int32_t)rnd(ROWS + 1) - 1;
        refs[i] = rnd(10) == 0 ? UINT64_MAX : (uint64_t)rnd(2) << 32 | rnd(ROWS);
    }
    NEED(bp_column_slice(&back, &c, 13, 101, &err) == 0);
    CHECK(is_sound(&back) && back.n_rows == 101);
    for (int i = 0; i < 101; i++)
        CHECK(same_row(&back, i, &c, 13 + i));
    CHECK(bp_column_size_bytes(&back) == bp_column_range_bytes(&c, 13, 101));
    bp_column_release(&back);
    NEED(bp_column_gather(&back, &c, idx, ROWS, &err) == 0);
    CHECK(is_sound(&back));
    for (int i = 0; i < ROWS; i++)
        CHECK(idx[i] < 0 ? bp_column_is_null(&back, i) : same_row(&back, i, &c, idx[i]));
    bp_column_release(&back);
    NEED(bp_column_gather_many(&back, srcs, 2, refs, ROWS, &err) == 0);
    CHECK(is_sound(&back));
    for (int i = 0; i < ROWS; i++)
        CHECK(refs[i] == UINT64_MAX
                  ? bp_column_is_null(&back, i)
                  : same_row(&back, i, srcs[refs[i] >> 32], (int64_t)(uint32_t)refs[i]));
    bp_column_release(&back);
    NEED(bp_column_concat(&back, srcs, 2, &err) == 0);
    CHECK(is_sound(&back) && back.n_rows == 2 * ROWS);
    NEED(bp_key_hash(&one, 1, 2 * ROWS, hash, &err) == 0);
    for (int i = 0; i < 2 * ROWS; i++) {
        CHECK(same_row(&back, i, srcs[i / ROWS], i % ROWS));
        for (int k = 0; k < i; k++)
            CHECK(bp_key_equal(&back, i, &back, k) == (hash[i] == hash[k]));
    }
    bp_column_release(&back);
    bp_column_release(&c);
    bp_column_release(&d);
}

static void rows_survive_slices_gathers_and_concatenation(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(kinds); i++)
        check_kind(kinds[i]);
}

static void nulls_of_any_type_are_sound(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(kinds); i++) {
        struct bp_column c;
        struct bp_err err = {0};

        NEED(bp_column_nulls(&c, parse(kinds[i]), 5, &err) == 0);
        CHECK(is_sound(&c) && c.n_nulls == 5);
        bp_column_release(&c);
    }
}

/* ---- text: what PostgreSQL 15 prints for the same values ---- */

static bool says(const struct bp_column *c, int64_t i, const char *want)
{
    struct bp_buf b = {0};
    struct bp_err err = {0};
    bool same = bp_text_append(c, i, &b, &err) == 0 && b.len == strlen(want) &&
                memcmp(b.data, want, b.len) == 0;

    if (!same)
        printf("# %.*s, not %s\n", (int)b.len, (const char *)b.data, want);
    bp_buf_release(&b);
    return same;
}

static int add_texts(struct bp_builder *b, const char *const *s, int n, struct bp_err *err)
{
    for (int i = 0; i < n; i++)
        BP_TRY(s[i] ? bp_builder_add_bytes(b, s[i], strlen(s[i]), err)
                    : bp_builder_add_null(b, err));
    return 0;
}

static void text_is_postgresqls(void)
{
    static const char *const v[] = {"a", NULL, "", "null", "b c", "{", ",", "q\"\\"};
    struct bp_column list, rows;
    struct bp_err err = {0};
    struct bp_builder b;

    bp_builder_init(&b, parse("text[]"));
    NEED(bp_builder_reserve(&b, 1, &err) == 0 && add_texts(&b.kids[0], v, 8, &err) == 0);
    NEED(bp_builder_add_nested(&b, &err) == 0 && bp_builder_add_nested(&b, &err) == 0);
    NEED(bp_builder_finish(&b, &list, &err) == 0);
    CHECK(says(&list, 0, "{a,NULL,\"\",\"null\",\"b c\",\"{\",\",\",\"q\\\"\\\\\"}"));
    CHECK(says(&list, 1, "{}"));
    bp_builder_init(&b, parse("struct(t text, l text[], f boolean)"));
    NEED(bp_builder_reserve(&b, 1, &err) == 0);
    NEED(add_texts(&b.kids[0], v + 7, 1, &err) == 0);
    NEED(bp_builder_add_rows(&b.kids[1], &list, 1, 1, &err) == 0);
    NEED(bp_builder_add_null(&b.kids[2], &err) == 0 && bp_builder_add_nested(&b, &err) == 0);
    NEED(add_texts(&b.kids[0], v + 2, 1, &err) == 0);
    NEED(bp_builder_add_rows(&b.kids[1], &list, 0, 1, &err) == 0);
    NEED(bp_builder_add(&b.kids[2], &(uint8_t){1}, &err) == 0);
    NEED(bp_builder_add_nested(&b, &err) == 0 && bp_builder_finish(&b, &rows, &err) == 0);
    CHECK(says(&rows, 0, "(\"q\"\"\\\\\",{},)"));
    CHECK(says(&rows, 1,
               "(\"\",\"{a,NULL,\"\"\"\",\"\"null\"\",\"\"b c\"\",\"\"{\"\",\"\",\"\","
               "\"\"q\\\\\"\"\\\\\\\\\"\"}\",t)"));
    bp_column_release(&list);
    bp_column_release(&rows);
}

UNIT_MAIN(T(type_names_are_read_back), T(equal_types_are_one), T(wrong_types_are_refused),
          T(a_field_is_found_by_name), T(rows_survive_slices_gathers_and_concatenation),
          T(nulls_of_any_type_are_sound), T(text_is_postgresqls))
