/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LIKE. A pattern is turned into steps: a byte, any character (_), any run (%).
 * Constant patterns are turned once, and those that are only a text with % at
 * its ends become a comparison of bytes or a search.
 */
#include "expr/bind.h"
#include "expr/text_arg.h"

enum step { STEP_BYTE, STEP_CHAR, STEP_RUN, STEP_BROKEN };
enum shape { SHAPE_EQUAL, SHAPE_PREFIX, SHAPE_SUFFIX, SHAPE_HOLDS, SHAPE_ANY };

struct pattern {
    enum shape shape;
    int n;         /* steps */
    uint8_t *step; /* enum step */
    uint8_t *byte;
    uint8_t escape[4];
    size_t escape_len; /* 0: none */
};

/* Steps of s into p (room for n). false: it ends with the escape, which is the last step. */
static bool compile(struct pattern *p, const uint8_t *s, size_t n)
{
    p->n = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = s[i], step = c == '%' ? STEP_RUN : c == '_' ? STEP_CHAR : STEP_BYTE;

        if (p->escape_len && n - i >= p->escape_len &&
            memcmp(s + i, p->escape, p->escape_len) == 0) {
            i += p->escape_len;
            if (i >= n) {
                p->step[p->n++] = STEP_BROKEN;
                return false;
            }
            c = s[i];
            step = STEP_BYTE;
        }
        if (step == STEP_RUN && p->n && p->step[p->n - 1] == STEP_RUN)
            continue;
        p->step[p->n] = step;
        p->byte[p->n++] = c;
    }
    return true;
}

static void find_shape(struct pattern *p)
{
    bool head = p->n && p->step[0] == STEP_RUN, tail = p->n && p->step[p->n - 1] == STEP_RUN;

    p->shape = SHAPE_ANY;
    for (int i = head; i < p->n - tail; i++)
        if (p->step[i] != STEP_BYTE)
            return;
    p->shape = head && tail ? SHAPE_HOLDS : head ? SHAPE_SUFFIX : tail ? SHAPE_PREFIX : SHAPE_EQUAL;
}

/* Match with one place to come back to: behind the last % seen. *broken: what is left of the text
 * stands against an escape at the end of the pattern. */
static bool match_any(const struct pattern *p, const uint8_t *s, size_t n, bool *broken)
{
    size_t i = 0, back_i = 0;
    int k = 0, back_k = -1;

    *broken = false;
    for (;;) {
        if (k < p->n && i < n && p->step[k] == STEP_BROKEN) {
            *broken = true;
            return false;
        }
        if (k < p->n && p->step[k] == STEP_RUN) {
            back_k = ++k;
            back_i = i;
        } else if (k == p->n && i == n) {
            return true;
        } else if (k < p->n && i < n && p->step[k] == STEP_BYTE && p->byte[k] == s[i]) {
            k++;
            i++;
        } else if (k < p->n && i < n && p->step[k] == STEP_CHAR) {
            k++;
            for (i++; i < n && !is_lead(s[i]); i++)
                ;
        } else if (back_k >= 0 && back_i < n) {
            for (back_i++; back_i < n && !is_lead(s[back_i]); back_i++)
                ;
            i = back_i;
            k = back_k;
        } else {
            return false;
        }
    }
}

static inline bool match(const struct pattern *p, const uint8_t *s, size_t n)
{
    const uint8_t *word = p->byte + (p->shape == SHAPE_SUFFIX || p->shape == SHAPE_HOLDS);
    size_t k = (size_t)p->n - (p->shape == SHAPE_PREFIX || p->shape == SHAPE_SUFFIX) -
               (p->shape == SHAPE_HOLDS && p->n > 1 ? 2 : p->shape == SHAPE_HOLDS);
    bool broken;

    switch (p->shape) {
    case SHAPE_EQUAL: return n == k && memcmp(s, word, k) == 0;
    case SHAPE_PREFIX: return n >= k && memcmp(s, word, k) == 0;
    case SHAPE_SUFFIX: return n >= k && memcmp(s + n - k, word, k) == 0;
    case SHAPE_HOLDS: return n >= k && (k == 0 || memmem(s, n, word, k));
    default: return match_any(p, s, n, &broken);
    }
}

