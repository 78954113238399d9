/* SPDX-License-Identifier: Apache-2.0 */
/* lib/fmt: show, cell, width. */
#include "fmt/show.h"

#include <stdlib.h>

#include "fmt/cell.h"
#include "fmt/width.h"
#include "unit.h"

/* ---- a source of one text literal a value; NULL is null ---- */

struct source {
    struct bp_batch batches[4];
    int n, at;
    int pulls;
    bool fails; /* after the batches, instead of the end */
};

static int source_next(void *self, struct bp_batch *out, struct bp_err *e)
{
    struct source *s = self;

    s->pulls++;
    if (s->at == s->n && s->fails)
        return bp_fail(e, BP_EUPSTREAM, "the upstream ended early");
    if (s->at == s->n)
        return BP_DONE;
    bp_batch_move(out, &s->batches[s->at++]);
    return 0;
}

static void source_free(void *self)
{
    struct source *s = self;

    for (int i = s->at; i < s->n; i++)
        bp_batch_release(&s->batches[i]);
}

static const struct bp_source_ops source_ops = {.next = source_next, .free = source_free};

static struct bp_err err;

static void add_value(struct bp_builder *b, const char *text)
{
    struct bp_type t = b->type;
    int64_t n;
    uint8_t flag;
    bp_int128 dec;
    int rc;

    if (!text) {
        rc = bp_builder_add_null(b, &err);
    } else if (bp_type_is_bytes(t)) {
        rc = bp_builder_add_bytes(b, text, strlen(text), &err);
    } else if (t.kind == BP_BOOL) {
        flag = text[0] == 't';
        rc = bp_builder_add(b, &flag, &err);
    } else {
        n = strtoll(text, NULL, 10);
        dec = n;
        rc = bp_builder_add(b, t.kind == BP_DECIMAL ? (void *)&dec : (void *)&n, &err);
    }
    CHECK(rc == 0);
}

/* One more batch: n_rows rows of values, row by row. */
static void add_batch(struct source *s, const struct bp_schema *schema, int n_rows,
                      const char *const values[])
{
    struct bp_batch *b = &s->batches[s->n++];

    NEED(bp_batch_init(b, schema->n_fields, &err) == 0);
    b->n_rows = n_rows;
    for (int i = 0; i < schema->n_fields; i++) {
        struct bp_builder builder;

        bp_builder_init(&builder, schema->fields[i].type);
        for (int row = 0; row < n_rows; row++)
            add_value(&builder, values[row * schema->n_fields + i]);
        NEED(bp_builder_finish(&builder, &b->cols[i], &err) == 0);
        bp_builder_release(&builder);
    }
}

static void open_source(struct bp_source *src, struct source *s, const char *schema)
{
    bool star;

    memset(s, 0, sizeof *s);
    *src = (struct bp_source){.ops = &source_ops, .self = s};
    NEED(bp_schema_parse(schema, &src->schema, &star, &err) == 0);
}

/* What is shown; static, valid until the next call. Frees src. */
static const char *shown(struct bp_source *src, struct bp_show_opts opts)
{
    static char text[20000];
    struct bp_buf out = {0};

    bp_err_clear(&err);
    text[0] = '\0';
    CHECK(bp_show_table(src, &opts, &out, &err) == 0);
    CHECK(out.len < sizeof text);
    if (out.len < sizeof text) {
        memcpy(text, out.data, out.len);
        text[out.len] = '\0';
    }
    bp_buf_release(&out);
    bp_source_free(src);
    return text;
}

static const struct bp_show_opts all = {.n_rows = -1};

static void numbers_stand_right_text_left_types_below(void)
{
    static const char *const rows[] = {"1", "a", "150", NULL, "bcd", "-7", "300", NULL, NULL};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "n bigint, name text, money decimal(10,2)");
    add_batch(&s, &src.schema, 3, rows);
    CHECK_STR(shown(&src, all), "     n  name          money\n"
                                "bigint  text  decimal(10,2)\n"
                                "──────  ────  ─────────────\n"
                                "     1  a              1.50\n"
                                "  NULL  bcd           -0.07\n"
                                "   300  NULL           NULL\n"
                                "(3 rows)\n");
}

