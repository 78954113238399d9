/* SPDX-License-Identifier: Apache-2.0 */
/* How clauses are read, and what is said about those that are wrong. */
#include "expr_rows.h"

#define SCHEMA                                                                                     \
    "total_amount decimal(10,2), tip float8, vendor text, \"PULocationID\" int, ok boolean"

/* The message about text as a condition. */
static const char *refusal(const char *text)
{
    static char out[2100];
    struct bp_clause c = rows_clause(text);
    struct bp_err err = {0};
    struct bp_expr *e;

    if (bp_expr_parse_where(&c, &rows_schema, &e, &err) == 0) {
        bp_expr_free(e);
        return "accepted";
    }
    snprintf(out, sizeof out, "%s%s", err.code == BP_EUSAGE ? "" : "not usage: ", err.msg);
    return out;
}

#define SAYS(text, part)                                                                           \
    do {                                                                                           \
        const char *says = refusal(text);                                                          \
        if (!strstr(says, part)) {                                                                 \
            unit_failed++;                                                                         \
            printf("# %s:%d: '%s' gives '%s', not '%s'\n", __FILE__, __LINE__, text, says, part);  \
        }                                                                                          \
    } while (0)

static void errors_point_into_the_text(void)
{
    rows_make(SCHEMA, NULL, 0);
    CHECK_STR(refusal("tip > 1 and\n  totl_amount > 5"),
              "no column 'totl_amount'; there are: total_amount, tip, vendor, "
              "PULocationID, ok\n    totl_amount > 5\n    ^");
    CHECK_STR(refusal("vendor = 'é' and tip == 1"),
              "== is not SQL: use =\n  vendor = 'é' and tip == 1\n                       ^");
    CHECK_STR(refusal("tip >"), "the expression is not complete\n  tip >\n       ^");
    SAYS("tip > 1 or or ok", "syntax error at 'or'\n  tip > 1 or or ok\n             ^");
    rows_free();
}

static void hints_name_the_cure(void)
{
    rows_make(SCHEMA, NULL, 0);
    SAYS("tip = 1 && ok", "use and");
    SAYS("ok || ok", "use or");
    SAYS("tip != null", "use is not null");
    SAYS("tip = null", "use is null");
    SAYS("vendor = \"N\"", "text stands in single quotes: 'N'");
    SAYS("trips.csv", "looks like a file: the clause comes first, then the inputs");
    SAYS("data/2020-01.parquet", "the clause comes first");
    SAYS("tip > now()", "-v NAME=VALUE");
    SAYS("tip > random()", "-v NAME=VALUE");
    SAYS("vendor = current_user", "-v NAME=VALUE");
    SAYS("tip > :none", "no variable :none: set it with -v none=VALUE");
    SAYS("sum(tip) > 1", "is an aggregate");
    SAYS("vendor > 1", "text cannot be compared with integer: cast one of them");
    SAYS("tip", "this is double precision, not a condition");
    SAYS("\"PULocationID\" > 'x'", "'x' is not an integer");
    SAYS("nope(tip)", "there is no function nope()");
    SAYS("", "the clause is empty");
    rows_free();
}

static void only_one_expression_is_taken(void)
{
    static const char *const bad[] = {"ok; select 1",
                                      "ok) from t where (ok",
                                      "ok), (ok",
                                      "(select ok)",
                                      "ok from t",
                                      "exists (select 1)",
                                      "count(*) over () > 1",
                                      "ok where ok",
                                      "ok limit 1",
                                      "ok order by 1",
                                      "ok union select ok",
                                      "ok into x",
                                      "tip in (select 1)",
                                      "$1",
                                      "row(1, 2) = row(1, 2)",
                                      "ok group by ok",
                                      "vendor[1]",
                                      "t.tip > 1",
                                      "pg_sleep(1) is null",
                                      "'unfinished",
                                      "/* unfinished",
                                      "tip > (1",
                                      "tip > 1)",
                                      "ok\x01",
                                      "tip = any('{1}')"};

    rows_make(SCHEMA, NULL, 0);
    for (size_t i = 0; i < BP_COUNT_OF(bad); i++)
        if (strcmp(refusal(bad[i]), "accepted") == 0 ||
            strncmp(refusal(bad[i]), "not usage", 9) == 0) {
            unit_failed++;
            printf("# taken: %s\n", bad[i]);
        }
    CHECK_STR(refusal("ok -- and not\n and tip /* 1 /* 2 */ */ > 1"), "accepted");
    rows_free();
}

