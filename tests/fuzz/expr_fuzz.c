/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a clause of each kind over a table of all kinds of columns, with
 * nulls and extremes: no crash, and what is parsed evaluates or fails with a
 * message.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "col/text.h"
#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_ROWS 5

static const char schema_text[] =
    "b boolean, i int, l bigint, u ubigint, s smallint, r real, f double precision,"
    " n decimal(10,2), m decimal(38,0), t text, d date, ts timestamp, tz timestamptz, tm time,"
    " iv interval";

/* columns of N_ROWS cells; NULL is NULL */
static const char *const cells[][N_ROWS] = {
    {"true", "false", NULL, "true", "false"},
    {"0", "-1", NULL, "2147483647", "-2147483648"},
    {"0", "-1", NULL, "9223372036854775807", "-9223372036854775808"},
    {"0", "1", NULL, "18446744073709551615", "9223372036854775808"},
    {"0", "-1", NULL, "32767", "-32768"},
    {"0", "NaN", NULL, "Infinity", "-1e-45"},
    {"-0", "NaN", NULL, "1.7976931348623157e308", "-Infinity"},
    {"0", "-0.01", NULL, "99999999.99", "-99999999.99"},
    {"0", "-1", NULL, "99999999999999999999999999999999999999",
     "-99999999999999999999999999999999999999"},
    {"", "a%b_c\\", NULL, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "2020-02-29 12:00:00"},
    {"1970-01-01", "2024-02-29", NULL, "9999-12-31", "0001-01-01"},
    {"1970-01-01 00:00:00", "2024-02-29 23:59:59.999999", NULL, "9999-12-31 23:59:59.999999",
     "0001-01-01 00:00:00"},
    {"1970-01-01 00:00:00+00", "2024-02-29 23:59:59.999999+00", NULL, "9999-12-31 00:00:00+00",
     "0001-01-01 00:00:00+00"},
    {"00:00:00", "23:59:59.999999", NULL, "12:00:00", "00:00:01"},
    {"0", "1 mon -1 day", NULL, "100 years 00:00:00.000001", "-1 mon"},
};

static struct bp_schema schema;
static struct bp_batch batch;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void make_column(int c, struct bp_err *err)
{
    struct bp_type type = schema.fields[c].type;
    struct bp_builder k;

    bp_builder_init(&k, type);
    for (int r = 0; r < N_ROWS; r++) {
        const char *s = cells[c][r];
        bp_int128 v[2] = {0, 0};

        if (!s)
            must(bp_builder_add_null(&k, err) == 0);
        else if (type.kind == BP_TEXT)
            must(bp_builder_add_bytes(&k, s, strlen(s), err) == 0);
        else
            must(bp_text_parse(type, s, strlen(s), v) == BP_TEXT_OK &&
                 bp_builder_add(&k, v, err) == 0);
    }
    must(bp_builder_finish(&k, &batch.cols[c], err) == 0);
}

static void make_table(void)
{
    struct bp_err err = {0};
    bool star;

    must(bp_schema_parse(schema_text, &schema, &star, &err) == 0);
    must(schema.n_fields == (int)BP_COUNT_OF(cells));
    must(bp_batch_init(&batch, schema.n_fields, &err) == 0);
    for (int c = 0; c < schema.n_fields; c++)
        make_column(c, &err);
    batch.n_rows = N_ROWS;
}

static void check_err(int rc, const struct bp_err *err)
{
    must(rc < 0 ? err->code == rc && err->msg[0] : err->code == 0);
}

static void eval(const struct bp_expr *e)
{
    struct bp_err err = {0};
    struct bp_buf text = {0};
    struct bp_column v;
    int rc;

    if (!e)
        return;
    rc = bp_expr_eval(e, &batch, &v, &err);
    check_err(rc, &err);
    if (rc < 0)
        return;
    must(v.n_rows == N_ROWS && bp_type_equal(v.type, bp_expr_type(e)));
    for (int64_t i = 0; i < v.n_rows; i++)
        if (!bp_column_is_null(&v, i) && bp_type_is_bytes(v.type)) {
            size_t n, bad_at;
            const uint8_t *p = bp_column_bytes(&v, i, &n);

            must(v.type.kind != BP_TEXT || bp_utf8_check(p, n, &bad_at));
        } else if (!bp_column_is_null(&v, i)) {
            must(bp_text_append(&v, i, &text, &err) == 0);
        }
    bp_buf_release(&text);
    bp_column_release(&v);
}

static void try_expr(const struct bp_clause *c)
{
    struct bp_err err = {0};
    struct bp_expr *e;
    int32_t sel[N_ROWS];
    int64_t n = 0;
    int rc = bp_expr_parse(c, &schema, &e, &err);

    check_err(rc, &err);
    if (rc == 0) {
        eval(e);
        bp_expr_free(e);
    }
    bp_err_clear(&err);
    rc = bp_expr_parse_where(c, &schema, &e, &err);
    check_err(rc, &err);
    if (rc < 0)
        return;
    rc = bp_expr_select(e, &batch, sel, &n, &err);
    check_err(rc, &err);
    must(rc < 0 || (n >= 0 && n <= N_ROWS));
    bp_expr_free(e);
}

static void try_lists(const struct bp_clause *c)
{
    struct bp_err err = {0};
    struct bp_agg_items aggs;
    struct bp_items items;
    struct bp_order order;

    if (bp_expr_parse_list(c, &schema, &items, &err) == 0) {
        for (int i = 0; i < items.n; i++)
            eval(items.items[i].expr);
        bp_items_release(&items);
    }
    bp_err_clear(&err);
    if (bp_expr_parse_aggs(c, &schema, &aggs, &err) == 0) {
        for (int i = 0; i < aggs.n; i++) {
            for (int a = 0; a < aggs.items[i].n_args; a++)
                eval(aggs.items[i].args[a]);
            eval(aggs.items[i].filter);
        }
        bp_agg_items_release(&aggs);
    }
    bp_err_clear(&err);
    if (bp_expr_parse_order(c, &schema, &order, &err) == 0) {
        for (int i = 0; i < order.n; i++)
            eval(order.items[i].expr);
        bp_order_release(&order);
    }
}

static void free_names(char **names, int n)
{
    for (int i = 0; i < n; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
}

static void try_names(const struct bp_clause *c)
{
    struct bp_err err = {0};
    struct bp_join_keys keys;
    char **a, **b;
    int n;

    if (bp_expr_split_list(c, &a, &n, &err) == 0)
        free_names(a, n);
    bp_err_clear(&err);
    if (bp_expr_parse_names(c->text, &a, &n, &err) == 0)
        free_names(a, n);
    bp_err_clear(&err);
    if (bp_expr_parse_renames(c->text, &a, &b, &n, &err) == 0) {
        free_names(a, n);
        free_names(b, n);
    }
    bp_err_clear(&err);
    if (bp_expr_parse_join_keys(c->text, &keys, &err) == 0)
        bp_join_keys_release(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bp_var vars[] = {{"n", "2"}, {"day", "2020-01-01"}};
    struct bp_clause c = {.vars = vars, .n_vars = 2};
    struct bp_err err = {0};
    char *text;

    if (!schema.n_fields)
        make_table();
    text = bp_mem_strn((const char *)data, size, &err);
    if (!text)
        return 0;
    c.text = text;
    try_expr(&c);
    try_lists(&c);
    try_names(&c);
    bp_mem_free(text);
    return 0;
}
