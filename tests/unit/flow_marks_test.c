/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/marks.h"

#include "base/mem.h"
#include "unit.h"

static struct bp_err err;

static void set(struct bp_schema *s, const char *key, const char *value)
{
    bp_err_clear(&err);
    CHECK(bp_schema_set_meta(s, key, value, &err) == 0);
}

static const char *lineage(const struct bp_schema *s)
{
    const char *v = bp_schema_meta(s, BP_MARK_LINEAGE);

    return v ? v : "(none)";
}

static void a_share_is_two_plain_numbers(void)
{
    static const char *const bad[] = {
        "",     "/",    "3",   "3/",  "/3",   "3/3",   "-1/3",         "+1/3",  " 1/3", "1/3 ",
        "01/3", "1/03", "1/0", "0/0", "1//3", "1/3/4", "1/9999999999", "0x1/3", "1/3a", "1.0/3"};
    struct bp_share s;

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++)
        CHECK(!bp_share_parse(bad[i], &s));
    CHECK(bp_share_parse("0/1", &s) && s.i == 0 && s.n == 1);
    CHECK(bp_share_parse("998877/999999999", &s) && s.i == 998877 && s.n == 999999999);
}

static void a_task_mark_reads_back_and_can_be_removed(void)
{
    struct bp_schema s = {0};
    struct bp_share got;

    bp_err_clear(&err);
    CHECK(bp_mark_task(&s, &got, &err) == 0 && got.n == 0);
    CHECK(bp_mark_set_task(&s, (struct bp_share){3, 8}, &err) == 0);
    CHECK_STR(bp_schema_meta(&s, "bp.task"), "3/8");
    CHECK(bp_mark_task(&s, &got, &err) == 0 && got.i == 3 && got.n == 8);
    CHECK(bp_mark_set_task(&s, (struct bp_share){0, 0}, &err) == 0);
    CHECK(!bp_schema_meta(&s, "bp.task"));
    bp_schema_release(&s);
}

static void a_malformed_task_mark_is_refused(void)
{
    struct bp_schema s = {0};
    struct bp_share got;

    set(&s, "bp.task", "8/8");
    CHECK(bp_mark_task(&s, &got, &err) == BP_EDATA);
    CHECK(strstr(err.msg, "8/8") != NULL);
    bp_schema_release(&s);
}

static void a_parted_mark_reads_back(void)
{
    char *keys[] = {"hour", "the \"zone\"", NULL};
    int classes[] = {8, 2};
    struct bp_parted p = {keys, classes, 2, 64, 8, 15, "", "", false}, got;
    struct bp_schema s = {0};
    bool present;

    bp_err_clear(&err);
    CHECK(bp_mark_parted(&s, &present, &got, &err) == 0 && !present);
    CHECK(bp_mark_set_parted(&s, &p, &err) == 0);
    CHECK_STR(bp_schema_meta(&s, "bp.parted"),
              "{\"classes\":[8,2],\"first\":8,\"keys\":[\"hour\",\"the \\\"zone\\\"\"],\"last\":15,"
              "\"parts\":64}");
    NEED(bp_mark_parted(&s, &present, &got, &err) == 0 && present);
    CHECK(got.n_keys == 2 && !got.keys[2] && got.classes[0] == 8 && got.classes[1] == 2);
    CHECK_STR(got.keys[1], "the \"zone\"");
    CHECK(got.parts == 64 && got.first == 8 && got.last == 15);
    bp_parted_release(&got);
    bp_schema_release(&s);
}

static void borders_of_a_parted_mark_read_back(void)
{
    char *keys[] = {"a", NULL};
    int classes[] = {2};
    struct bp_parted p = {keys, classes, 1, 4, 0, 3, "0123456789abcdef", "", false}, got;
    struct bp_schema s = {0};
    bool present;

    bp_err_clear(&err);
    CHECK(bp_mark_set_parted(&s, &p, &err) == 0);
    CHECK_STR(bp_schema_meta(&s, "bp.parted"),
              "{\"borders\":\"0123456789abcdef\",\"classes\":[2],\"first\":0,\"keys\":[\"a\"],"
              "\"last\":3,\"parts\":4}");
    NEED(bp_mark_parted(&s, &present, &got, &err) == 0 && present);
    CHECK_STR(got.borders, p.borders);
    bp_parted_release(&got);
    bp_schema_release(&s);
}

