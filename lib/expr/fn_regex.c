/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of regular expressions. A constant pattern is compiled once, others when
 * they change from one row to the next. */
#include <string.h>

#include "base/mem.h"
#include "expr/function.h"
#include "expr/regex.h"
#include "expr/text_arg.h"

struct bp_regex_held {
    struct bp_regex *re;
    struct bp_regex_held *next;
};

void bp_regex_release_held(struct bp_regex_held *h)
{
    for (; h; h = h->next)
        bp_regex_free(h->re);
}

/* Of a node: what is known of its pattern. */
struct known {
    struct bp_regex *re; /* NULL: the pattern differs by row */
    struct bp_regex_flags flags;
    bool negate;
};

/* ---- one kernel's run ---- */

struct search {
    const struct known *k;
    const struct bp_regex *re; /* of this row */
    struct bp_regex *own;
    struct bp_regex_match *match;
    const uint8_t *pattern; /* of own */
    size_t pattern_bytes;
};

static void search_close(struct search *s)
{
    bp_regex_match_free(s->match);
    bp_regex_free(s->own);
}

/* The pattern of row i. 1; 0: the row has failed, go on; <0: stop. */
static int search_row(struct search *s, struct bp_run *r, const struct bp_vec *args, int64_t i)
{
    struct bp_err why = {0};
    size_t n;
    const uint8_t *p = arg_bytes(&args[1], i, &n);
    int rc;

    s->re = s->k->re;
    if (!s->re && !(s->own && n == s->pattern_bytes && memcmp(p, s->pattern, n) == 0)) {
        search_close(s);
        s->own = NULL;
        s->match = NULL;
        if (bp_regex_new(&s->own, p, n, s->k->flags, false, &why) < 0) {
            rc = bp_run_fail(r, i, "%s", why.msg);
            return rc < 0 ? rc : 0;
        }
        s->pattern = p;
        s->pattern_bytes = n;
    }
    if (!s->re)
        s->re = s->own;
    if (!s->match)
        BP_TRY(bp_regex_match_new(&s->match, s->re, r->ev->err));
    return 1;
}

/* 1 found, 0 not, or the row has failed (*failed); <0: stop. */
static int search_find(struct search *s, struct bp_run *r, int64_t i, const uint8_t *t, size_t n,
                       size_t from, const size_t **spans, bool *failed)
{
    int rc = bp_regex_find(s->re, s->match, t, n, from, spans);

    if (rc >= 0)
        return rc;
    *failed = true;
    return bp_run_fail(r, i, "matching '%.*s' takes too many steps", (int)BP_MIN(n, 60),
                       (const char *)t);
}

/* Where to look on behind a match. */
static size_t behind(const uint8_t *t, size_t n, const size_t *spans)
{
    size_t at = spans[1];

    if (spans[0] == spans[1])
        for (at++; at < n && !is_lead(t[at]); at++)
            ;
    return at;
}

static bool row_is_null(const struct bp_run *r, const struct bp_vec *args, int64_t i)
{
    for (int a = 0; a < r->node->n_args; a++)
        if (bp_column_is_null(&args[a].c, args[a].one ? 0 : i))
            return true;
    return false;
}

/* ---- s ~ pattern, regexp_like ---- */

static int run_match(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct search s = {.k = r->node->param};
    const size_t *spans;
    void *bits;
    int rc = 0;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &bits, r->ev->err));
    for (int64_t i = 0; i < r->n && rc >= 0; i++) {
        bool failed = false;
        size_t n;
        const uint8_t *t = arg_bytes(&args[0], i, &n);

        bp_bit_put(bits, i, false);
        rc = bp_run_is_valid(r, i) ? search_row(&s, r, args, i) : 0;
        if (rc <= 0)
            continue;
        rc = search_find(&s, r, i, t, n, 0, &spans, &failed);
        if (rc >= 0)
            bp_bit_put(bits, i, (rc > 0) != s.k->negate);
    }
    search_close(&s);
    return rc < 0 ? rc : 0;
}

/* ---- regexp_replace ---- */

