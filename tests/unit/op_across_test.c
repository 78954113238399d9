/* SPDX-License-Identifier: Apache-2.0 */
/* Pivot: an aggregate for each value of an expression, as if written out with FILTER. */
#include "op/op.h"
#include "op_table.h"

#define ROWS 700
#define VALUES 6 /* of a, and NULL */

static const char *const aggs[][2] = {
    {"count(*) AS n", "count(*)"},
    {"sum(x) AS s", "sum(x)"},
    {"string_agg(t, '-') AS g", "string_agg(t, '-')"},
    {"first(x ORDER BY t) AS f", "first(x ORDER BY t)"},
};
static const char *const keys[] = {"k", "k, j", "j % 3", NULL};

/* k text of 40 values and NULL, j int, a int of VALUES values and NULL, x int, t text. */
static struct bp_source rows(int n, int batch_rows)
{
    static char text[65536];
    size_t len = 0;

    for (unsigned i = 0, v = 99; i < (unsigned)n; i++) {
        v = v * 1103515245u + 12345u;
        if (v >> 9 & 15)
            len += (size_t)snprintf(text + len, sizeof text - len, "k%u,", v >> 11 & 39);
        else
            len += (size_t)snprintf(text + len, sizeof text - len, "NULL,");
        len += (size_t)snprintf(text + len, sizeof text - len, "%u,", v >> 16 & 7);
        if ((v >> 19) % (VALUES + 1) == VALUES)
            len += (size_t)snprintf(text + len, sizeof text - len, "NULL,");
        else
            len += (size_t)snprintf(text + len, sizeof text - len, "%u,",
                                    (v >> 19) % (VALUES + 1) * 2 + 3);
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%u,t%u;", v >> 7 & 127, v >> 20 & 255);
    }
    text[len] = 0;
    return table("k text, j int, a int, x int, t text", text, batch_rows);
}

static struct bp_source reduced(struct bp_source in, enum bp_reduce_form form, const char *k,
                                const char *across, const char *list, struct bp_ctx *ctx)
{
    struct bp_clause kc = {.text = k}, xc = {.text = across}, ac = {.text = list};
    struct bp_reduce_opts o = {.form = form,
                               .keys = k ? &kc : NULL,
                               .across = across ? &xc : NULL,
                               .aggs = list ? &ac : NULL};
    struct bp_source out = {0};
    struct bp_err err = {0};

    table_must(bp_reduce_open(&out, &in, &o, ctx, &err), &err);
    return out;
}

static char want[1 << 17];

/* The same, with an aggregate for each value in order. */
static void write_out(const char *k, const char *agg)
{
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 64};
    struct bp_source s;
    char list[2000];
    size_t n = 0;

    for (int v = 0; v < VALUES; v++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s FILTER (WHERE a = %d) AS c%d, ", agg,
                              v * 2 + 3, v);
    snprintf(list + n, sizeof list - n, "%s FILTER (WHERE a IS NULL) AS cn", agg);
    s = reduced(rows(ROWS, 50), BP_REDUCE_WHOLE, k, NULL, list, &ctx);
    snprintf(want, sizeof want, "%s", drain(&s));
}

static void check(const char *k, size_t agg, int64_t limit, int batch_rows, bool staged)
{
    struct bp_ctx ctx = {.budget.limit_bytes = limit, .n_threads = 1, .batch_rows = batch_rows};
    struct bp_source s = rows(ROWS, batch_rows);

    if (staged) {
        s = reduced(s, BP_REDUCE_PARTIAL, k, "a", aggs[agg][0], &ctx);
        s = reduced(s, BP_REDUCE_PARTIAL, NULL, NULL, NULL, &ctx);
        s = reduced(s, BP_REDUCE_FINAL, NULL, NULL, NULL, &ctx);
    } else {
        s = reduced(s, BP_REDUCE_WHOLE, k, "a", aggs[agg][0], &ctx);
    }
    CHECK(s.schema.n_fields == (k ? (strchr(k, ',') ? 2 : 1) : 0) + VALUES + 1);
    CHECK_STR(s.schema.fields[s.schema.n_fields - 1].name, "NULL");
    CHECK_STR(s.schema.fields[s.schema.n_fields - 2].name, "13");
    CHECK_STR(drain(&s), want);
    CHECK(atomic_load(&ctx.budget.used_bytes) == 0);
}

