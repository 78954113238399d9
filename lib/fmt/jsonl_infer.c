/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and types from a sample of every input (guess.h); of a stream its beginning,
 * which stays peeked. The keys are the union, in the order in which they are first seen.
 * Text is the type of a key that was null throughout, of whole numbers beyond bigint,
 * and where nested values are of no one form (jsonl_nested.h).
 */
#include <string.h>

#include "base/mem.h"
#include "col/text.h"
#include "fmt/guess.h"
#include "fmt/jsonl_nested.h"
#include "fmt/jsonl_reader.h"

#define STREAM_PIECE_BYTES ((size_t)256 << 10)

struct sample {
    struct jsonl_reader *r;
    bool more_keys;              /* may any be added? */
    struct bp_guess *guess;      /* [keys.cap]: of scalars */
    struct jsonl_shape **shapes; /* [keys.cap]: of nested values; NULL: there were none */
    struct bp_arena mem;         /* of the shapes */
    int cap;
    bool odd; /* the last piece ends before a byte that is no UTF-8 */
};

/* ---- one line ---- */

static int find_key(struct sample *m, const uint8_t *q, size_t n, bool escaped, int *key,
                    struct bp_err *err)
{
    uint8_t *name = NULL;
    int rc = 0;

    if (escaped) {
        name = bp_mem_new(n, 1, err);
        if (!name)
            return err->code;
        n = jsonl_unescape(name, q, n);
        q = name;
    }
    *key = jsonl_keys_match(&m->r->keys, q, n);
    if (*key < 0 && m->more_keys && n && !memchr(q, 0, n)) {
        struct bp_guess *guess;
        struct jsonl_shape **shapes;

        BP_GO(jsonl_keys_add(&m->r->keys, q, n, err));
        guess = bp_mem_grow(m->guess, (size_t)m->r->keys.cap, sizeof *guess, err);
        if (!guess)
            BP_GO(err->code);
        m->guess = guess;
        *key = m->r->keys.n - 1;
        guess[*key] = BP_GUESS_ANY;
        shapes = bp_mem_grow(m->shapes, (size_t)m->r->keys.cap, sizeof(*shapes), err);
        if (!shapes)
            BP_GO(err->code);
        m->shapes = shapes;
        shapes[*key] = NULL;
    }
out:
    bp_mem_free(name);
    return rc;
}

/* The line at q, as far as it is good: what is not is for the reader to say. */
static int look_at_line(struct sample *m, const uint8_t *q, struct bp_err *err)
{
    struct jsonl_bad bad;

    q = jsonl_blanks(q);
    if (*q++ != '{')
        return 0;
    for (;;) {
        const uint8_t *name, *end;
        bool escaped = false;
        int key = -1;

        q = jsonl_blanks(q);
        if (*q != '"' || !(end = jsonl_string_end(q + 1, &escaped, &bad)))
            return 0;
        name = q + 1;
        q = jsonl_blanks(end + 1);
        if (*q != ':')
            return 0;
        BP_TRY(find_key(m, name, (size_t)(end - name), escaped, &key, err));
        q = jsonl_blanks(q + 1);
        end = jsonl_value_end(q, &bad);
        if (!end)
            return 0;
        if (key >= 0 && (*q == '{' || *q == '[')) {
            BP_TRY(jsonl_shape_add(&m->shapes[key], q, &m->mem, err));
        } else if (key >= 0 && *q != 'n') {
            m->guess[key].left &= jsonl_value_bits(q, end);
            m->guess[key].seen = true;
        }
        q = jsonl_blanks(end);
        if (*q++ != ',')
            return 0;
    }
}

/* p[0, n): lines from its start (at_start) or from behind its first LF on; the last
 * needs an LF only where the input does not end. p[n] may be written. */
static int look_at_piece(void *ctx, uint8_t *p, size_t n, bool at_start, bool at_end,
                         struct bp_err *err)
{
    struct sample *m = ctx;
    const uint8_t *q = p, *lf;
    size_t bad;