static void null_differs_from_the_text_null_and_from_nothing(void)
{
    static const char *const rows[] = {"NULL", "x", NULL, "x", "", "x"};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "a text, b text");
    add_batch(&s, &src.schema, 3, rows);
    CHECK_STR(shown(&src, all), "a       b\n"
                                "text    text\n"
                                "──────  ────\n"
                                "\"NULL\"  x\n"
                                "NULL    x\n"
                                "        x\n"
                                "(3 rows)\n");
}

static void it_says_whether_more_rows_follow(void)
{
    static const char *const rows[] = {"1", "2", "3"};
    struct bp_source src;
    struct source s;
    const char *text;

    open_source(&src, &s, "n bigint");
    add_batch(&s, &src.schema, 2, rows);
    add_batch(&s, &src.schema, 0, rows);
    add_batch(&s, &src.schema, 1, rows);
    text = shown(&src, (struct bp_show_opts){.n_rows = 2});
    CHECK(strstr(text, "     2\n2 rows shown, more follow\n"));
    CHECK(s.pulls == 3); /* the row that follows was seen, no more was asked for */

    open_source(&src, &s, "n bigint");
    add_batch(&s, &src.schema, 2, rows);
    add_batch(&s, &src.schema, 0, rows);
    text = shown(&src, (struct bp_show_opts){.n_rows = 2});
    CHECK(strstr(text, "     2\n(2 rows)\n"));

    open_source(&src, &s, "n bigint");
    add_batch(&s, &src.schema, 1, rows);
    text = shown(&src, (struct bp_show_opts){.n_rows = 0});
    CHECK(strstr(text, "──────\n0 rows shown, more follow\n"));
}

static void an_input_that_is_not_whole_is_no_table(void)
{
    static const char *const rows[] = {"1", "2"};
    struct bp_buf out = {0};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "n bigint");
    add_batch(&s, &src.schema, 2, rows);
    s.fails = true;
    bp_err_clear(&err);
    CHECK(bp_show_table(&src, &all, &out, &err) == BP_EUPSTREAM);
    CHECK_STR(err.msg, "the upstream ended early");
    bp_buf_release(&out);
    bp_source_free(&src);
}

static void a_table_without_rows_has_its_head(void)
{
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "a bigint, b text, c double precision");
    CHECK_STR(shown(&src, all), "     a  b          c\n"
                                "bigint  text  float8\n"
                                "──────  ────  ──────\n(0 rows)\n");
}

static void a_table_without_columns_is_counted(void)
{
    struct bp_source src;
    struct source s;

    memset(&s, 0, sizeof s);
    src = (struct bp_source){.ops = &source_ops, .self = &s};
    s.n = 1;
    NEED(bp_batch_init(&s.batches[0], 0, &err) == 0);
    s.batches[0].n_rows = 5;
    CHECK_STR(shown(&src, all), "(5 rows), no columns\n");
}

static void text_shrinks_before_anything_is_left_out(void)
{
    static const char *const rows[] = {"a long text that goes on", "123456789012345678", "another"};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "one text, n bigint, two text");
    add_batch(&s, &src.schema, 1, rows);
    CHECK_STR(shown(&src, (struct bp_show_opts){.n_rows = -1, .width_cols = 40}),
              "one                           n  two\n"
              "text                     bigint  text\n"
              "───────────  ──────────────────  ───────\n"
              "a long tex…  123456789012345678  another\n"
              "(1 row)\n");
}

static void the_middle_gives_way_when_shrinking_is_not_enough(void)
{
    static const char *const rows[] = {"11111111", "22222222", "33333333", "44444444"};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "a bigint, b bigint, c bigint, d bigint");
    add_batch(&s, &src.schema, 1, rows);
    CHECK_STR(shown(&src, (struct bp_show_opts){.n_rows = -1, .width_cols = 34}),
              "       a         b  …         d\n"
              "  bigint    bigint  …    bigint\n"
              "────────  ────────  ─  ────────\n"
              "11111111  22222222  …  44444444\n"
              "(1 row); 3 of 4 columns, -x shows all\n");
}

