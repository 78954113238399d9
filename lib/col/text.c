/* SPDX-License-Identifier: Apache-2.0 */
/* Text <-> value of any type: which parser, which writer; bytea. */
#include "col/text.h"

#include "col/text_scan.h"

/* ---- text -> value ---- */

static int parse_signed(const char *s, size_t n, int64_t min, int64_t max, int64_t *v)
{
    int rc = bp_parse_int64(s, n, v);

    return rc == BP_TEXT_OK && (*v < min || *v > max) ? BP_TEXT_RANGE : rc;
}

static int parse_unsigned(const char *s, size_t n, uint64_t max, uint64_t *v)
{
    int rc = bp_parse_uint64(s, n, v);

    return rc == BP_TEXT_OK && *v > max ? BP_TEXT_RANGE : rc;
}

static int parse_small_int(enum bp_kind kind, const char *s, size_t n, void *out)
{
    static const struct {
        int64_t min, max;
    } ranges[BP_N_KINDS] = {
        [BP_INT8] = {INT8_MIN, INT8_MAX},    [BP_INT16] = {INT16_MIN, INT16_MAX},
        [BP_INT32] = {INT32_MIN, INT32_MAX}, [BP_UINT8] = {0, UINT8_MAX},
        [BP_UINT16] = {0, UINT16_MAX},       [BP_UINT32] = {0, UINT32_MAX},
    };
    size_t width = bp_type_width_bytes(BP_TYPE((uint8_t)kind));
    uint64_t u = 0;
    int64_t v = 0;
    int rc;

    if (ranges[kind].min < 0) {
        rc = parse_signed(s, n, ranges[kind].min, ranges[kind].max, &v);
        u = (uint64_t)v;
    } else {
        rc = parse_unsigned(s, n, (uint64_t)ranges[kind].max, &u);
    }
    if (rc == BP_TEXT_OK)
        memcpy(out, &u, width); /* little-endian: the low bytes */
    return rc;
}

static int parse_decimal(struct bp_type t, const char *s, size_t n, void *out)
{
    bp_int128 v;
    int rc = bp_parse_decimal(s, n, t.precision, t.scale, &v);

    if (rc == BP_TEXT_OK)
        memcpy(out, &v, bp_type_width_bytes(t)); /* little-endian: the low bytes */
    return rc;
}

int bp_text_parse(struct bp_type t, const char *s, size_t n, void *out)
{
    switch ((enum bp_kind)t.kind) {
    case BP_BOOL: return bp_parse_bool(s, n, out);
    case BP_INT8:
    case BP_INT16:
    case BP_INT32:
    case BP_UINT8:
    case BP_UINT16:
    case BP_UINT32: return parse_small_int((enum bp_kind)t.kind, s, n, out);
    case BP_INT64: return bp_parse_int64(s, n, out);
    case BP_UINT64: return bp_parse_uint64(s, n, out);
    case BP_FLOAT32: return bp_parse_float32(s, n, out);
    case BP_FLOAT64: return bp_parse_float64(s, n, out);
    case BP_DECIMAL: return parse_decimal(t, s, n, out);
    case BP_DATE: return bp_parse_date(s, n, out);
    case BP_TIME: return bp_parse_time(s, n, (enum bp_unit)t.unit, out);
    case BP_TIMESTAMP: return bp_parse_timestamp(s, n, (enum bp_unit)t.unit, false, out);
    case BP_TIMESTAMPTZ: return bp_parse_timestamp(s, n, (enum bp_unit)t.unit, true, out);
    case BP_INTERVAL: return bp_parse_interval(s, n, out);
    case BP_NO_TYPE:
    case BP_TEXT:
    case BP_BINARY:
    case BP_LIST:
    case BP_STRUCT:
    case BP_N_KINDS: break;
    }
    return BP_TEXT_BAD;
}

/* ---- value -> text ---- */

#define VALUE(type) (*(const type *)p)

