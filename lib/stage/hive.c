/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/hive.h"

#include <string.h>

#include "col/text.h"

static bool is_escaped(uint8_t b)
{
    return b < 0x20 || b == 0x7F || strchr("\"#%'*/:=?[\\]^{", b) != NULL;
}

static int put_escape(uint8_t b, struct bp_buf *out, struct bp_err *err)
{
    return bp_buf_printf(out, err, "%%%02X", b);
}

int bp_hive_escape(const void *p, size_t n, struct bp_buf *out, struct bp_err *err)
{
    const uint8_t *s = p;

    for (size_t i = 0; i < n; i++)
        if (is_escaped(s[i]))
            BP_TRY(put_escape(s[i], out, err));
        else
            BP_TRY(bp_buf_append(out, &s[i], 1, err));
    return 0;
}

static int escape_text(const uint8_t *p, size_t n, struct bp_buf *out, struct bp_err *err)
{
    bool is_null_name = n == strlen(BP_HIVE_NULL) && memcmp(p, BP_HIVE_NULL, n) == 0;

    BP_TRY(bp_hive_escape(p, n - is_null_name, out, err));
    return is_null_name ? put_escape(p[n - 1], out, err) : 0;
}

int bp_hive_value(const struct bp_column *c, int64_t i, struct bp_buf *out, struct bp_err *err)
{
    struct bp_buf text = {0};
    int rc;

    if (bp_column_is_null(c, i))
        return bp_buf_puts(out, BP_HIVE_NULL, err);
    BP_GO(bp_text_append(c, i, &text, err));
    if (bp_type_is_float(c->type) && text.len == 2 && memcmp(text.data, "-0", 2) == 0)
        rc = bp_buf_puts(out, "0", err);
    else
        rc = escape_text(text.data, text.len, out, err);
out:
    bp_buf_release(&text);
    return rc;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int bp_hive_unescape(const char *s, size_t n, struct bp_buf *out, struct bp_err *err)
{
    BP_TRY(bp_buf_reserve(out, n + 1, err));
    for (size_t i = 0; i < n; i++) {
        int high = s[i] == '%' && i + 2 < n ? hex_digit(s[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s[i + 2]) : -1;

        if (low >= 0) {
            out->data[out->len++] = (uint8_t)(high << 4 | low);
            i += 2;
        } else {
            out->data[out->len++] = (uint8_t)s[i];
        }
    }
    return 0;
}

int bp_hive_parse(const char *name, struct bp_buf *column, struct bp_buf *value, bool *is_hive,
                  bool *is_null, struct bp_err *err)
{
    const char *eq = strchr(name, '=');

    column->len = value->len = 0;
    *is_null = false;
    *is_hive = eq && eq != name;
    if (!*is_hive)
        return 0;
    *is_null = strcmp(eq + 1, BP_HIVE_NULL) == 0;
    BP_TRY(bp_hive_unescape(name, (size_t)(eq - name), column, err));
    return *is_null ? 0 : bp_hive_unescape(eq + 1, strlen(eq + 1), value, err);
}
