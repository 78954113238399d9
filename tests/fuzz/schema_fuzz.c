/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a column list: no crash; and what is accepted, printed and read
 * again, is the same schema, in the same words.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "col/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void same_names(const struct bp_schema *a, const struct bp_schema *b)
{
    must(a->n_fields == b->n_fields);
    for (int i = 0; i < a->n_fields; i++) {
        must(strcmp(a->fields[i].name, b->fields[i].name) == 0);
        must(a->fields[i].nullable == b->fields[i].nullable);
        must(a->fields[i].dict == b->fields[i].dict);
    }
}

static void round_trip(const struct bp_schema *s, bool multiline)
{
    struct bp_buf text = {0}, second = {0};
    struct bp_schema again = {0};
    struct bp_err err = {0};
    bool star = false;

    must(bp_schema_print(s, multiline, &text, &err) == 0 && bp_buf_str(&text, &err));
    must(bp_schema_parse((const char *)text.data, &again, &star, &err) == 0 && !star);
    must(bp_schema_equal(s, &again));
    same_names(s, &again);
    must(bp_schema_print(&again, multiline, &second, &err) == 0 && bp_buf_str(&second, &err));
    must(strcmp((const char *)text.data, (const char *)second.data) == 0);
    bp_schema_release(&again);
    bp_buf_release(&text);
    bp_buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bp_schema s = {0};
    struct bp_err err = {0};
    char *text = bp_mem_strn((const char *)data, size, &err);
    bool star = false;
    int rc;

    if (!text)
        return 0;
    rc = bp_schema_parse(text, &s, &star, &err);
    must(rc == 0 || (rc < 0 && err.code == rc && err.msg[0]));
    if (rc == 0 && s.n_fields > 0) {
        round_trip(&s, false);
        round_trip(&s, true);
    }
    if (rc == 0)
        bp_schema_release(&s);
    bp_mem_free(text);
    return 0;
}