static void the_first_column_is_always_there(void)
{
    static const char *const rows[] = {"11111111", "22222222"};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "a bigint, b bigint");
    add_batch(&s, &src.schema, 1, rows);
    CHECK(strstr(shown(&src, (struct bp_show_opts){.n_rows = -1, .width_cols = 3}),
                 "\n11111111  …\n"));
}

static void numbers_are_never_cut(void)
{
    static const char *const rows[] = {"1234567890123", "text of some length"};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "n bigint, t text");
    add_batch(&s, &src.schema, 1, rows);
    CHECK(strstr(shown(&src, (struct bp_show_opts){.n_rows = -1, .width_cols = 20, .max_cell = 5}),
                 "\n1234567890123  text…\n"));
}

static void expanded_is_one_line_a_column(void)
{
    static const char *const rows[] = {"1", "x", NULL, "y"};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "n bigint, comment text");
    add_batch(&s, &src.schema, 2, rows);
    CHECK_STR(shown(&src, (struct bp_show_opts){.n_rows = -1, .expanded = true}),
              "── row 1 ───────\n"
              "n        bigint  1\n"
              "comment  text    x\n"
              "── row 2 ───────\n"
              "n        bigint  NULL\n"
              "comment  text    y\n"
              "(2 rows)\n");
}

static void color_dims_nulls_and_types_and_closes_what_it_opens(void)
{
    static const char *const rows[] = {NULL};
    struct bp_source src;
    struct source s;

    open_source(&src, &s, "a text");
    add_batch(&s, &src.schema, 1, rows);
    CHECK_STR(shown(&src, (struct bp_show_opts){.n_rows = -1, .color = true}),
              "\033[1ma\033[0m\n\033[2mtext\033[0m\n\033[2m────\033[0m\n"
              "\033[2mNULL\033[0m\n\033[2m(1 row)\033[0m\n");
}

/* ---- cells ---- */

static const char *cell(const char *s, size_t n, int max_width, int64_t *width)
{
    static char text[400];
    struct bp_buf out = {0};

    CHECK(bp_cell_text(&out, s, n, max_width, width, &err) == 0);
    snprintf(text, sizeof text, "%.*s", (int)out.len, out.data ? (const char *)out.data : "");
    bp_buf_release(&out);
    return text;
}

static void control_characters_cannot_reach_the_terminal(void)
{
    int64_t w;

    CHECK_STR(cell("a\nb\tc\x1b[31m\x7f", 11, 0, &w), "a\\nb\\tc\\x1b[31m\\x7f");
    CHECK(w == 19);
    CHECK_STR(cell("\xc2\x9b", 2, 0, &w), "\\u009b");
    CHECK_STR(cell("a\xe2\x80\xae"
                   "b",
                   5, 0, &w),
              "a\\u202eb");
    CHECK_STR(cell("a\0b", 3, 0, &w), "a\\x00b");
}

static void bytes_that_are_no_utf8_are_shown_as_bytes(void)
{
    int64_t w;

    CHECK_STR(cell("\xff\xc3", 2, 0, &w), "\\xff\\xc3");
    CHECK_STR(cell("\xed\xa0\x80", 3, 0, &w), "\\xed\\xa0\\x80"); /* a surrogate */
    CHECK_STR(cell("\xc0\x80", 2, 0, &w), "\\xc0\\x80");          /* too long a form */
    CHECK_STR(cell("\xf4\x90\x80\x80", 4, 0, &w), "\\xf4\\x90\\x80\\x80");
}

static void wide_and_combining_characters_have_their_width(void)
{
    int64_t w;

    CHECK(bp_char_width('a') == 1);
    CHECK(bp_char_width(0xE9) == 1);
    CHECK(bp_char_width(0x301) == 0);
    CHECK(bp_char_width(0x4E2D) == 2);
    CHECK(bp_char_width(0xAC00) == 2);
    CHECK(bp_char_width(0xFF21) == 2);
    CHECK(bp_char_width(0x1F600) == 2);
    CHECK(bp_char_width(0xE01EF) == 0);
    CHECK(bp_char_width(0x10FFFD) == 1);
    cell("e\xcc\x81\xe4\xb8\xad", 6, 0, &w);
    CHECK(w == 3);
}

