/* SPDX-License-Identifier: Apache-2.0 */
/* What to say when there is no such column: the others, the likeliest first. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "expr/bind.h"

#define SHOW_MAX 12
#define NAME_MAX_BYTES 64

/* Edits between two names, case aside; names are cut at NAME_MAX_BYTES. */
static int distance(const char *a, const char *b)
{
    int row[NAME_MAX_BYTES + 1], na = (int)strnlen(a, NAME_MAX_BYTES);
    int nb = (int)strnlen(b, NAME_MAX_BYTES);

    for (int k = 0; k <= nb; k++)
        row[k] = k;
    for (int i = 1; i <= na; i++) {
        int diagonal = row[0];

        row[0] = i;
        for (int k = 1; k <= nb; k++) {
            int same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[k - 1]);
            int best = diagonal + !same;

            diagonal = row[k];
            best = BP_MIN(best, BP_MIN(row[k] + 1, row[k - 1] + 1));
            row[k] = best;
        }
    }
    return row[nb];
}

struct ranked {
    int distance, column;
};

static int by_distance(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    return x->distance != y->distance ? x->distance - y->distance : x->column - y->column;
}

static int list_columns(struct bp_bind *b, const char *name, struct bp_buf *out)
{
    int n = b->schema->n_fields;
    struct ranked *r = bp_mem_new((size_t)n, sizeof *r, b->err);
    int rc = 0;

    if (!r)
        return b->err->code;
    for (int i = 0; i < n; i++)
        r[i] = (struct ranked){distance(name, b->schema->fields[i].name), i};
    qsort(r, (size_t)n, sizeof *r, by_distance);
    for (int i = 0; i < n && i < SHOW_MAX && rc >= 0; i++) {
        rc = i ? bp_buf_puts(out, ", ", b->err) : 0;
        if (rc >= 0)
            rc = bp_name_print(b->schema->fields[r[i].column].name, out, b->err);
    }
    if (rc >= 0 && n > SHOW_MAX)
        rc = bp_buf_printf(out, b->err, ", and %d more", n - SHOW_MAX);
    bp_mem_free(r);
    return rc;
}

int bp_bind_no_column(struct bp_bind *b, int tok, const char *name)
{
    bool quoted = b->toks->tok[tok].kind == BP_TOK_QUOTED;
    struct bp_buf list = {0};
    const char *text;
    int rc;

    if (!b->schema || b->schema->n_fields == 0)
        return bp_bind_fail(b, tok, "no column '%s': there are no columns", name);
    rc = list_columns(b, name, &list);
    text = rc >= 0 ? bp_buf_str(&list, b->err) : NULL;
    if (text)
        bp_bind_fail(b, tok, "no column '%.100s'%s%.100s%s; there are: %.900s", name,
                     quoted ? " (text stands in single quotes: '" : "", quoted ? name : "",
                     quoted ? "')" : "", text);
    bp_buf_release(&list);
    return b->err->code;
}
