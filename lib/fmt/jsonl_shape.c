/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nested values look like: a tree with a node for each place (the elements of a
 * list are one place), which knows the kinds of values seen there, the types that all
 * its scalars have, and the keys of its objects in the order of their first sight.
 */
#include <string.h>

#include "col/text.h"
#include "fmt/jsonl_nested.h"
#include "fmt/jsonl_token.h"

/* Deeper values are text. */
#define DEPTH_MAX 32

struct jsonl_shape {
    struct bp_guess guess; /* of the scalars */
    bool list, object, mixed;
    struct jsonl_shape *elem;
    char **names;
    struct jsonl_shape **kids;
    int n, cap;
};

static unsigned number_bits(const char *s, size_t n)
{
    int64_t v;

    for (size_t i = 0; i < n; i++)
        if (s[i] == '.' || s[i] == 'e' || s[i] == 'E')
            return BP_IS_FLOAT;
    return bp_parse_int64(s, n, &v) == BP_TEXT_OK ? BP_IS_INT | BP_IS_FLOAT : 0;
}

unsigned jsonl_value_bits(const uint8_t *q, const uint8_t *end)
{
    switch (*q) {
    case '"': return bp_guess_time((const char *)q + 1, (size_t)(end - q) - 2);
    case 't':
    case 'f': return BP_IS_BOOL;
    case '{':
    case '[': return 0;
    default: return number_bits((const char *)q, (size_t)(end - q));
    }
}

static int add(struct jsonl_shape **s, const uint8_t *q, int depth, struct bp_arena *mem,
               struct bp_err *err);

static int more_keys(struct jsonl_shape *s, struct bp_arena *mem, struct bp_err *err)
{
    int cap = s->cap ? s->cap * 2 : 8;
    size_t n = (size_t)s->n;
    struct jsonl_shape **kids;
    char **names;

    if (s->n < s->cap)
        return 0;
    names = bp_arena_alloc(mem, (size_t)cap * sizeof *names, err);
    kids = names ? bp_arena_alloc(mem, (size_t)cap * sizeof *kids, err) : NULL;
    if (!kids)
        return err->code;
    if (n) {
        memcpy(names, s->names, n * sizeof *names);
        memcpy(kids, s->kids, n * sizeof *kids);
    }
    s->names = names;
    s->kids = kids;
    s->cap = cap;
    return 0;
}

/* The place of a key; *out NULL: a key that no struct can have. */
static int find_key(struct jsonl_shape *s, const uint8_t *name, size_t n, bool escaped,
                    struct bp_arena *mem, struct jsonl_shape ***out, struct bp_err *err)
{
    char *copy = NULL;

    *out = NULL;
    if (escaped) {
        copy = bp_arena_alloc(mem, n + 1, err);
        if (!copy)
            return err->code;
        n = jsonl_unescape((uint8_t *)copy, name, n);
        name = (const uint8_t *)copy;
    }
    if (memchr(name, 0, n))
        return 0;
    for (int i = 0; i < s->n; i++)
        if (strncmp(s->names[i], (const char *)name, n) == 0 && s->names[i][n] == 0) {
            *out = &s->kids[i];
            return 0;
        }
    if (s->n >= JSONL_SHAPE_KEYS)
        return 0;
    BP_TRY(more_keys(s, mem, err));
    copy = bp_arena_alloc(mem, n + 1, err);
    if (!copy)
        return err->code;
    memcpy(copy, name, n);
    copy[n] = 0;
    s->names[s->n] = copy;
    s->kids[s->n] = NULL;
    *out = &s->kids[s->n++];
    return 0;
}

static int add_object(struct jsonl_shape *s, const uint8_t *q, int depth, struct bp_arena *mem,
                      struct bp_err *err)
{
    q = jsonl_blanks(q + 1);
    while (*q != '}' && !s->mixed) {
        struct jsonl_shape **kid;
        struct jsonl_bad bad;
        bool escaped = false;
        const uint8_t *name = q + 1, *end = jsonl_string_end(name, &escaped, &bad);

        BP_TRY(find_key(s, name, (size_t)(end - name), escaped, mem, &kid, err));
        q = jsonl_blanks(jsonl_blanks(end + 1) + 1);
        if (kid)
            BP_TRY(add(kid, q, depth + 1, mem, err));
        else
            s->mixed = true;
        q = jsonl_blanks(jsonl_good_end(q));
        if (*q == ',')
            q = jsonl_blanks(q + 1);
    }
    return 0;
}

static int add_list(struct jsonl_shape *s, const uint8_t *q, int depth, struct bp_arena *mem,
                    struct bp_err *err)
{
    q = jsonl_blanks(q + 1);
    while (*q != ']') {
        BP_TRY(add(&s->elem, q, depth + 1, mem, err));
        q = jsonl_blanks(jsonl_good_end(q));
        if (*q == ',')
            q = jsonl_blanks(q + 1);
    }
    return 0;
}

static int add(struct jsonl_shape **at, const uint8_t *q, int depth, struct bp_arena *mem,
               struct bp_err *err)
{
    struct jsonl_shape *s = *at;

    if (!s) {
        *at = s = bp_arena_alloc(mem, sizeof *s, err);
        if (!s)
            return err->code;
        *s = (struct jsonl_shape){.guess = BP_GUESS_ANY};
    }
    if (s->mixed || *q == 'n')
        return 0;
    s->list |= *q == '[';
    s->object |= *q == '{';
    if (*q != '[' && *q != '{') {
        s->guess.left &= jsonl_value_bits(q, jsonl_good_end(q));
        s->guess.seen = true;
    }
    s->mixed = s->list + s->object + s->guess.seen > 1 || depth >= DEPTH_MAX;
    if (s->mixed)
        return 0;
    if (*q == '[')
        return add_list(s, q, depth, mem, err);
    return *q == '{' ? add_object(s, q, depth, mem, err) : 0;
}

int jsonl_shape_add(struct jsonl_shape **s, const uint8_t *q, struct bp_arena *mem,
                    struct bp_err *err)
{
    return add(s, q, 0, mem, err);
}

static int struct_type(const struct jsonl_shape *s, struct bp_type *out, struct bp_err *err)
{
    struct bp_type *types = bp_mem_new((size_t)s->n, sizeof *types, err);
    int rc = types ? 0 : err->code;

    for (int i = 0; i < s->n && rc == 0; i++)
        rc = jsonl_shape_type(s->kids[i], &types[i], err);
    if (rc == 0)
        rc = bp_type_struct((const char *const *)s->names, types, s->n, out, err);
    bp_mem_free(types);
    return rc;
}

int jsonl_shape_type(const struct jsonl_shape *s, struct bp_type *out, struct bp_err *err)
{
    struct bp_type elem;

    *out = BP_TYPE(BP_TEXT);
    if (!s || s->mixed || (s->object && s->n == 0))
        return 0;
    if (s->object)
        return struct_type(s, out, err);
    if (s->list) {
        BP_TRY(jsonl_shape_type(s->elem, &elem, err));
        return bp_type_list(elem, out, err);
    }
    *out = bp_guess_type(s->guess);
    return 0;
}