static int put(struct bp_run *r, struct bp_text_out *o, size_t *used, const void *s, size_t n)
{
    uint8_t *p;

    BP_TRY(bp_text_out_room(o, *used + n, &p, r->ev->err));
    if (n)
        memcpy(p + *used, s, n);
    *used += n;
    return 0;
}

/* \1 to \9 and \& stand for what was matched. */
static int put_replacement(struct bp_run *r, struct bp_text_out *o, size_t *used,
                           const struct search *s, const uint8_t *t, const size_t *spans,
                           const uint8_t *by, size_t n)
{
    for (size_t k = 0, stop; k < n; k = stop) {
        const uint8_t *back = memchr(by + k, '\\', n - k);
        int group = -1;
        uint8_t c;

        stop = back ? (size_t)(back - by) : n;
        BP_TRY(put(r, o, used, by + k, stop - k));
        if (!back)
            break;
        c = stop + 1 < n ? by[stop + 1] : 0;
        stop += c ? 2 : 1;
        if (c == '&' || (c >= '1' && c <= '9'))
            group = c == '&' ? 0 : c - '0';
        else
            BP_TRY(put(r, o, used, back, !c || c == '\\' ? 1 : 2));
        if (group >= 0 && group <= bp_regex_groups(s->re) && spans[2 * group] != (size_t)-1)
            BP_TRY(put(r, o, used, t + spans[2 * group], spans[2 * group + 1] - spans[2 * group]));
    }
    return 0;
}

static int replace_row(struct search *s, struct bp_run *r, const struct bp_vec *args, int64_t i,
                       struct bp_text_out *o, size_t *used)
{
    size_t n, m, from = 0, copied = 0;
    const uint8_t *t = arg_bytes(&args[0], i, &n), *by = arg_bytes(&args[2], i, &m);
    const size_t *spans;
    bool failed = false;
    int rc = search_row(s, r, args, i);

    if (rc <= 0)
        return rc;
    while (from <= n && (rc = search_find(s, r, i, t, n, from, &spans, &failed)) > 0) {
        BP_TRY(put(r, o, used, t + copied, spans[0] - copied));
        BP_TRY(put_replacement(r, o, used, s, t, spans, by, m));
        copied = spans[1];
        from = behind(t, n, spans);
        if (!s->k->flags.global)
            break;
    }
    return rc < 0 ? rc : put(r, o, used, t + copied, n - copied);
}

static int run_replace(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct search s = {.k = r->node->param};
    struct bp_text_out o;
    int rc = 0;

    BP_TRY(bp_text_out_open(&o, r->n, (size_t)r->n * 16, r->ev->err));
    for (int64_t i = 0; i < r->n && rc >= 0; i++) {
        size_t used = 0;

        if (bp_run_is_valid(r, i))
            rc = replace_row(&s, r, args, i, &o, &used);
        bp_text_out_end(&o, used);
    }
    search_close(&s);
    if (rc < 0)
        bp_text_out_release(&o);
    else
        bp_text_out_close(&o, r->node->type, out);
    return rc < 0 ? rc : 0;
}

/* ---- regexp_match: the groups, or the whole where there are none; NULL: no match ---- */

static int groups_row(struct search *s, struct bp_run *r, const struct bp_vec *args, int64_t i,
                      struct bp_builder *b)
{
    struct bp_builder *kid = &b->kids[0];
    const size_t *spans;
    bool failed = false;
    size_t n;
    const uint8_t *t = arg_bytes(&args[0], i, &n);
    int rc = search_row(s, r, args, i), n_groups;

    if (rc > 0)
        rc = search_find(s, r, i, t, n, 0, &spans, &failed);
    if (rc <= 0)
        return rc < 0 ? rc : bp_builder_add_null(b, r->ev->err);
    n_groups = bp_regex_groups(s->re);
    for (int g = n_groups ? 1 : 0; g <= n_groups; g++)
        if (spans[2 * g] == (size_t)-1)
            BP_TRY(bp_builder_add_null(kid, r->ev->err));
        else
            BP_TRY(bp_builder_add_bytes(kid, t + spans[2 * g], spans[2 * g + 1] - spans[2 * g],
                                        r->ev->err));
    return bp_builder_add_nested(b, r->ev->err);
}

