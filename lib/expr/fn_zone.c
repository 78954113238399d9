/* SPDX-License-Identifier: Apache-2.0 */
/*
 * at time zone, which the grammar makes timezone(zone, x). A constant zone is read once; else
 * each batch keeps the zones that it met. Rows that stand together are usually close in time:
 * the span of the last row is tried first.
 */
#include <string.h>

#include "expr/function.h"
#include "expr/moment.h"
#include "expr/text_arg.h"
#include "expr/zone.h"

#define MAX_HELD 512

/* Zones by name, of one batch. */
struct held {
    struct bp_arena mem;
    int n;
    struct {
        const uint8_t *name; /* in the batch */
        size_t n;
        struct bp_zone zone;
    } * zones;
    const struct bp_zone *last;
    const uint8_t *last_name;
    size_t last_n;
};

/* *out NULL: there is none of that name. */
static int zone_of(struct bp_run *r, struct held *h, const uint8_t *name, size_t n,
                   const struct bp_zone **out)
{
    struct bp_err quiet = {0};

    if (h->last && h->last_n == n && memcmp(h->last_name, name, n) == 0) {
        *out = h->last;
        return 0;
    }
    for (int i = 0; i < h->n; i++)
        if (h->zones[i].n == n && memcmp(h->zones[i].name, name, n) == 0) {
            *out = &h->zones[i].zone;
            goto found;
        }
    if (h->n == MAX_HELD)
        return bp_fail(r->ev->err, BP_EDATA, "a batch has more than %d time zones", MAX_HELD);
    if (!h->zones)
        h->zones = bp_arena_alloc(&h->mem, MAX_HELD * sizeof *h->zones, r->ev->err);
    if (!h->zones)
        return r->ev->err->code;
    *out = NULL;
    if (bp_zone_find(&h->mem, (const char *)name, n, &h->zones[h->n].zone, &quiet) < 0)
        return quiet.code == BP_ENOMEM ? bp_fail(r->ev->err, BP_ENOMEM, "%s", quiet.msg) : 0;
    h->zones[h->n].name = name;
    h->zones[h->n].n = n;
    *out = &h->zones[h->n++].zone;
found:
    h->last = *out;
    h->last_name = name;
    h->last_n = n;
    return 0;
}

/* op: whether x is an instant. */
static bool shift(const struct bp_zone *z, bool instant, int64_t v, int64_t per_s,
                  struct bp_zone_span *s, int64_t *out)
{
    int64_t t = bp_floor_div(v, per_s);
    int32_t offset;

    if (instant) {
        if (t < s->from || t >= s->to)
            *s = bp_zone_span(z, t);
        offset = s->offset_s;
    } else {
        offset = -bp_zone_local_offset(z, t, s);
    }
    return !__builtin_add_overflow(v, offset * per_s, out);
}

static const struct bp_zone_span nothing = {.from = 1, .to = 0};

static int run_zone(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct bp_zone *z = r->node->param, *last = NULL;
    const struct bp_vec *x = &args[r->node->n_args - 1];
    int64_t per_s = bp_unit_per_second(x->c.type.unit), *v;
    bool instant = x->c.type.kind == BP_TIMESTAMPTZ;
    struct bp_zone_span s = nothing;
    struct held h = {0};
    void *data;
    int rc = 0;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        v[i] = 0;
        if (!bp_run_is_valid(r, i))
            continue;
        if (!r->node->param) {
            size_t n;
            const uint8_t *name = arg_bytes(&args[0], i, &n);

            BP_GO(zone_of(r, &h, name, n, &z));
            if (!z) {
                BP_GO(bp_run_fail(r, i, "there is no time zone '%.*s'", (int)BP_MIN(n, 60), name));
                continue;
            }
        }
        if (z != last)
            s = nothing;
        last = z;
        if (!shift(z, instant, ((const int64_t *)x->c.data)[x->one ? 0 : i], per_s, &s, &v[i])) {
            v[i] = 0;
            BP_GO(bp_run_fail(r, i, "the timestamp is out of range in that time zone"));
        }
    }
out:
    bp_arena_release(&h.mem);
    return rc;
}

static int bind_zone(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_zone *z;
    const char *s;
    size_t len;

    (void)tok;
    c->type = args[1]->type;
    c->type.kind = c->type.kind == BP_TIMESTAMP ? BP_TIMESTAMPTZ : BP_TIMESTAMP;
    if (!bp_node_const_text(args[0], &s, &len))
        return 0;
    z = bp_arena_alloc(&b->e->mem, sizeof *z, b->err);
    if (!z)
        return b->err->code;
    if (bp_zone_find(&b->e->mem, s, len, z, b->err) < 0) {
        struct bp_err why = *b->err;

        if (why.code == BP_ENOMEM)
            return why.code;
        memset(b->err, 0, sizeof *b->err);
        return bp_bind_fail(b, args[0]->tok, "%s", why.msg);
    }
    c->param = z;
    args[0] = args[1];
    *n = 1;
    return 0;
}

