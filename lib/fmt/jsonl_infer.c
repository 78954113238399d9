/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and types from a sample of every input (never of a share): of each file at
 * most SAMPLE_FILE_BYTES, in PIECES pieces at even places, and SAMPLE_ALL_BYTES in
 * all; of a stream its beginning, which stays peeked. The keys are the union, in the
 * order in which they are first seen. A value strikes out the types that it is none
 * of; what is left first is the type: text for nested values, for a key that was null
 * throughout, and for whole numbers beyond bigint.
 */
#include <string.h>

#include "col/text.h"
#include "fmt/jsonl_reader.h"

#define SAMPLE_FILE_BYTES ((size_t)8 << 20)
#define SAMPLE_ALL_BYTES ((size_t)64 << 20)
#define SAMPLE_LEAST_BYTES ((size_t)16 << 10)
#define PIECES 8

enum {
    IS_BOOL = 1,
    IS_INT = 2,
    IS_FLOAT = 4,
    IS_DATE = 8,
    IS_TIMESTAMP = 16,
    IS_TIMESTAMPTZ = 32,
    SEEN = 64
};

static const struct {
    unsigned bit;
    struct bp_type type;
} order[] = {
    {IS_BOOL, {.kind = BP_BOOL}},
    {IS_INT, {.kind = BP_INT64}},
    {IS_FLOAT, {.kind = BP_FLOAT64}},
    {IS_DATE, {.kind = BP_DATE}},
    {IS_TIMESTAMP, {.kind = BP_TIMESTAMP, .unit = BP_MICRO}},
    {IS_TIMESTAMPTZ, {.kind = BP_TIMESTAMPTZ, .unit = BP_MICRO}},
};

struct sample {
    struct jsonl_reader *r;
    bool more_keys; /* may any be added? */
    unsigned *left; /* [keys.cap]: types that are not struck out, and SEEN */
    int cap;
};

/* ---- one value ---- */

static unsigned number_bits(const char *s, size_t n)
{
    int64_t v;

    for (size_t i = 0; i < n; i++)
        if (s[i] == '.' || s[i] == 'e' || s[i] == 'E')
            return IS_FLOAT;
    return bp_parse_int64(s, n, &v) == BP_TEXT_OK ? IS_INT | IS_FLOAT : 0;
}

static bool has_date_shape(const char *s, size_t n)
{
    static const char shape[] = "dddd-dd-dd";

    for (size_t i = 0; i < 10; i++)
        if (n < 10 || (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i]))
            return false;
    return true;
}

static unsigned string_bits(const char *s, size_t n)
{
    bool zone = false;
    int64_t v;
    int32_t d;

    if (!has_date_shape(s, n))
        return 0;
    if (n == 10)
        return bp_parse_date(s, n, &d) == BP_TEXT_OK ? IS_DATE | IS_TIMESTAMP : 0;
    if ((s[10] != ' ' && s[10] != 'T') || n < 16 || s[13] != ':')
        return 0;
    for (size_t i = 16; i < n; i++)
        zone |= s[i] == 'Z' || s[i] == '+' || s[i] == '-';
    if (bp_parse_timestamp(s, n, BP_MICRO, zone, &v) != BP_TEXT_OK)
        return 0;
    return zone ? IS_TIMESTAMPTZ : IS_TIMESTAMP;
}

static unsigned value_bits(const uint8_t *q, const uint8_t *end)
{
    switch (*q) {
    case '"': return string_bits((const char *)q + 1, (size_t)(end - q) - 2);
    case 't':
    case 'f': return IS_BOOL;
    case '{':
    case '[': return 0;
    default: return number_bits((const char *)q, (size_t)(end - q));
    }
}

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
        unsigned *left;

        BP_GO(jsonl_keys_add(&m->r->keys, q, n, err));
        left = bp_mem_grow(m->left, (size_t)m->r->keys.cap, sizeof *left, err);
        if (!left)
            BP_GO(err->code);
        m->left = left;
        *key = m->r->keys.n - 1;
        left[*key] = ~(unsigned)SEEN;
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
        if (key >= 0 && *q != 'n')
            m->left[key] = (m->left[key] & value_bits(q, end)) | SEEN;
        q = jsonl_blanks(end);
        if (*q++ != ',')
            return 0;
    }
}

/* p[0, n): lines from its start (at_start) or from behind its first LF on; the last
 * needs an LF only where the input does not end. p[n] may be written. */