static int run_groups(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct search s = {.k = r->node->param};
    struct bp_builder b;
    int rc;

    bp_builder_init(&b, r->node->type);
    rc = bp_builder_reserve(&b, r->n, r->ev->err);
    for (int64_t i = 0; i < r->n && rc >= 0; i++)
        rc = row_is_null(r, args, i) ? bp_builder_add_null(&b, r->ev->err)
                                     : groups_row(&s, r, args, i, &b);
    search_close(&s);
    if (rc >= 0)
        rc = bp_builder_finish(&b, out, r->ev->err);
    bp_builder_release(&b);
    return rc < 0 ? rc : 0;
}

/* ---- regexp_count, regexp_substr, substring(s from pattern) ---- */

/* Byte where the search starts, from the count of characters in argument a. -1: the
 * row has failed. */
static int start_at(struct bp_run *r, const struct bp_vec *args, int a, int64_t i, const uint8_t *t,
                    size_t n, int64_t *from)
{
    int64_t k = r->node->n_args > a ? arg_int64(&args[a], i) : 1;

    *from = k > 0 ? (int64_t)chars_bytes(t, n, k - 1) : -1;
    if (k > 1 && count_chars(t, n) < k - 1)
        *from = (int64_t)n + 1;
    return k > 0 ? 0 : bp_run_fail(r, i, "the start %lld is not above 0", (long long)k);
}

static int count_row(struct search *s, struct bp_run *r, const struct bp_vec *args, int64_t i,
                     int32_t *v)
{
    size_t n;
    const uint8_t *t = arg_bytes(&args[0], i, &n);
    const size_t *spans;
    bool failed = false;
    int64_t from;
    int rc = search_row(s, r, args, i);

    if (rc <= 0)
        return rc;
    BP_TRY(start_at(r, args, 2, i, t, n, &from));
    for (size_t at = (size_t)from; from >= 0 && at <= n; at = behind(t, n, spans)) {
        rc = search_find(s, r, i, t, n, at, &spans, &failed);
        if (rc <= 0)
            return rc;
        ++*v;
    }
    return 0;
}

static int run_count(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct search s = {.k = r->node->param};
    int32_t *v;
    void *data;
    int rc = 0;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n && rc >= 0; i++) {
        v[i] = 0;
        if (bp_run_is_valid(r, i))
            rc = count_row(&s, r, args, i, &v[i]);
    }
    search_close(&s);
    return rc < 0 ? rc : 0;
}

/* Match number args[3] behind character args[2] (each 1 if it is not there): 1 found. */
static int nth_match(struct search *s, struct bp_run *r, const struct bp_vec *args, int64_t i,
                     const uint8_t *t, size_t n, const size_t **spans)
{
    int64_t from, want = r->node->n_args > 3 ? arg_int64(&args[3], i) : 1;
    bool failed = false;
    int rc = search_row(s, r, args, i);

    if (rc <= 0)
        return rc;
    BP_TRY(start_at(r, args, 2, i, t, n, &from));
    if (want <= 0)
        return bp_run_fail(r, i, "the match %lld is not above 0", (long long)want);
    if (from < 0)
        return 0;
    for (size_t at = (size_t)from; want > 0; want--, at = behind(t, n, *spans)) {
        rc = at <= n ? search_find(s, r, i, t, n, at, spans, &failed) : 0;
        if (rc <= 0)
            return rc;
    }
    return 1;
}

/* The group that argument a asks for, 0 without it: its place in spans; -1: none; the row may
 * have failed. A pattern without groups is its own first. */
static int group_of(const struct search *s, struct bp_run *r, const struct bp_vec *args, int a,
                    int64_t i, int *at)
{
    int64_t g = r->node->n_args > a ? arg_int64(&args[a], i) : 0;

    *at = g >= 0 && g <= bp_regex_groups(s->re) ? (int)g * 2 : -1;
    if (g == 1 && bp_regex_groups(s->re) == 0)
        *at = 0;
    return g < 0 ? bp_run_fail(r, i, "the group %lld is below 0", (long long)g) : 0;
}