static void values_become_columns_in_their_order(void)
{
    for (size_t k = 0; k < BP_COUNT_OF(keys); k++)
        for (size_t a = 0; a < BP_COUNT_OF(aggs); a++) {
            write_out(keys[k], aggs[a][1]);
            check(keys[k], a, 0, 64, false);
            check(keys[k], a, 0, 1, false);
            check(keys[k], a, 0, 7, true);
        }
}

static void so_they_do_when_everything_goes_to_disk(void)
{
    for (size_t k = 0; k < BP_COUNT_OF(keys); k++) {
        write_out(keys[k], aggs[1][1]);
        check(keys[k], 1, 1, 20, false);
        check(keys[k], 1, 20000, 64, true);
    }
}

static void several_aggregates_give_several_columns_a_value(void)
{
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 64};
    struct bp_source s = reduced(table("a text, x int", "v,1;NULL,2;u,3;u,4;", 2), BP_REDUCE_WHOLE,
                                 NULL, "a", "count(*) AS n, sum(x) AS s", &ctx);
    static const char *const names[] = {"u_n", "u_s", "v_n", "v_s", "NULL_n", "NULL_s"};

    NEED(s.schema.n_fields == 6);
    for (int i = 0; i < 6; i++)
        CHECK_STR(s.schema.fields[i].name, names[i]);
    CHECK_STR(drain(&s), "2,7,1,1,1,2;");
}

static const char *refusal(struct bp_source in, const char *k, const char *across, const char *list,
                           bool per_task)
{
    static char msg[1000];
    struct bp_ctx ctx = {.n_threads = 1, .batch_rows = 64};
    struct bp_clause kc = {.text = k}, xc = {.text = across}, ac = {.text = list};
    struct bp_reduce_opts o = {
        .keys = k ? &kc : NULL, .across = &xc, .aggs = &ac, .per_task = per_task};
    struct bp_source out = {0};
    struct bp_err err = {0};

    if (bp_reduce_open(&out, &in, &o, &ctx, &err) == 0) {
        bp_source_free(&out);
        return "accepted";
    }
    snprintf(msg, sizeof msg, "%s", err.msg);
    return msg;
}

static struct bp_source many(int n)
{
    static char text[16000];
    size_t len = 0;

    text[0] = 0;
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%d;", i);
    return table("a int", text, 100);
}

static void what_has_no_columns_is_refused(void)
{
    CHECK_STR(refusal(many(1000), NULL, "a", "count(*)", false), "accepted");
    CHECK(strstr(refusal(many(1001), NULL, "a", "count(*)", false),
                 "--across a: more than 1000 different values"));
    CHECK(strstr(refusal(many(0), NULL, "a", "count(*)", false), "no columns"));
    CHECK(strstr(refusal(many(3), NULL, "a, a + 1", "count(*)", false), "one expression"));
    CHECK(strstr(refusal(many(3), NULL, "a", " ", false), "no aggregates"));
    CHECK(strstr(refusal(many(3), NULL, "a", "count(*)", true), "not with --per-task"));
    CHECK(strstr(refusal(table("a text, k int", "k,1;", 1), "k", "a", "count(*)", false),
                 "two columns would be named 'k'"));
    CHECK(strstr(refusal(table_share(many(3), 0, 2), NULL, "a", "count(*)", false),
                 "only 1 of 2 shares"));
}

UNIT_MAIN(T(values_become_columns_in_their_order), T(so_they_do_when_everything_goes_to_disk),
          T(several_aggregates_give_several_columns_a_value), T(what_has_no_columns_is_refused))