static void lists_name_their_items(void)
{
    struct bp_clause c =
        rows_clause("*, tip  *  2, PULOCATIONID + 1 AS \"Zone Id\", upper( vendor ) v");
    struct bp_err err = {0};
    struct bp_items l;

    rows_make(SCHEMA, NULL, 0);
    NEED(bp_expr_parse_list(&c, &rows_schema, &l, &err) == 0);
    NEED(l.n == 8);
    CHECK_STR(l.items[0].name, "total_amount");
    CHECK_STR(l.items[3].name, "PULocationID");
    CHECK_STR(l.items[5].name, "tip * 2");
    CHECK_STR(l.items[6].name, "Zone Id");
    CHECK_STR(l.items[7].name, "v");
    CHECK(bp_expr_column(l.items[3].expr) == 3 && bp_expr_column(l.items[5].expr) == -1);
    bp_items_release(&l);
    c = rows_clause("tip, vendor AS tip");
    CHECK(bp_expr_parse_list(&c, &rows_schema, &l, &err) == BP_EUSAGE);
    CHECK(strstr(err.msg, "two results are named 'tip'") != NULL);
    err = (struct bp_err){0};
    c = rows_clause("tip,, vendor");
    CHECK(bp_expr_parse_list(&c, &rows_schema, &l, &err) == BP_EUSAGE);
    rows_free();
}

static void aggregates_are_single_calls(void)
{
    struct bp_clause c =
        rows_clause("sum(total_amount) AS revenue, count(*), count(distinct vendor) "
                    "filter (where tip > 1) n");
    struct bp_err err = {0};
    struct bp_agg_items l;

    rows_make(SCHEMA, NULL, 0);
    NEED(bp_expr_parse_aggs(&c, &rows_schema, &l, &err) == 0);
    NEED(l.n == 3);
    CHECK_STR(l.items[0].name, "revenue");
    CHECK_STR(l.items[0].func, "sum");
    CHECK_STR(l.items[0].text, "sum(total_amount)");
    CHECK(l.items[0].n_args == 1 && !l.items[0].distinct && !l.items[0].filter);
    CHECK_STR(l.items[1].name, "count(*)");
    CHECK(l.items[1].n_args == 0);
    CHECK_STR(l.items[2].name, "n");
    CHECK(l.items[2].distinct && l.items[2].filter && l.items[2].n_args == 1);
    bp_agg_items_release(&l);
    c = rows_clause("string_agg(distinct vendor, ',' order by vendor desc nulls first)");
    NEED(bp_expr_parse_aggs(&c, &rows_schema, &l, &err) == 0);
    CHECK(l.items[0].distinct && l.items[0].n_args == 2 && l.items[0].order.n == 1);
    CHECK(l.items[0].order.items[0].desc && l.items[0].order.items[0].nulls_first);
    CHECK(bp_expr_column(l.items[0].order.items[0].expr) == 2);
    bp_agg_items_release(&l);
    c = rows_clause("string_agg(distinct vendor, ',' order by tip)");
    CHECK(bp_expr_parse_aggs(&c, &rows_schema, &l, &err) == BP_EUSAGE);
    CHECK(strstr(err.msg, "order by is for the arguments"));
    bp_err_clear(&err);
    c = rows_clause("sum(tip) + 1");
    CHECK(bp_expr_parse_aggs(&c, &rows_schema, &l, &err) == BP_EUSAGE);
    rows_free();
}

static void order_items_have_a_canonical_text(void)
{
    struct bp_clause c =
        rows_clause("pulocationid desc, tip * 2 nulls first, vendor asc nulls last");
    struct bp_err err = {0};
    struct bp_order o;

    rows_make(SCHEMA, NULL, 0);
    NEED(bp_expr_parse_order(&c, &rows_schema, &o, &err) == 0);
    NEED(o.n == 3);
    CHECK_STR(o.items[0].text, "PULocationID DESC");
    CHECK(o.items[0].desc && !o.items[0].nulls_first);
    CHECK_STR(o.items[1].text, "tip * 2 NULLS FIRST");
    CHECK_STR(o.items[2].text, "vendor");
    bp_order_release(&o);
    c = rows_clause("1");
    CHECK(bp_expr_parse_order(&c, &rows_schema, &o, &err) == BP_EUSAGE);
    rows_free();
}

