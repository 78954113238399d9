/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "col/distinct.h"
#include "unit.h"

#define MAX_ROWS 64

static struct bp_err err;

/* Values divided by commas; "-" is NULL. */
static struct bp_column texts(const char *list)
{
    struct bp_builder b;
    struct bp_column c = {0};
    int rc = 0;

    bp_builder_init(&b, BP_TYPE(BP_TEXT));
    for (const char *s = list; rc == 0 && *s;) {
        size_t n = strcspn(s, ",");

        rc = n == 1 && *s == '-' ? bp_builder_add_null(&b, &err)
                                 : bp_builder_add_bytes(&b, s, n, &err);
        s += n + (s[n] == ',');
    }
    if (rc < 0 || bp_builder_finish(&b, &c, &err) < 0)
        printf("Bail out! %s\n", err.msg);
    return c;
}

/* "0,1,0; 0,1" : codes, and where each value is first. */
static const char *distinct(const struct bp_column *c, int64_t max)
{
    static char text[1000];
    int32_t code[MAX_ROWS], first[MAX_ROWS];
    int64_t n = 0;
    int rc = bp_column_distinct(c, max, code, first, &n, &err);
    char *p = text;

    if (rc != 0)
        return rc == BP_DONE ? "too many" : err.msg;
    for (int64_t i = 0; i < c->n_rows; i++)
        p += sprintf(p, "%s%d", i ? "," : "", code[i]);
    p += sprintf(p, ";");
    for (int64_t k = 0; k < n; k++)
        p += sprintf(p, "%s%d", k ? "," : " ", first[k]);
    return text;
}

static void values_are_numbered_by_first_appearance(void)
{
    struct bp_column c = texts("b,a,b,,abcdefgh,-,abcdefghi,a,abcdefghj,-,abcdefghi,,abcdefg");

    CHECK_STR(distinct(&c, 60), "0,1,0,2,3,4,5,1,6,4,5,2,7; 0,1,3,4,5,6,8,12");
    bp_column_release(&c);
    c = texts("");
    CHECK_STR(distinct(&c, 60), "too many"); /* no bytes to look at */
    bp_column_release(&c);
}

static void more_than_the_most_are_refused(void)
{
    struct bp_column c = texts("a,b,a,-");

    CHECK_STR(distinct(&c, 3), "0,1,0,2; 0,1,3");
    CHECK_STR(distinct(&c, 2), "too many");
    CHECK_STR(distinct(&c, 1), "too many");
    bp_column_release(&c);
}

static void values_that_begin_alike_differ(void)
{
    struct bp_column c = texts("abcdefghabcdefgh,abcdefghabcdefgi,abcdefgh,abcdefghabcdefgh,"
                               "xbcdefghabcdefgh,a,aa,aaa,a");

    CHECK_STR(distinct(&c, 60), "0,1,2,0,3,4,5,6,4; 0,1,2,4,5,6,7");
    bp_column_release(&c);
}

static void a_slice_begins_anywhere(void)
{
    struct bp_column c = texts("q,-,b,a,-,b"), s;

    NEED(bp_column_slice(&s, &c, 2, 4, &err) == 0);
    CHECK_STR(distinct(&s, 60), "0,1,2,0; 0,1,2");
    bp_column_release(&s);
    bp_column_release(&c);
}

static void values_of_a_dictionary_that_no_row_has_do_not_count(void)
{
    static const int32_t codes[] = {2, 1, 2, 0, 2};
    static const uint8_t valid[] = {0x17}; /* row 3 is NULL */
    struct bp_column values = texts("x,y,z"), c;
    struct bp_dict *d;

    NEED(bp_dict_new(&d, &values, &err) == 0);
    c = (struct bp_column){.type = BP_TYPE(BP_TEXT), .n_rows = 5, .data = codes, .dict = d};
    CHECK_STR(distinct(&c, 60), "0,1,0,2,0; 0,1,3");
    c.valid = valid;
    c.n_nulls = 1;
    CHECK_STR(distinct(&c, 60), "0,1,0,2,0; 0,1,3");
    c.n_rows = 3;
    c.n_nulls = 0;
    CHECK_STR(distinct(&c, 2), "0,1,0; 0,1");
    CHECK_STR(distinct(&c, 1), "too many");
    bp_dict_unref(d);
}

UNIT_MAIN(T(values_are_numbered_by_first_appearance), T(more_than_the_most_are_refused),
          T(values_that_begin_alike_differ), T(a_slice_begins_anywhere),
          T(values_of_a_dictionary_that_no_row_has_do_not_count))