static void a_cut_cell_keeps_to_its_width(void)
{
    int64_t w;

    CHECK_STR(cell("abcdef", 6, 6, &w), "abcdef");
    CHECK_STR(cell("abcdef", 6, 5, &w), "abcd…");
    CHECK(w == 5);
    CHECK_STR(cell("\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97", 9, 4, &w), "中…"); /* no half of one */
    CHECK(w == 3);
    CHECK_STR(cell("abcde\xcc\x81", 7, 5, &w), "abcde\xcc\x81");
    CHECK_STR(cell("a\x1b", 2, 4, &w), "a…");
    CHECK_STR(cell("ab", 2, 1, &w), "…");
}

static void a_heap_of_combining_characters_is_cut(void)
{
    char s[4001] = "a";
    struct bp_buf out = {0};
    int64_t w;

    for (int i = 1; i < 4001; i += 2)
        memcpy(s + i, "\xcc\x81", 2);
    CHECK(bp_cell_text(&out, s, sizeof s, 10, &w, &err) == 0);
    CHECK(out.len < 300);
    CHECK(w <= 10);
    bp_buf_release(&out);
}

/* ---- schemas ---- */

static const char *schema_text(const char *schema, int (*show)(const struct bp_schema *,
                                                               struct bp_buf *, struct bp_err *))
{
    static char text[2000];
    struct bp_schema s = {0};
    struct bp_buf out = {0};
    bool star;

    CHECK(bp_schema_parse(schema, &s, &star, &err) == 0);
    CHECK(bp_schema_set_meta(&s, "bp.task", "1/\"2\"\n", &err) == 0);
    CHECK(show(&s, &out, &err) == 0);
    snprintf(text, sizeof text, "%.*s", (int)out.len, (const char *)out.data);
    bp_buf_release(&out);
    bp_schema_release(&s);
    return text;
}

static void the_tree_is_what_print_schema_draws(void)
{
    CHECK_STR(schema_text("zone integer NOT NULL, \"a b\" decimal(10,2)", bp_show_schema_tree),
              "root\n"
              " |-- zone: integer (nullable = false)\n"
              " |-- a b: decimal(10,2) (nullable = true)\n");
}

static void json_is_json_whatever_the_names(void)
{
    CHECK_STR(schema_text("\"a\"\"\\b\" integer NOT NULL, c text", bp_show_schema_json),
              "{\n  \"fields\": [\n"
              "    {\"name\": \"a\\\"\\\\b\", \"type\": \"integer\", \"nullable\": false},\n"
              "    {\"name\": \"c\", \"type\": \"text\", \"nullable\": true}\n"
              "  ],\n"
              "  \"metadata\": {\n"
              "    \"bp.task\": \"1/\\\"2\\\"\\u000a\"\n"
              "  }\n}\n");
}

UNIT_MAIN(T(numbers_stand_right_text_left_types_below),
          T(null_differs_from_the_text_null_and_from_nothing), T(it_says_whether_more_rows_follow),
          T(an_input_that_is_not_whole_is_no_table), T(a_table_without_rows_has_its_head),
          T(a_table_without_columns_is_counted), T(text_shrinks_before_anything_is_left_out),
          T(the_middle_gives_way_when_shrinking_is_not_enough), T(the_first_column_is_always_there),
          T(numbers_are_never_cut), T(expanded_is_one_line_a_column),
          T(color_dims_nulls_and_types_and_closes_what_it_opens),
          T(control_characters_cannot_reach_the_terminal),
          T(bytes_that_are_no_utf8_are_shown_as_bytes),
          T(wide_and_combining_characters_have_their_width), T(a_cut_cell_keeps_to_its_width),
          T(a_heap_of_combining_characters_is_cut), T(the_tree_is_what_print_schema_draws),
          T(json_is_json_whatever_the_names))