static void names_renames_and_join_keys(void)
{
    struct bp_err err = {0};
    struct bp_join_keys k;
    char **a, **b;
    int n;

    NEED(bp_expr_parse_names("a, \"b c\" -- last", &a, &n, &err) == 0 && n == 2);
    CHECK_STR(a[0], "a");
    CHECK_STR(a[1], "b c");
    CHECK(a[2] == NULL);
    for (int i = 0; i < n; i++)
        bp_mem_free(a[i]);
    bp_mem_free(a);
    NEED(bp_expr_parse_renames("user AS \"u 1\"", &a, &b, &n, &err) == 0 && n == 1);
    CHECK_STR(a[0], "user");
    CHECK_STR(b[0], "u 1");
    bp_mem_free(a[0]);
    bp_mem_free(b[0]);
    bp_mem_free(a);
    bp_mem_free(b);
    NEED(bp_expr_parse_join_keys("hour, a = \"B\"", &k, &err) == 0 && k.n == 2);
    CHECK(k.using_name[0] && !k.using_name[1]);
    CHECK_STR(k.left[1], "a");
    CHECK_STR(k.right[1], "B");
    bp_join_keys_release(&k);
    CHECK(bp_expr_parse_join_keys("a > b", &k, &err) == BP_EUSAGE);
    err = (struct bp_err){0};
    CHECK(bp_expr_parse_names("a + 1", &a, &n, &err) == BP_EUSAGE);
}

static void a_list_is_split_at_its_own_commas(void)
{
    struct bp_clause c = rows_clause("f(a, b) AS x, ',' || c, [d]");
    struct bp_err err = {0};
    char **t;
    int n;

    NEED(bp_expr_split_list(&c, &t, &n, &err) == 0 && n == 3);
    CHECK_STR(t[0], "f(a, b) AS x");
    CHECK_STR(t[1], "',' || c");
    for (int i = 0; i < n; i++)
        bp_mem_free(t[i]);
    bp_mem_free(t);
}

static void deep_nesting_is_refused_not_crashed(void)
{
    enum { DEPTH = 20000 };
    char *text = calloc(2 * DEPTH + 64, 1);

    rows_make(SCHEMA, NULL, 0);
    memset(text, '(', DEPTH);
    strcpy(text + DEPTH, "ok");
    memset(text + DEPTH + 2, ')', DEPTH);
    CHECK(strcmp(refusal(text), "not usage") != 0);
    text[0] = '\0';
    for (int i = 0; i < 3000; i++)
        strcat(text, "-(");
    strcat(text, "tip");
    for (int i = 0; i < 3000; i++)
        strcat(text, ")");
    CHECK(strcmp(refusal(text), "accepted") != 0);
    free(text);
    rows_free();
}

/* Which of _file and _part the clause uses, as bits; -1: an error. */
static int mentions(const char *text)
{
    static const char *const names[] = {"_file", "_part"};
    struct bp_err err = {0};
    unsigned bits;

    return bp_expr_mentions(text, names, 2, &bits, &err) < 0 ? -1 : (int)bits;
}

static void a_use_of_a_name_is_told_from_a_label(void)
{
    static const char *const uses[] = {"_file",
                                       "a, _file",
                                       "_file AS f",
                                       "*, _file",
                                       "\"_file\"",
                                       "_FILE",
                                       "(_file)::text",
                                       "NOT _file",
                                       "upper(_file)",
                                       "a AS \"it's\", _file",
                                       "/* ' */ _file",
                                       "'x' || _file",
                                       "a=_file",
                                       "count(DISTINCT _file) FILTER (WHERE a > 1)",
                                       "_file DESC NULLS LAST",
                                       "CASE WHEN a THEN _file ELSE 'b' END",
                                       "sum(a) FILTER (WHERE _file LIKE 'x%')",
                                       "x IN (1) AND _file IN ('a')",
                                       "extract(day FROM _file)",
                                       "a BETWEEN _file AND b"};
    static const char *const others[] = {"a AS _file",
                                         "a _file",
                                         "count(*) _file",
                                         "a AS \"_file\"",
                                         "'_file'",
                                         "-- _file",
                                         "$$_file$$",
                                         "_files",
                                         "x_file",
                                         "(a)._file",
                                         ":_file",
                                         "\"a _file\"",
                                         "1 AS a, 'it''s _file'",
                                         "",
                                         "_file '",
                                         "(_file"};

    for (size_t i = 0; i < BP_COUNT_OF(uses); i++)
        if (mentions(uses[i]) != 1)
            CHECK_STR(uses[i], "should be a use");
    for (size_t i = 0; i < BP_COUNT_OF(others); i++)
        if (mentions(others[i]) != 0)
            CHECK_STR(others[i], "should be none");
    CHECK(mentions("_part + 1, a AS _file") == 2);
    CHECK(mentions("_part AS _file, _file") == 3);
}

UNIT_MAIN(T(errors_point_into_the_text), T(hints_name_the_cure), T(only_one_expression_is_taken),
          T(lists_name_their_items), T(aggregates_are_single_calls),
          T(order_items_have_a_canonical_text), T(names_renames_and_join_keys),
          T(a_list_is_split_at_its_own_commas), T(deep_nesting_is_refused_not_crashed),
          T(a_use_of_a_name_is_told_from_a_label))