/* op 1: the first group stands for the match, if there is one. 1: found. */
static int substr_row(struct search *s, struct bp_run *r, const struct bp_vec *args, int64_t i,
                      struct bp_text_out *o, size_t *used)
{
    size_t n;
    const uint8_t *t = arg_bytes(&args[0], i, &n);
    const size_t *spans = NULL;
    int g, rc = nth_match(s, r, args, i, t, n, &spans);

    if (rc <= 0)
        return rc;
    BP_TRY(group_of(s, r, args, 4, i, &g));
    if (r->node->op && bp_regex_groups(s->re) > 0)
        g = 2;
    if (g < 0 || spans[g] == (size_t)-1)
        return 0;
    BP_TRY(put(r, o, used, t + spans[g], spans[g + 1] - spans[g]));
    return 1;
}

/* regexp_instr: where the match begins, or what follows it (args[4] = 1). */
static int instr_row(struct search *s, struct bp_run *r, const struct bp_vec *args, int64_t i,
                     int32_t *v)
{
    size_t n;
    const uint8_t *t = arg_bytes(&args[0], i, &n);
    const size_t *spans = NULL;
    int64_t behind_it = r->node->n_args > 4 ? arg_int64(&args[4], i) : 0;
    int g, rc = nth_match(s, r, args, i, t, n, &spans);

    if (rc <= 0)
        return rc;
    if (behind_it != 0 && behind_it != 1)
        return bp_run_fail(r, i, "regexp_instr: 0 asks for the begin, 1 for the end");
    BP_TRY(group_of(s, r, args, 5, i, &g));
    if (g >= 0 && spans[g] != (size_t)-1)
        *v = (int32_t)count_chars(t, spans[behind_it ? g + 1 : g]) + 1;
    return 0;
}

static int run_instr(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct search s = {.k = r->node->param};
    int32_t *v;
    void *data;
    int rc = 0;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &data, r->ev->err));
    v = data;
    for (int64_t i = 0; i < r->n && rc >= 0; i++) {
        v[i] = 0;
        if (bp_run_is_valid(r, i))
            rc = instr_row(&s, r, args, i, &v[i]);
    }
    search_close(&s);
    return rc < 0 ? rc : 0;
}

static int run_substr(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct search s = {.k = r->node->param};
    struct bp_block *valid = NULL;
    struct bp_text_out o;
    int rc;

    BP_TRY(bp_text_out_open(&o, r->n, (size_t)r->n * 12, r->ev->err));
    rc = bp_block_new(&valid, (size_t)(r->n + 7) / 8 + 1, r->ev->err);
    for (int64_t i = 0; i < r->n && rc >= 0; i++) {
        size_t used = 0;

        rc = row_is_null(r, args, i) ? 0 : substr_row(&s, r, args, i, &o, &used);
        bp_bit_put(valid->data, i, rc > 0);
        bp_text_out_end(&o, used);
    }
    search_close(&s);
    if (rc < 0) {
        bp_block_unref(valid);
        bp_text_out_release(&o);
        return rc;
    }
    bp_text_out_close(&o, r->node->type, out);
    bp_vec_set_valid(out, valid);
    return 0;
}

/* ---- binding ---- */

static int hold(struct bp_bind *b, struct bp_regex *re)
{
    struct bp_regex_held *h = bp_arena_alloc(&b->e->mem, sizeof *h, b->err);

    if (!h) {
        bp_regex_free(re);
        return b->err->code;
    }
    h->re = re;
    h->next = b->e->regexes;
    b->e->regexes = h;
    return 0;
}

/* What is known of the pattern args[1] into c. */
static int know(struct bp_bind *b, struct bp_node **args, struct bp_call *c,
                struct bp_regex_flags flags, bool negate)
{
    struct known *k = bp_arena_alloc(&b->e->mem, sizeof *k, b->err);
    struct bp_err why = {0};
    const char *s;
    size_t n;