static int look_at_piece(struct sample *m, uint8_t *p, size_t n, bool at_start, bool at_end,
                         struct bp_err *err)
{
    const uint8_t *q = p, *lf;
    size_t bad;

    if (!bp_utf8_check(p, n, &bad)) /* a character that is cut is bad too */
        n = bad;
    else if (at_end && n && p[n - 1] != '\n')
        p[n++] = '\n';
    memset(p + n, ' ', JSONL_PAD_BYTES);
    if (!at_start) {
        q = memchr(p, '\n', n);
        q = q ? q + 1 : p + n;
    }
    while ((lf = memchr(q, '\n', n - (size_t)(q - p)))) {
        BP_TRY(look_at_line(m, q, err));
        q = lf + 1;
    }
    return 0;
}

/* ---- inputs ---- */

static int sample_stream(struct sample *m, struct jsonl_file *f, size_t n_bytes, struct bp_err *err)
{
    const uint8_t *p;
    uint8_t *copy;
    size_t n;
    int rc;

    BP_TRY(bp_input_peek(&f->in, n_bytes, &p, &n, err));
    copy = bp_mem_new(n + 1 + JSONL_PAD_BYTES, 1, err);
    if (!copy)
        return err->code;
    if (n)
        memcpy(copy, p, n);
    rc = look_at_piece(m, copy, n, true, n < n_bytes, err);
    bp_mem_free(copy);
    return rc;
}

static int sample_file(struct sample *m, const struct jsonl_file *f, size_t n_bytes,
                       struct bp_err *err)
{
    int64_t size = BP_MAX(f->in.size_bytes - f->data_start, 0);
    bool whole = size <= (int64_t)n_bytes;
    size_t piece = whole ? (size_t)size : n_bytes / PIECES, got;
    uint8_t *buf = bp_mem_new(piece + 1 + JSONL_PAD_BYTES, 1, err);
    int rc = 0;

    if (!buf)
        return err->code;
    for (int i = 0; i < (whole ? 1 : PIECES); i++) {
        int64_t at =
            f->data_start + (int64_t)((bp_int128)(size - (int64_t)piece) * i / (PIECES - 1));

        BP_GO(bp_input_read_at(&f->in, buf, piece, at, &got, err));
        BP_GO(look_at_piece(m, buf, got, i == 0, at + (int64_t)got >= f->in.size_bytes, err));
    }
out:
    bp_mem_free(buf);
    return rc;
}

static struct bp_type choose(unsigned left)
{
    if (left & SEEN)
        for (size_t i = 0; i < BP_COUNT_OF(order); i++)
            if (left & order[i].bit)
                return order[i].type;
    return BP_TYPE(BP_TEXT);
}

static int choose_all(struct sample *m, struct bp_type **types, struct bp_err *err)
{
    int n = m->r->keys.n;
    struct bp_type *t = bp_mem_grow(*types, (size_t)n, sizeof *t, err);

    if (!t)
        return err->code;
    *types = t;
    for (int k = 0; k < n; k++)
        if (k >= m->cap || t[k].kind == BP_NO_TYPE)
            t[k] = choose(m->left[k]);
    return 0;
}

int jsonl_infer(struct jsonl_reader *r, bool more_keys, struct bp_type **types, struct bp_err *err)
{
    size_t each = BP_MIN(SAMPLE_FILE_BYTES, SAMPLE_ALL_BYTES / (size_t)r->n_files);
    struct sample m = {.r = r, .more_keys = more_keys, .cap = r->keys.n};
    int rc = 0;

    each = BP_MAX(each, SAMPLE_LEAST_BYTES);
    m.left = bp_mem_new((size_t)BP_MAX(r->keys.cap, 1), sizeof *m.left, err);
    if (!m.left)
        return err->code;
    for (int k = 0; k < r->keys.n; k++)
        m.left[k] = ~(unsigned)SEEN;
    for (int i = 0; i < r->n_files; i++) {
        if (r->files[i].in.is_file)
            BP_GO(sample_file(&m, &r->files[i], each, err));
        else
            BP_GO(sample_stream(&m, &r->files[i], each, err));
        if (i >= JSONL_AWAKE_FILES)
            bp_input_rest(&r->files[i].in);
    }
    rc = choose_all(&m, types, err);
out:
    bp_mem_free(m.left);
    return rc;
}