static void hot_keys_of_a_parted_mark_read_back(void)
{
    char *keys[] = {"a", NULL};
    int classes[] = {2};
    struct bp_parted p = {keys, classes, 1, 4, 0, 3, "", "0123456789abcdef", true}, got;
    struct bp_schema s = {0};
    bool present;

    bp_err_clear(&err);
    CHECK(bp_mark_set_parted(&s, &p, &err) == 0);
    CHECK_STR(bp_schema_meta(&s, "bp.parted"),
              "{\"classes\":[2],\"copied\":true,\"first\":0,\"hot\":\"0123456789abcdef\","
              "\"keys\":[\"a\"],\"last\":3,\"parts\":4}");
    NEED(bp_mark_parted(&s, &present, &got, &err) == 0 && present);
    CHECK_STR(got.hot, p.hot);
    CHECK(got.copied && !got.borders[0]);
    bp_parted_release(&got);
    bp_schema_release(&s);
}

static void an_empty_range_reads_back(void)
{
    struct bp_parted p = {.parts = 4, .first = 0, .last = (uint32_t)-1}, got;
    struct bp_schema s = {0};
    bool present;

    bp_err_clear(&err);
    CHECK(bp_mark_set_parted(&s, &p, &err) == 0);
    NEED(bp_mark_parted(&s, &present, &got, &err) == 0 && present);
    CHECK(got.first == 0 && got.last == (uint32_t)-1 && got.n_keys == 0);
    bp_parted_release(&got);
    bp_schema_release(&s);
}

static void a_malformed_parted_mark_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":0,\"last\":3",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":0,\"last\":3} x",
        "{\"keys\":[\"a\"],\"classes\":[],\"parts\":4,\"first\":0,\"last\":3}",
        "{\"keys\":[1],\"classes\":[2],\"parts\":4,\"first\":0,\"last\":3}",
        "{\"keys\":[\"a\"],\"classes\":[0],\"parts\":4,\"first\":0,\"last\":3}",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":0,\"first\":0,\"last\":3}",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":0,\"last\":4}",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":5,\"last\":3}",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":3,\"last\":1}",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":-1,\"last\":3}",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":4.5,\"first\":0,\"last\":3}",
        ("{\"borders\":\"0123\",\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":0,\"last\":"
         "3}"),
        "{\"borders\":7,\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":0,\"last\":3}",
        "{\"hot\":\"0123\",\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":0,\"last\":3}",
        "{\"copied\":true,\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"first\":0,\"last\":3}",
        "{\"keys\":[\"a\"],\"classes\":[2],\"parts\":4,\"parts\":4,\"first\":0,\"last\":3}",
    };
    struct bp_parted got;
    bool present;

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++) {
        struct bp_schema s = {0};

        set(&s, "bp.parted", bad[i]);
        CHECK(bp_mark_parted(&s, &present, &got, &err) == BP_EDATA);
        CHECK(!got.keys && !got.classes);
        bp_schema_release(&s);
    }
}

static void lineage_is_compact_sorted_and_leaves_out_what_is_empty(void)
{
    const char *const clauses[] = {"a > :low", NULL};
    const char *const vars[] = {"zz=1", "low=2=3", NULL};
    const char *const inputs[] = {"x.csv", "y.csv", NULL};
    const struct bp_step read = {"bp-read", NULL, NULL, inputs};
    const struct bp_step filter = {"bp-filter", clauses, vars, NULL};
    struct bp_schema a = {0}, b = {0};
    const struct bp_schema *from[] = {&a};

    bp_err_clear(&err);
    CHECK(bp_lineage_push(&a, &read, NULL, 0, &err) == 0);
    CHECK_STR(lineage(&a), "{\"cmd\":\"bp-read\",\"inputs\":[\"x.csv\",\"y.csv\"]}");
    CHECK(bp_lineage_push(&b, &filter, from, 1, &err) == 0);
    CHECK_STR(lineage(&b),
              "{\"clauses\":[\"a > :low\"],\"cmd\":\"bp-filter\",\"from\":[{\"cmd\":\"bp-read\","
              "\"inputs\":[\"x.csv\",\"y.csv\"]}],\"vars\":{\"low\":\"2=3\",\"zz\":\"1\"}}");
    bp_schema_release(&a);
    bp_schema_release(&b);
}

