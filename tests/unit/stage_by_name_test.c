/* SPDX-License-Identifier: Apache-2.0 */
#include "op_table.h"
#include "stage/by_name.h"
#include "stage/hive.h"

static struct bp_err err;

static void names_come_back_as_they_were(void)
{
    struct bp_buf name = {0}, column = {0}, value = {0};
    bool is_hive, is_null;

    for (int b = 0; b < 256; b++) {
        char text[3] = {'x', (char)b, 'y'};

        name.len = 0;
        CHECK(bp_buf_puts(&name, "a%3D=", &err) == 0);
        CHECK(bp_hive_escape(text, 3, &name, &err) == 0);
        CHECK(memchr(name.data + 5, '/', name.len - 5) == NULL);
        CHECK(memchr(name.data + 5, '\0', name.len - 5) == NULL);
        CHECK(bp_hive_parse(bp_buf_str(&name, &err), &column, &value, &is_hive, &is_null, &err) ==
              0);
        CHECK(is_hive && !is_null);
        CHECK(column.len == 2 && memcmp(column.data, "a=", 2) == 0);
        CHECK(value.len == 3 && memcmp(value.data, text, 3) == 0);
    }
    bp_buf_release(&name);
    bp_buf_release(&column);
    bp_buf_release(&value);
}

static void parse(const char *name, bool hive, bool null, const char *want)
{
    struct bp_buf column = {0}, value = {0};
    bool is_hive, is_null;

    CHECK(bp_hive_parse(name, &column, &value, &is_hive, &is_null, &err) == 0);
    CHECK(is_hive == hive && is_null == null);
    if (hive && !null)
        CHECK_STR(bp_buf_str(&value, &err), want);
    bp_buf_release(&column);
    bp_buf_release(&value);
}

static void null_and_broken_escapes_and_plain_names_are_told_apart(void)
{
    parse("a=", true, false, "");
    parse("a=" BP_HIVE_NULL, true, true, "");
    parse("a=__HIVE_DEFAULT_PARTITION_%5F", true, false, BP_HIVE_NULL);
    parse("a=%", true, false, "%");
    parse("a=%4", true, false, "%4");
    parse("a=%zz%41%2f", true, false, "%zzA/");
    parse("a=b=c", true, false, "b=c");
    parse("=b", false, false, "");
    parse("plain", false, false, "");
    parse("", false, false, "");
}

/* The name of the only row of rows. */
static void named(const char *schema, const char *rows, const char *pattern, const char *want)
{
    static const char *const by[] = {"a", NULL};
    struct bp_source s = table(schema, rows, 1);
    struct bp_by_name n;
    struct bp_batch b;
    char *name = NULL;

    bp_err_clear(&err);
    CHECK(bp_source_next(&s, &b, &err) == 0);
    CHECK(bp_by_name_init(&n, &s.schema, by, pattern, &err) == 0);
    CHECK(pattern || bp_by_name_file(&n, "f.csv", &err) == 0);
    if (bp_by_name_make(&n, &b, 0, &name, &err) == 0)
        CHECK_STR(name, want);
    else
        CHECK(strstr(err.msg, want) != NULL);
    bp_mem_free(name);
    bp_by_name_release(&n);
    bp_batch_release(&b);
    bp_source_free(&s);
}

static void no_name_leaves_the_directory(void)
{
    named("a text, b int", "..,1;", NULL, "a=../f.csv");
    named("a text, b int", "..,1;", "{a}/f.csv", "%2E./f.csv");
    named("a text, b int", "../..,1;", "{a}", "%2E.%2F..");
    named("a text, b int", "NULL,1;", "x{a}.csv", "x__HIVE_DEFAULT_PARTITION__.csv");
    named("a text, b int", "NULL,1;", "{a}", "%5F_HIVE_DEFAULT_PARTITION__");
    named("a text, b int", "z,1;", "{b}/../{a}", "'..' is no part of a file's name");
    named("a text, b int", "z,1;", "{b}-{a}/{a}", "1-z/z");
}

UNIT_MAIN(T(names_come_back_as_they_were),
          T(null_and_broken_escapes_and_plain_names_are_told_apart),
          T(no_name_leaves_the_directory))
