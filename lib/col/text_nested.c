/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of lists and structs, as PostgreSQL 15 writes arrays and rows.
 *
 *     {1,2,NULL}  {"a b","say \"no\"",""}  {{1,2},{3}}      (1,,"a b","say ""no""")
 *
 * An element is quoted where it is empty, is the word NULL, or holds a brace, a
 * comma, a quote, a backslash or a blank; a field, where it is empty or holds a
 * bracket, a comma, a quote, a backslash or a blank. In arrays quotes and
 * backslashes get a backslash, in rows they are doubled. An element that is a list
 * is not quoted. Booleans are t and f.
 */
#include <string.h>
#include <strings.h>

#include "col/text.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool needs_quotes(const uint8_t *p, size_t n, bool in_list)
{
    const char *special = in_list ? "{},\"\\" : "(),\"\\";

    if (n == 0 || (in_list && n == 4 && strncasecmp((const char *)p, "null", 4) == 0))
        return true;
    for (size_t i = 0; i < n; i++)
        if (is_blank(p[i]) || (p[i] && strchr(special, p[i])))
            return true;
    return false;
}

/* What stands in out from `from` on becomes quoted, if it must be. */
static int quote_tail(struct bp_buf *out, size_t from, bool in_list, struct bp_err *err)
{
    struct bp_buf text = {0};
    size_t n = out->len - from;
    int rc = 0;

    if (!needs_quotes(out->data + from, n, in_list))
        return 0;
    if (n)
        BP_GO(bp_buf_append(&text, out->data + from, n, err));
    BP_GO(bp_buf_reserve(out, n + 2, err)); /* twice n and two quotes in all */
    out->len = from;
    out->data[out->len++] = '"';
    for (size_t i = 0; i < n; i++) {
        uint8_t c = text.data[i];

        if (c == '"' || c == '\\')
            out->data[out->len++] = in_list ? '\\' : c;
        out->data[out->len++] = c;
    }
    out->data[out->len++] = '"';
out:
    bp_buf_release(&text);
    return rc;
}

static int append_inside(const struct bp_column *c, int64_t i, bool in_list, struct bp_buf *out,
                         struct bp_err *err)
{
    size_t from = out->len;

    if (bp_column_is_null(c, i))
        return bp_buf_puts(out, in_list ? "NULL" : "", err);
    if (c->type.kind == BP_BOOL)
        return bp_buf_puts(out, bp_bit_get(c->data, i) ? "t" : "f", err);
    BP_TRY(bp_text_append(c, i, out, err));
    return in_list && c->type.kind == BP_LIST ? 0 : quote_tail(out, from, in_list, err);
}

int bp_text_append_nested(const struct bp_column *c, int64_t i, struct bp_buf *out,
                          struct bp_err *err)
{
    const int32_t *off;

    if (c->type.kind == BP_STRUCT) {
        BP_TRY(bp_buf_puts(out, "(", err));
        for (int k = 0; k < c->kids->n; k++) {
            if (k)
                BP_TRY(bp_buf_puts(out, ",", err));
            BP_TRY(append_inside(&c->kids->cols[k], i, false, out, err));
        }
        return bp_buf_puts(out, ")", err);
    }
    off = (const int32_t *)c->data + i;
    BP_TRY(bp_buf_puts(out, "{", err));
    for (int32_t k = off[0]; k < off[1]; k++) {
        if (k > off[0])
            BP_TRY(bp_buf_puts(out, ",", err));
        BP_TRY(append_inside(&c->kids->cols[0], k, true, out, err));
    }
    return bp_buf_puts(out, "}", err);
}

int bp_text_column(struct bp_column *out, const struct bp_column *c, struct bp_err *err)
{
    struct bp_buf text = {0};
    struct bp_builder b;
    int rc = 0;

    bp_builder_init(&b, BP_TYPE(BP_TEXT));
    for (int64_t i = 0; i < c->n_rows; i++) {
        if (bp_column_is_null(c, i)) {
            BP_GO(bp_builder_add_null(&b, err));
            continue;
        }
        text.len = 0;
        BP_GO(bp_text_append(c, i, &text, err));
        BP_GO(bp_builder_add_bytes(&b, text.data, text.len, err));
    }
    rc = bp_builder_finish(&b, out, err);
out:
    bp_builder_release(&b);
    bp_buf_release(&text);
    return rc;
}