static void the_sides_of_a_join_keep_their_places(void)
{
    const struct bp_step read = {"bp-read", NULL, NULL, NULL}, join = {"bp-join", NULL, NULL, NULL};
    struct bp_schema known = {0}, foreign = {0}, out = {0};
    const struct bp_schema *left[] = {&known, &foreign}, *right[] = {&foreign, &known};
    const struct bp_schema *none[] = {&foreign, &foreign};

    bp_err_clear(&err);
    CHECK(bp_lineage_push(&known, &read, NULL, 0, &err) == 0);
    CHECK(bp_lineage_push(&out, &join, left, 2, &err) == 0);
    CHECK_STR(lineage(&out), "{\"cmd\":\"bp-join\",\"from\":[{\"cmd\":\"bp-read\"},{}]}");
    CHECK(bp_lineage_push(&out, &join, right, 2, &err) == 0);
    CHECK_STR(lineage(&out), "{\"cmd\":\"bp-join\",\"from\":[{},{\"cmd\":\"bp-read\"}]}");
    CHECK(bp_lineage_push(&out, &join, none, 2, &err) == 0);
    CHECK_STR(lineage(&out), "{\"cmd\":\"bp-join\"}");
    bp_schema_release(&known);
    bp_schema_release(&out);
}

static void a_clause_that_is_not_utf8_is_refused(void)
{
    const char *const clauses[] = {"a = '\xff'", NULL};
    const struct bp_step step = {"bp-filter", clauses, NULL, NULL};
    struct bp_schema s = {0};

    bp_err_clear(&err);
    CHECK(bp_lineage_push(&s, &step, NULL, 0, &err) == BP_EUSAGE);
    CHECK(strstr(err.msg, "byte 6") != NULL);
    CHECK(!bp_schema_meta(&s, BP_MARK_LINEAGE));
    bp_schema_release(&s);
}

static void a_malformed_lineage_is_refused(void)
{
    static const char *const bad[] = {"x", "[]", "{\"from\":{}}", "{\"from\":[3]}"};
    const struct bp_step step = {"bp-head", NULL, NULL, NULL};
    char id[33];

    for (size_t i = 0; i < BP_COUNT_OF(bad); i++) {
        struct bp_schema s = {0}, out = {0};
        const struct bp_schema *from[] = {&s};

        set(&s, BP_MARK_LINEAGE, bad[i]);
        CHECK(bp_lineage_push(&out, &step, from, 1, &err) == BP_EDATA);
        bp_err_clear(&err);
        CHECK(bp_lineage_identity(&s, 1, 1, id, &err) == BP_EDATA);
        bp_schema_release(&s);
        bp_schema_release(&out);
    }
}

static void identity_of(const char *text, uint32_t parts, int32_t n, char out[33])
{
    struct bp_schema s = {0};

    set(&s, BP_MARK_LINEAGE, text);
    CHECK(bp_lineage_identity(&s, parts, n, out, &err) == 0);
    bp_schema_release(&s);
}

static void the_identity_is_the_documented_hash(void)
{
    /* Python: t = '{"lineage":{"cmd":"bp-read"},"parts":8,"tasks":4}';
     * '%016x%016x' % (xxh3_64_intdigest(t, 0), xxh3_64_intdigest(t, 1)) */
    char id[33];

    identity_of("{\"cmd\":\"bp-read\"}", 8, 4, id);
    CHECK_STR(id, "624f8827639a41358ea8d0da07563d51");
    identity_of(NULL, 1, 1, id); /* '{"lineage":{},"parts":1,"tasks":1}' */
    CHECK_STR(id, "2798e77f5a979cfe28c825130c409e01");
}