    if (!k)
        return b->err->code;
    *k = (struct known){.flags = flags, .negate = negate};
    c->param = k;
    c->fallible = true; /* steps are limited */
    if (!bp_node_const_text(args[1], &s, &n))
        return 0;
    if (bp_regex_new(&k->re, s, n, flags, true, &why) < 0)
        return bp_bind_fail(b, args[1]->tok, "%s", why.msg);
    return hold(b, k->re);
}

/* Behind `plain` arguments stand the flags, and behind them perhaps a group. */
static int bind_regex(struct bp_bind *b, struct bp_node **args, int *n, int plain,
                      struct bp_call *c)
{
    struct bp_regex_flags flags;
    const char *s = "";
    size_t len = 0;
    char bad;

    if (*n > plain) {
        if (!bp_node_const_text(args[plain], &s, &len))
            return bp_bind_fail(b, args[plain]->tok, "the flags have to be a constant text");
        args[plain] = args[*n - 1]; /* a group behind them */
        *n = *n > plain + 1 ? plain + 1 : plain;
    }
    if (!bp_regex_flags(s, len, &flags, &bad))
        return bp_bind_fail(b, args[plain]->tok,
                            "there is no flag '%c' for regular expressions: "
                            "g i c n m s p w x q",
                            bad);
    return know(b, args, c, flags, false);
}

static int bind_2(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)tok;
    return bind_regex(b, args, n, 2, c);
}

static int bind_3(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)tok;
    return bind_regex(b, args, n, 3, c);
}

static int bind_4(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)tok;
    return bind_regex(b, args, n, 4, c);
}

static int bind_5(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    (void)tok;
    return bind_regex(b, args, n, 5, c);
}

static int bind_groups(struct bp_bind *b, int tok, struct bp_node **args, int *n, struct bp_call *c)
{
    if (bp_type_list(BP_TYPE(BP_TEXT), &c->type, b->err) < 0)
        return b->err->code;
    return bind_2(b, tok, args, n, c);
}

/* regexp_extract(s, p, g): as regexp_substr, empty where nothing is found */
static int bind_extract(struct bp_bind *b, int tok, struct bp_node **args, int *n,
                        struct bp_call *c)
{
    struct bp_node *call[6] = {args[0], args[1], NULL, NULL, NULL, args[2]}, *pick[3];

    (void)n;
    BP_TRY(bp_bind_number(b, tok, "1", &call[2]));
    BP_TRY(bp_bind_number(b, tok, "1", &call[3]));
    BP_TRY(bp_bind_literal(b, tok, "", &call[4]));
    BP_TRY(bp_bind_null_test(b, tok, true, args[0], &pick[0]));
    BP_TRY(bp_bind_function(b, tok, "regexp_substr", call, 6, &pick[2]));
    BP_TRY(bp_bind_literal(b, tok, "", &pick[1]));
    BP_TRY(bp_bind_function(b, tok, "ifnull", (struct bp_node *[]){pick[2], pick[1]}, 2, &pick[2]));
    BP_TRY(bp_node_null(b, tok, BP_TYPE(BP_TEXT), &pick[1]));
    BP_TRY(bp_bind_function(b, tok, "if", pick, 3, &args[0]));
    c->run = NULL;
    return 0;
}

int bp_bind_regex(struct bp_bind *b, int tok, const char *op, struct bp_node *l, struct bp_node *r,
                  struct bp_node **out)
{
    struct bp_call c = {.run = run_match, .type = BP_TYPE(BP_BOOL), .slow = true, .on_dict = true};
    struct bp_node *args[2] = {l, r};
    bool fold = op[strlen(op) - 1] == '*';
    struct bp_regex_flags flags;
    char name[BP_TYPE_NAME_MAX], bad;

    for (int i = 0; i < 2; i++) {
        BP_TRY(bp_settle(b, &args[i]));
        if (args[i]->type.kind != BP_TEXT)
            return bp_bind_fail(b, args[i]->tok, "%s takes texts, and this is %s", op,
                                bp_type_name(args[i]->type, name));
    }
    (void)bp_regex_flags("i", fold, &flags, &bad);
    BP_TRY(know(b, args, &c, flags, op[0] == '!'));
    return bp_node_call(b, tok, &c, args, 2, out);
}