    if (!at_start) {
        lf = memchr(p, '\n', n);
        q = lf ? lf + 1 : p + n;
    }
    m->odd = !bp_utf8_check(q, n - (size_t)(q - p), &bad); /* a character that is cut is bad too */
    if (m->odd)
        n = (size_t)(q - p) + bad;
    else if (at_end && n && p[n - 1] != '\n')
        p[n++] = '\n';
    memset(p + n, ' ', JSONL_PAD_BYTES);
    while ((lf = memchr(q, '\n', n - (size_t)(q - p)))) {
        BP_TRY(look_at_line(m, q, err));
        q = lf + 1;
    }
    return 0;
}

/* ---- inputs ---- */

static int sample_stream(struct sample *m, struct jsonl_file *f, size_t n_bytes, struct bp_err *err)
{
    const uint8_t *p, *lf;
    uint8_t *copy = NULL, *room;
    size_t n, len, at = 0;
    int rc;

    BP_TRY(bp_input_peek(&f->in, n_bytes, &p, &n, err));
    do { /* small pieces of whole lines: what is peeked is memory enough */
        len = BP_MIN(STREAM_PIECE_BYTES, n - at);
        lf = at + len < n ? memrchr(p + at, '\n', len) : NULL;
        if (at + len < n && !lf)
            lf = memchr(p + at + len, '\n', n - at - len);
        len = lf ? (size_t)(lf + 1 - (p + at)) : n - at;
        room = bp_mem_grow(copy, len + 1 + JSONL_PAD_BYTES, 1, err);
        if (!room)
            BP_GO(err->code);
        copy = room;
        if (len)
            memcpy(copy, p + at, len);
        BP_GO(look_at_piece(m, copy, len, true, at + len == n && n < n_bytes, err));
        at += len;
    } while (at < n && !m->odd);
    rc = 0;
out:
    bp_mem_free(copy);
    return rc;
}

static int sample_file(struct sample *m, const struct jsonl_file *f, size_t n_bytes,
                       struct bp_err *err)
{
    const struct bp_sample s = {
        .most = n_bytes, .behind = 1 + JSONL_PAD_BYTES, .piece = look_at_piece, .ctx = m};

    return bp_sample_file(&s, &f->in, f->data_start, err);
}

static int choose_all(struct sample *m, struct bp_type **types, struct bp_err *err)
{
    int n = m->r->keys.n;
    struct bp_type *t = bp_mem_grow(*types, (size_t)n, sizeof *t, err);

    if (!t)
        return err->code;
    *types = t;
    for (int k = 0; k < n; k++) {
        if (k < m->cap && t[k].kind != BP_NO_TYPE)
            continue;
        t[k] = m->shapes[k] ? BP_TYPE(BP_TEXT) : bp_guess_type(m->guess[k]);
        if (m->shapes[k] && !m->guess[k].seen)
            BP_TRY(jsonl_shape_type(m->shapes[k], &t[k], err));
    }
    return 0;
}

int jsonl_infer(struct jsonl_reader *r, bool more_keys, struct bp_type **types, struct bp_err *err)
{
    size_t each = bp_sample_bytes(r->n_files);
    struct sample m = {.r = r, .more_keys = more_keys, .cap = r->keys.n};
    int rc = 0;

    m.guess = bp_mem_new((size_t)BP_MAX(r->keys.cap, 1), sizeof *m.guess, err);
    m.shapes = bp_mem_new((size_t)BP_MAX(r->keys.cap, 1), sizeof(*m.shapes), err);
    if (!m.guess || !m.shapes)
        BP_GO(err->code);
    for (int k = 0; k < r->keys.n; k++)
        m.guess[k] = BP_GUESS_ANY;
    for (int i = 0; i < r->n_files; i++) {
        if (r->files[i].in.is_file)
            BP_GO(sample_file(&m, &r->files[i], each, err));
        else
            BP_GO(sample_stream(&m, &r->files[i], each, err));
        if (i >= JSONL_AWAKE_FILES || bp_mem_is_tight())
            bp_input_rest(&r->files[i].in);
    }
    rc = choose_all(&m, types, err);
out:
    bp_mem_free(m.guess);
    bp_mem_free(m.shapes);
    bp_arena_release(&m.mem);
    return rc;
}