#define TREE(op, clause, input)                                                                    \
    "{\"cmd\":\"bp-head\",\"from\":[{\"clauses\":[\"" clause "\"],\"cmd\":\"" op                   \
    "\",\"from\":[{\"cmd\":\"bp-read\",\"inputs\":[\"" input "\"]}]}]}"

static void inputs_do_not_count_in_the_identity(void)
{
    char a[33], b[33];

    identity_of(TREE("bp-filter", "a > 1", "x.csv"), 8, 4, a);
    identity_of(TREE("bp-filter", "a > 1", "y.csv"), 8, 4, b);
    CHECK_STR(a, b);
    CHECK(strlen(a) == 32);
}

static void clauses_commands_parts_and_tasks_count_in_the_identity(void)
{
    char a[33], b[33];

    identity_of(TREE("bp-filter", "a > 1", "x.csv"), 8, 4, a);
    identity_of(TREE("bp-filter", "a > 2", "x.csv"), 8, 4, b);
    CHECK(strcmp(a, b) != 0);
    identity_of(TREE("bp-map", "a > 1", "x.csv"), 8, 4, b);
    CHECK(strcmp(a, b) != 0);
    identity_of(TREE("bp-filter", "a > 1", "x.csv"), 9, 4, b);
    CHECK(strcmp(a, b) != 0);
    identity_of(TREE("bp-filter", "a > 1", "x.csv"), 8, 5, b);
    CHECK(strcmp(a, b) != 0);
}

static void check_diff(const char *a, const char *b, const char *want)
{
    struct bp_buf out = {0};

    bp_err_clear(&err);
    CHECK(bp_lineage_diff(a, b, &out, &err) == 0);
    CHECK_STR(bp_buf_str(&out, &err), want);
    bp_buf_release(&out);
}

static void a_difference_is_told_in_words(void)
{
    check_diff(TREE("bp-filter", "a > 1", "x"), TREE("bp-filter", "a > 1", "y"), "");
    check_diff(TREE("bp-filter", "a > 1", "x"), TREE("bp-filter", "a > 2", "x"),
               "bp-filter: 'a > 1' against 'a > 2'");
    check_diff(TREE("bp-filter", "a > 1", "x"), TREE("bp-map", "a > 1", "x"),
               "bp-filter against bp-map");
    check_diff("{\"cmd\":\"bp-map\",\"vars\":{\"day\":\"3\"}}",
               "{\"cmd\":\"bp-map\",\"vars\":{\"day\":\"4\"}}", "bp-map: -v day '3' against '4'");
    check_diff("{\"cmd\":\"bp-map\",\"vars\":{\"day\":\"3\"}}", "{\"cmd\":\"bp-map\"}",
               "bp-map: -v day '3' against none");
    check_diff("{\"cmd\":\"bp-map\"}", "{\"cmd\":\"bp-map\",\"vars\":{\"day\":\"3\"}}",
               "bp-map: -v day none against '3'");
    check_diff("{\"clauses\":[\"a\"],\"cmd\":\"bp-map\"}", "{\"cmd\":\"bp-map\"}",
               "bp-map: 'a' against none");
    check_diff(NULL, "{\"cmd\":\"bp-map\"}", "an unknown command against bp-map");
}

UNIT_MAIN(T(a_share_is_two_plain_numbers), T(a_task_mark_reads_back_and_can_be_removed),
          T(a_malformed_task_mark_is_refused), T(a_parted_mark_reads_back),
          T(borders_of_a_parted_mark_read_back), T(hot_keys_of_a_parted_mark_read_back),
          T(an_empty_range_reads_back), T(a_malformed_parted_mark_is_refused),
          T(lineage_is_compact_sorted_and_leaves_out_what_is_empty),
          T(the_sides_of_a_join_keep_their_places), T(a_clause_that_is_not_utf8_is_refused),
          T(a_malformed_lineage_is_refused), T(the_identity_is_the_documented_hash),
          T(inputs_do_not_count_in_the_identity),
          T(clauses_commands_parts_and_tasks_count_in_the_identity),
          T(a_difference_is_told_in_words))