#define FN(NAME, RESULT, RUN, BIND, ...)                                                           \
    {                                                                                              \
        .name = NAME, .result = RESULT, .run = RUN, .bind = BIND, .args = { __VA_ARGS__ }          \
    }
#define FN_LAX(NAME, OP, BIND, ...)                                                                \
    {                                                                                              \
        .name = NAME, .result = BP_TEXT, .run = run_substr, .op = OP, .flags = BP_FN_LAX,          \
        .bind = BIND, .args = {                                                                    \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct bp_fn fns[] = {
    FN("regexp_like", BP_BOOL, run_match, bind_2, BP_TEXT, BP_TEXT),
    FN("regexp_like", BP_BOOL, run_match, bind_2, BP_TEXT, BP_TEXT, BP_TEXT),
    FN("regexp_replace", BP_TEXT, run_replace, bind_3, BP_TEXT, BP_TEXT, BP_TEXT),
    FN("regexp_replace", BP_TEXT, run_replace, bind_3, BP_TEXT, BP_TEXT, BP_TEXT, BP_TEXT),
    FN("regexp_count", BP_INT32, run_count, bind_3, BP_TEXT, BP_TEXT),
    FN("regexp_count", BP_INT32, run_count, bind_3, BP_TEXT, BP_TEXT, BP_INT64),
    FN("regexp_count", BP_INT32, run_count, bind_3, BP_TEXT, BP_TEXT, BP_INT64, BP_TEXT),
    FN_LAX("regexp_substr", 0, bind_4, BP_TEXT, BP_TEXT),
    FN_LAX("regexp_substr", 0, bind_4, BP_TEXT, BP_TEXT, BP_INT64),
    FN_LAX("regexp_substr", 0, bind_4, BP_TEXT, BP_TEXT, BP_INT64, BP_INT64),
    FN_LAX("regexp_substr", 0, bind_4, BP_TEXT, BP_TEXT, BP_INT64, BP_INT64, BP_TEXT),
    FN_LAX("regexp_substr", 0, bind_4, BP_TEXT, BP_TEXT, BP_INT64, BP_INT64, BP_TEXT, BP_INT64),
    FN_LAX("substring", 1, bind_4, BP_TEXT, BP_TEXT),
    FN("regexp_instr", BP_INT32, run_instr, bind_5, BP_TEXT, BP_TEXT),
    FN("regexp_instr", BP_INT32, run_instr, bind_5, BP_TEXT, BP_TEXT, BP_INT64),
    FN("regexp_instr", BP_INT32, run_instr, bind_5, BP_TEXT, BP_TEXT, BP_INT64, BP_INT64),
    FN("regexp_instr", BP_INT32, run_instr, bind_5, BP_TEXT, BP_TEXT, BP_INT64, BP_INT64, BP_INT64),
    FN("regexp_instr", BP_INT32, run_instr, bind_5, BP_TEXT, BP_TEXT, BP_INT64, BP_INT64, BP_INT64,
       BP_TEXT),
    FN("regexp_instr", BP_INT32, run_instr, bind_5, BP_TEXT, BP_TEXT, BP_INT64, BP_INT64, BP_INT64,
       BP_TEXT, BP_INT64),
    {.name = "regexp_match",
     .args = {BP_TEXT, BP_TEXT},
     .result = BP_LIST,
     .run = run_groups,
     .flags = BP_FN_LAX,
     .bind = bind_groups},
    {.name = "regexp_match",
     .args = {BP_TEXT, BP_TEXT, BP_TEXT},
     .result = BP_LIST,
     .run = run_groups,
     .flags = BP_FN_LAX,
     .bind = bind_groups},
    FN("regexp_extract", BP_TEXT, NULL, bind_extract, BP_TEXT, BP_TEXT, BP_INT64),
};

const struct bp_fn_table bp_fns_regex = {fns, BP_COUNT_OF(fns)};