/* x at time zone interval '-05:00' */
static int run_offset(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    int64_t per_s = bp_unit_per_second(r->node->type.unit), *v;
    const struct bp_interval *p = args[0].c.data;
    const int64_t *a = args[1].c.data;
    int sign = args[1].c.type.kind == BP_TIMESTAMPTZ ? 1 : -1;
    void *data;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n; i++) {
        const struct bp_interval *o = &p[args[0].one ? 0 : i];

        v[i] = 0;
        if (!bp_run_is_valid(r, i))
            continue;
        if (o->months || o->days)
            BP_TRY(bp_run_fail(r, i, "a time zone has no months or days"));
        else if (__builtin_add_overflow(a[args[1].one ? 0 : i], sign * (o->ns / 1000000000) * per_s,
                                        &v[i]))
            BP_TRY(bp_run_fail(r, i, "the timestamp is out of range in that time zone"));
    }
    return 0;
}

static int bind_offset(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)b, (void)tok, (void)n;
    c->type.unit = args[1]->type.unit;
    return 0;
}

/* ---- date_trunc(field, instant, zone) ---- */

/* Days and longer are cut on the zone's clock, which is then read there. What is shorter keeps
 * the offset that the instant has. */
static int bind_trunc(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *local, *cut, *x = args[1], *zone = args[2];
    const char *s = "";
    size_t len = 0;
    bool keep = bp_node_const_text(args[0], &s, &len) && bp_is_clock_field(s, len);

    (void)n;
    BP_TRY(bp_bind_function(b, tok, "timezone", (struct bp_node *[]){zone, x}, 2, &local));
    BP_TRY(bp_bind_function(b, tok, "date_trunc", (struct bp_node *[]){args[0], local}, 2, &cut));
    if (keep) {
        BP_TRY(bp_bind_operator(b, tok, "-", local, cut, &cut));
        BP_TRY(bp_bind_operator(b, tok, "-", x, cut, &args[0]));
    } else {
        BP_TRY(bp_bind_function(b, tok, "timezone", (struct bp_node *[]){zone, cut}, 2, &args[0]));
    }
    c->run = NULL;
    return 0;
}

/* A numeric zone as in timestamps, +05:30 and +0530 east of UTC, turned into a POSIX text. */
static int row_iso(struct bp_run *r, const struct bp_vec *args, int64_t i, struct bp_text_out *o,
                   size_t *used)
{
    size_t n, digits = 0, at = 0;
    const uint8_t *s = arg_bytes(&args[0], i, &n);
    uint8_t *p;

    if (n && s[0] >= '0' && s[0] <= '9')
        return bp_run_fail(r, i, "the time zone '%.*s' needs a sign", (int)BP_MIN(n, 40), s);
    BP_TRY(bp_text_out_room(o, n + 1, &p, r->ev->err));
    *used = n;
    if (n)
        memcpy(p, s, n);
    if (!n || (s[0] != '+' && s[0] != '-'))
        return 0;
    p[at++] = s[0] == '+' ? '-' : '+';
    while (at + digits < n && s[at + digits] >= '0' && s[at + digits] <= '9')
        digits++;
    if (1 + digits == n && digits > 2) { /* hhmm */
        memmove(p + n - 1, p + n - 2, 2);
        p[n - 2] = ':';
        *used = n + 1;
    }
    return 0;
}
BP_TEXT_KERNEL(run_iso, row_iso)

/* make_timestamptz with a zone behind */
static int bind_make(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    struct bp_node *pair[2];

    (void)n;
    BP_TRY(bp_bind_function(b, tok, "@iso zone", &args[6], 1, &pair[0]));
    BP_TRY(bp_bind_function(b, tok, "make_timestamp", args, 6, &pair[1]));
    BP_TRY(bp_bind_function(b, tok, "timezone", pair, 2, &args[0]));
    c->run = NULL;
    return 0;
}

#define ZONE(FROM, TO, RUN, BIND, KIND)                                                            \
    {                                                                                              \
        .name = "timezone", .args = {KIND, FROM}, .result = TO, .flags = BP_FN_FALLIBLE,           \
        .run = RUN, .bind = BIND                                                                   \
    }
#define I BP_INT64

static const struct bp_fn fns[] = {
    ZONE(BP_TIMESTAMPTZ, BP_TIMESTAMP, run_zone, bind_zone, BP_TEXT),
    ZONE(BP_TIMESTAMP, BP_TIMESTAMPTZ, run_zone, bind_zone, BP_TEXT),
    ZONE(BP_TIMESTAMPTZ, BP_TIMESTAMP, run_offset, bind_offset, BP_INTERVAL),
    ZONE(BP_TIMESTAMP, BP_TIMESTAMPTZ, run_offset, bind_offset, BP_INTERVAL),
    {.name = "date_trunc",
     .args = {BP_TEXT, BP_TIMESTAMPTZ, BP_TEXT},
     .result = BP_TIMESTAMPTZ,
     .bind = bind_trunc},
    {.name = "@iso zone",
     .args = {BP_TEXT},
     .result = BP_TEXT,
     .flags = BP_FN_FALLIBLE,
     .run = run_iso},
    {.name = "make_timestamptz",
     .args = {I, I, I, I, I, BP_FLOAT64, BP_TEXT},
     .result = BP_TIMESTAMPTZ,
     .bind = bind_make},
};

const struct bp_fn_table bp_fns_zone = {fns, BP_COUNT_OF(fns)};
