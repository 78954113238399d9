/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of conversions: text is read as the type and written again. want is
 * what PostgreSQL 15 writes for it, or "BAD" or "RANGE" where it is refused (by
 * PostgreSQL as well, unless the table says otherwise). Each text is read from
 * memory of just its length, so that the sanitizer sees a read beyond.
 */
#ifndef BP_TESTS_UNIT_COL_CONVERT_H
#define BP_TESTS_UNIT_COL_CONVERT_H

#include "col/text.h"
#include "unit.h"

struct conversion {
    const char *type, *text, *want;
};

static void convert(const char *type_name, const char *text, char out[BP_TEXT_MAX + 1])
{
    _Alignas(16) uint8_t value[16] = {0};
    struct bp_err err = {0};
    struct bp_type type = {0};
    size_t used, n = strlen(text);
    char *tight = bp_mem_new(n + 1, 1, &err);
    int rc;

    strcpy(out, "?");
    CHECK(bp_type_parse(type_name, strlen(type_name), &used, &type, &err) == 0);
    if (tight) {
        memcpy(tight + 1, text, n); /* ends where the allocation ends */
        rc = bp_text_parse(type, tight + 1, n, value);
        if (rc == BP_TEXT_OK)
            out[bp_text_format(type, value, out)] = 0;
        else
            strcpy(out, rc == BP_TEXT_BAD ? "BAD" : "RANGE");
    }
    bp_mem_free(tight);
}

static void check_conversions(const struct conversion *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char got[BP_TEXT_MAX + 1];

        convert(table[i].type, table[i].text, got);
        if (strcmp(got, table[i].want) != 0) {
            printf("# %s '%s'\n", table[i].type, table[i].text);
            CHECK_STR(got, table[i].want);
        }
    }
}

#endif