size_t bp_text_format(struct bp_type t, const void *p, char out[BP_TEXT_MAX])
{
    enum bp_unit unit = (enum bp_unit)t.unit;
    bool yes;

    switch ((enum bp_kind)t.kind) {
    case BP_BOOL:
        yes = VALUE(uint8_t);
        memcpy(out, yes ? "true" : "false", 5);
        return yes ? 4 : 5;
    case BP_INT8: return bp_format_int64(VALUE(int8_t), out);
    case BP_INT16: return bp_format_int64(VALUE(int16_t), out);
    case BP_INT32: return bp_format_int64(VALUE(int32_t), out);
    case BP_INT64: return bp_format_int64(VALUE(int64_t), out);
    case BP_UINT8: return bp_format_uint64(VALUE(uint8_t), out);
    case BP_UINT16: return bp_format_uint64(VALUE(uint16_t), out);
    case BP_UINT32: return bp_format_uint64(VALUE(uint32_t), out);
    case BP_UINT64: return bp_format_uint64(VALUE(uint64_t), out);
    case BP_FLOAT32: return bp_format_float32(VALUE(float), out);
    case BP_FLOAT64: return bp_format_float64(VALUE(double), out);
    case BP_DECIMAL:
        return bp_format_decimal(bp_type_is_decimal64(t) ? VALUE(int64_t) : VALUE(bp_int128),
                                 t.scale, out);
    case BP_DATE: return bp_format_date(VALUE(int32_t), out);
    case BP_TIME: return bp_format_time(VALUE(int64_t), unit, out);
    case BP_TIMESTAMP: return bp_format_timestamp(VALUE(int64_t), unit, false, out);
    case BP_TIMESTAMPTZ: return bp_format_timestamp(VALUE(int64_t), unit, true, out);
    case BP_INTERVAL: return bp_format_interval(VALUE(struct bp_interval), out);
    case BP_NO_TYPE:
    case BP_TEXT:
    case BP_BINARY:
    case BP_LIST:
    case BP_STRUCT:
    case BP_N_KINDS: break;
    }
    return 0;
}

static int append_hex(const uint8_t *p, size_t n, struct bp_buf *out, struct bp_err *err)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *to;

    BP_TRY(bp_buf_reserve(out, 2 + 2 * n, err));
    to = out->data + out->len;
    *to++ = '\\';
    *to++ = 'x';
    for (size_t i = 0; i < n; i++) {
        *to++ = (uint8_t)digits[p[i] >> 4];
        *to++ = (uint8_t)digits[p[i] & 15];
    }
    out->len += 2 + 2 * n;
    return 0;
}

int bp_text_append(const struct bp_column *c, int64_t i, struct bp_buf *out, struct bp_err *err)
{
    const uint8_t *p;
    uint8_t bit;
    size_t n;

    if (bp_type_is_bytes(c->type)) {
        p = bp_column_bytes(c, i, &n);
        if (c->type.kind == BP_BINARY)
            return append_hex(p, n, out, err);
        return bp_buf_append(out, p, n, err);
    }
    if (bp_type_is_nested(c->type))
        return bp_text_append_nested(c, i, out, err);
    if (c->type.kind == BP_BOOL) {
        bit = bp_bit_get(c->data, i);
        p = &bit;
    } else {
        p = (const uint8_t *)c->data + (size_t)i * bp_type_width_bytes(c->type);
    }
    BP_TRY(bp_buf_reserve(out, BP_TEXT_MAX, err));
    out->len += bp_text_format(c->type, p, (char *)out->data + out->len);
    return 0;
}

/* ---- bytea ---- */

static int hex_digit(char c)
{
    if (bp_is_digit(c))
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_hex(const char *s, size_t n, uint8_t *out, size_t *out_bytes)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        int high, low;

        if (bp_is_blank(s[i])) /* between pairs */
            continue;
        high = hex_digit(s[i]);
        low = i + 1 < n ? hex_digit(s[i + 1]) : -1;
        if (high < 0 || low < 0)
            return BP_TEXT_BAD;
        if (out)
            out[len] = (uint8_t)(high << 4 | low);
        len++;
        i++;
    }
    *out_bytes = len;
    return BP_TEXT_OK;
}

static bool is_octal(char c, char max)
{
    return c >= '0' && c <= max;
}

int bp_parse_binary(const char *s, size_t n, uint8_t *out, size_t *out_bytes)
{
    size_t len = 0;

    if (n >= 2 && s[0] == '\\' && s[1] == 'x')
        return parse_hex(s + 2, n - 2, out, out_bytes);
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)s[i];

        if (byte == '\\' && n - i > 1 && s[i + 1] == '\\') {
            i++;
        } else if (byte == '\\' && n - i > 3 && is_octal(s[i + 1], '3') &&
                   is_octal(s[i + 2], '7') && is_octal(s[i + 3], '7')) {
            byte = (uint8_t)((s[i + 1] - '0') << 6 | (s[i + 2] - '0') << 3 | (s[i + 3] - '0'));
            i += 3;
        } else if (byte == '\\') {
            return BP_TEXT_BAD;
        }
        if (out)
            out[len] = byte;
        len++;
    }
    *out_bytes = len;
    return BP_TEXT_OK;
}