/* op: 1 for NOT LIKE. */
static int run_const(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    const struct pattern *p = r->node->param;
    bool negate = r->node->op;
    void *bits;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &bits, r->ev->err));
    for (int64_t i = 0; i < r->n; i++) {
        size_t n;
        const uint8_t *s = arg_bytes(&args[0], i, &n);

        bp_bit_put(bits, i, match(p, s, n) != negate);
    }
    return 0;
}

static int run_each(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)
{
    struct pattern p = *(const struct pattern *)r->node->param;
    struct bp_block *room = NULL;
    void *bits;
    int rc = 0;

    BP_TRY(bp_vec_fixed(out, r->node->type, r->n, &bits, r->ev->err));
    for (int64_t i = 0; i < r->n && rc >= 0; i++) {
        size_t n, k;
        const uint8_t *s = arg_bytes(&args[0], i, &n), *w = arg_bytes(&args[1], i, &k);
        bool broken;

        if (!bp_run_is_valid(r, i))
            continue;
        rc = bp_block_grow(&room, 0, 2 * k + 2, r->ev->err);
        if (rc < 0)
            break;
        p.step = room->data;
        p.byte = room->data + k + 1;
        (void)compile(&p, w, k);
        bp_bit_put(bits, i, match_any(&p, s, n, &broken) != (bool)r->node->op);
        if (broken)
            rc = bp_run_fail(r, i, "the pattern ends with its escape character");
    }
    bp_block_unref(room);
    return rc;
}

static int set_escape(struct bp_bind *b, struct pattern *p, struct bp_node *escape)
{
    const char *s = "\\";
    size_t n = 1;

    if (escape && !bp_node_const_text(escape, &s, &n))
        return bp_bind_fail(b, escape->tok, "the escape has to be a constant text");
    if (count_chars((const uint8_t *)s, n) > 1)
        return bp_bind_fail(b, escape->tok, "the escape is one character, or none ('')");
    memcpy(p->escape, s, n);
    p->escape_len = n;
    return 0;
}

static int set_const(struct bp_bind *b, struct pattern *p, const struct bp_node *pattern)
{
    const char *s;
    size_t n;

    if (!bp_node_const_text(pattern, &s, &n))
        return 0;
    p->step = bp_arena_alloc(&b->e->mem, 2 * n + 2, b->err);
    if (!p->step)
        return b->err->code;
    p->byte = p->step + n + 1;
    if (!compile(p, (const uint8_t *)s, n))
        return bp_bind_fail(b, pattern->tok, "the pattern ends with its escape character");
    find_shape(p);
    return 0;
}

int bp_bind_like(struct bp_bind *b, int tok, bool negate, bool fold_case, struct bp_node *a,
                 struct bp_node *pattern, struct bp_node *escape, struct bp_node **out)
{
    struct pattern *p = bp_arena_alloc(&b->e->mem, sizeof *p, b->err);
    struct bp_call c = {.op = negate, .type = BP_TYPE(BP_BOOL), .slow = true, .on_dict = true};
    struct bp_node *args[2] = {a, pattern};
    char name[BP_TYPE_NAME_MAX];

    if (!p)
        return b->err->code;
    for (int i = 0; i < 2; i++) {
        BP_TRY(bp_settle(b, &args[i]));
        if (args[i]->type.kind != BP_TEXT)
            return bp_bind_fail(b, args[i]->tok, "like takes texts, and this is %s",
                                bp_type_name(args[i]->type, name));
        if (fold_case)
            BP_TRY(bp_bind_function(b, args[i]->tok, "lower", &args[i], 1, &args[i]));
    }
    BP_TRY(set_escape(b, p, escape));
    BP_TRY(set_const(b, p, args[1]));
    c.param = p;
    c.run = p->step ? run_const : run_each;
    c.fallible = !p->step;
    return bp_node_call(b, tok, &c, args, p->step ? 1 : 2, out);
}
