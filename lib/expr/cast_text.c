/* SPDX-License-Identifier: Apache-2.0 */
/* Text to and from everything, by col/text.h. */
#include <string.h>

#include "col/text.h"
#include "expr/cast.h"
#include "expr/wide.h"

/* ---- to text ---- */

static int run_to_text(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_column *c = &args[0].c;
    size_t w = bp_type_width_bytes(c->type);
    struct bp_err *err = r->ev->err;
    struct bp_text_out o;
    int rc;

    BP_TRY(bp_text_out_open(&o, r->n, (size_t)r->n * 12, err));
    for (int64_t i = 0; i < r->n; i++) {
        const uint8_t *v = (const uint8_t *)c->data + (size_t)i * w;
        uint8_t *p, yes;
        size_t n = 0;

        rc = bp_text_out_room(&o, BP_TEXT_MAX, &p, err);
        if (rc < 0) {
            bp_text_out_release(&o);
            return rc;
        }
        if (c->type.kind == BP_BOOL) {
            yes = bp_bit_get(c->data, i);
            v = &yes;
        }
        if (bp_run_is_valid(r, i))
            n = bp_text_format(c->type, v, (char *)p);
        bp_text_out_end(&o, n);
    }
    bp_text_out_close(&o, r->node->type, out);
    return 0;
}

static int run_nested_text(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_err *err = r->ev->err;
    struct bp_buf text = {0};
    struct bp_text_out o;
    uint8_t *p;
    int rc = 0;

    BP_TRY(bp_text_out_open(&o, r->n, (size_t)r->n * 12, err));
    for (int64_t i = 0; i < r->n; i++) {
        text.len = 0;
        if (bp_run_is_valid(r, i))
            BP_GO(bp_text_append(&args[0].c, i, &text, err));
        BP_GO(bp_text_out_room(&o, text.len, &p, err));
        if (text.len)
            memcpy(p, text.data, text.len);
        bp_text_out_end(&o, text.len);
    }
    bp_text_out_close(&o, r->node->type, out);
out:
    bp_buf_release(&text);
    if (rc < 0)
        bp_text_out_release(&o);
    return rc;
}

static int run_binary_text(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    static const char hex[] = "0123456789abcdef";
    struct bp_text_out o;

    BP_TRY(bp_text_out_open(&o, r->n, (size_t)r->n * 12, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        size_t n, w = 0;
        const uint8_t *s = bp_column_bytes(&args[0].c, i, &n);
        uint8_t *p;
        int rc = bp_text_out_room(&o, 2 * n + 2, &p, r->ev->err);

        if (rc < 0) {
            bp_text_out_release(&o);
            return rc;
        }
        if (bp_run_is_valid(r, i)) {
            p[w++] = '\\';
            p[w++] = 'x';
            for (size_t k = 0; k < n; k++) {
                p[w++] = (uint8_t)hex[s[k] >> 4];
                p[w++] = (uint8_t)hex[s[k] & 15];
            }
        }
        bp_text_out_end(&o, w);
    }
    bp_text_out_close(&o, r->node->type, out);
    return 0;
}

/* ---- from text ---- */

/* Digits that a cast rounds away, where the parsers refuse them. */
static int parse_rounded(struct bp_type t, const char *s, size_t n, void *v)
{
    struct bp_type fine = t;
    bp_int128 d;
    int64_t ns;
    int scale, rc;
    bool bad = false;

    if (t.kind == BP_DECIMAL) {
        rc = bp_decimal_parse_any(s, n, &d, &scale);
        if (rc || scale <= t.scale)
            return rc ? rc : BP_TEXT_RANGE;
        d = bp_round_pow10(d, scale - t.scale);
        if (bp_abs128(d) >= bp_ten_to[t.precision])
            return BP_TEXT_RANGE;
        memcpy(v, &d, sizeof d);
        return BP_TEXT_OK;
    }
    if (t.kind != BP_TIMESTAMP && t.kind != BP_TIMESTAMPTZ && t.kind != BP_TIME)
        return BP_TEXT_RANGE;
    fine.unit = BP_NANO;
    rc = bp_text_parse(fine, s, n, &ns);
    if (rc)
        return rc;
    ns = bp_change_unit(ns, BP_NANO, t.unit, &bad);
    memcpy(v, &ns, sizeof ns);
    return BP_TEXT_OK;
}

/* The day of a timestamp's text, whatever its zone, as PostgreSQL's date takes it. */
static int parse_day(const char *s, size_t n, void *v)
{
    size_t from = 0, to;
    int64_t moment;
    int rc = bp_parse_timestamp(s, n, BP_NANO, true, &moment);

    if (rc == BP_TEXT_RANGE) /* finer than ns, or beyond its years: only the day counts */
        rc = bp_parse_timestamp(s, n, BP_SECOND, true, &moment);
    if (rc)
        return rc;
    while (from < n && s[from] == ' ')
        from++;
    to = from;
    while (to < n && s[to] != ' ' && s[to] != 'T' && s[to] != 't')
        to++;
    return bp_text_parse(BP_TYPE(BP_DATE), s + from, to - from, v);
}

static int parse(struct bp_type t, const char *s, size_t n, void *v)
{
    int rc = bp_text_parse(t, s, n, v);

    if (rc == BP_TEXT_BAD && t.kind == BP_DATE)
        return parse_day(s, n, v);
    return rc == BP_TEXT_RANGE ? parse_rounded(t, s, n, v) : rc;
}

static int run_from_text(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_column *c = &args[0].c;
    struct bp_type t = r->node->type;
    size_t w = bp_type_width_bytes(t);
    uint8_t *to;
    void *data;

    BP_TRY(bp_vec_fixed(out, t, r->n, &data, r->ev->err));
    to = data;
    if (t.kind == BP_BOOL)
        memset(to, 0, bp_bits_bytes(r->n));
    for (int64_t i = 0; i < r->n; i++) {
        uint8_t v[16] = {0};
        size_t n;
        const uint8_t *s = bp_column_bytes(c, i, &n);
        int rc;

        if (bp_run_is_valid(r, i)) {
            rc = parse(t, (const char *)s, n, v);
            if (rc) {
                BP_TRY(bp_cast_fail(r, i, &args[0], rc == BP_TEXT_RANGE));
                memset(v, 0, sizeof v);
            }
        }
        if (t.kind == BP_BOOL)
            bp_bit_put(to, i, v[0]);
        else
            memcpy(to + (size_t)i * w, v, w);
    }
    return 0;
}

static int run_text_binary(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct bp_text_out o;

    BP_TRY(bp_text_out_open(&o, r->n, (size_t)r->n * 12, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        size_t n;
        const uint8_t *s = bp_column_bytes(&args[0].c, i, &n);
        size_t used = 0;
        uint8_t *p;
        int rc = bp_text_out_room(&o, n, &p, r->ev->err);

        if (rc >= 0 && bp_run_is_valid(r, i) &&
            bp_parse_binary((const char *)s, n, p, &used) != BP_TEXT_OK)
            rc = bp_cast_fail(r, i, &args[0], false);
        if (rc < 0) {
            bp_text_out_release(&o);
            return rc;
        }
        bp_text_out_end(&o, used);
    }
    bp_text_out_close(&o, r->node->type, out);
    return 0;
}

bool bp_cast_text(struct bp_type from, struct bp_type to, struct bp_call *c)
{
    c->slow = true;
    c->fallible = false;
    if (to.kind == BP_TEXT) {
        c->run = bp_type_is_nested(from)  ? run_nested_text
                 : from.kind == BP_BINARY ? run_binary_text
                                          : run_to_text;
        return true;
    }
    if (from.kind != BP_TEXT || bp_type_is_nested(to))
        return false;
    c->fallible = true;
    c->on_dict = true;
    c->run = to.kind == BP_BINARY ? run_text_binary : run_from_text;
    return true;
}
