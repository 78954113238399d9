/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types for columns that are not declared (guess.h): of each file some pieces, of a
 * stream its beginning, which stays peeked.
 */
#include <string.h>

#include "base/mem.h"
#include "col/text.h"
#include "fmt/csv_reader.h"
#include "fmt/guess.h"

#define STREAM_PIECE_BYTES ((size_t)256 << 10)

struct sample {
    const struct csv_reader *r;
    const struct csv_file *file;
    struct bp_guess *guess; /* [n_cols] */
    struct csv_scan scan;
    size_t idx_cap;
    size_t seen_bytes; /* of the last piece: up to the last row that was plain and whole */
    bool odd;          /* the row behind them is not plain */
};

/* ---- one value ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(const char *s, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(s, word, n) == 0;
}

/* A number as a person would not want it as text: no '+', no 007. */
static unsigned number_bits(const char *s, size_t n)
{
    size_t i = *s == '-';
    bool whole = true;
    int64_t v;
    double d;

    if (i >= n || !(is_digit(s[i]) || (s[i] == '.' && i + 1 < n && is_digit(s[i + 1]))))
        return 0;
    if (s[i] == '0' && i + 1 < n && is_digit(s[i + 1]))
        return 0;
    for (size_t k = i; k < n; k++)
        whole &= is_digit(s[k]);
    if (whole)
        return bp_parse_int64(s, n, &v) == BP_TEXT_OK ? BP_IS_INT | BP_IS_FLOAT : 0;
    return bp_parse_float64(s, n, &d) == BP_TEXT_OK ? BP_IS_FLOAT : 0;
}

static void look_at(struct bp_guess *g, const uint8_t *p, size_t n, bool quoted)
{
    const char *s = (const char *)p;

    if (!n && !quoted)
        return;
    g->seen = true;
    if (!g->left)
        return;
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    while (n && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    if (!n)
        g->left = 0;
    else if (is_word(s, n, "true") || is_word(s, n, "false"))
        g->left &= BP_IS_BOOL;
    else if (n >= 10 && s[4] == '-' && s[7] == '-')
        g->left &= bp_guess_time(s, n);
    else
        g->left &= number_bits(s, n);
}

/* ---- one piece of a file ---- */

/* The field between two separators: quotes, CR and null text off. */
static void look_at_field(const struct sample *m, struct bp_guess *g, const uint8_t *p,
                          uint32_t from, uint32_t to, bool last)
{
    const struct csv_dialect *d = &m->r->dialect;
    bool quoted;

    if (last && to > from && p[to - 1] == '\r')
        to--;
    quoted = d->quotes && to > from && p[from] == d->quote;
    if (quoted) {
        from++;
        to--;
    } else if (d->null_text && to - from == d->null_len &&
               memcmp(p + from, d->null_text, d->null_len) == 0) {
        to = from;
    }
    look_at(g, p + from, to - from, quoted);
}

/* The next row from separator k on (the one behind which it begins); false: it is
 * not as long as it should be. */
static bool look_at_row(struct sample *m, const uint8_t *p, size_t k)
{
    const uint32_t *idx = m->scan.idx + k;
    size_t n = (size_t)m->file->n_fields;

    for (size_t i = 1; i <= n; i++)
        if ((p[idx[i]] == '\n') != (i == n))
            return false;
    for (int c = 0; c < m->r->n_cols; c++) {
        int field = m->file->field_of[c];

        if (field >= 0 && m->r->cols[c].guessed)
            look_at_field(m, &m->guess[c], p, idx[field] + 1, idx[field + 1],
                          (size_t)field + 1 == n);
    }
    return true;
}

/* p[64, 64 + n): rows from its start (at_start) or from its first LF on, up to the
 * first that is not plain. At the end of the file the last needs no LF. */
static int look_at_piece(struct sample *m, uint8_t *p, size_t n, bool at_start, bool at_end,
                         struct bp_err *err)
{
    struct csv_scan *s = &m->scan;
    size_t k = 0, nf = (size_t)m->file->n_fields;
    uint32_t *idx;

    if (at_end && n && p[CSV_FRONT_BYTES + n - 1] != '\n')
        p[CSV_FRONT_BYTES + n++] = '\n';
    memset(p + CSV_FRONT_BYTES + n, ' ', CSV_PAD_BYTES);
    p[CSV_FRONT_BYTES - 1] = '\n';
    if (m->idx_cap < n + 256) {
        idx = bp_mem_grow(s->idx, n + 256, sizeof *idx, err);
        if (!idx)
            return err->code;
        s->idx = idx;
        m->idx_cap = n + 256;
    }
    *s = (struct csv_scan){.delim = m->r->dialect.delim,
                           .quote = m->r->dialect.quote,
                           .quotes = m->r->dialect.quotes,
                           .idx = s->idx,
                           .n_idx = 1};
    s->idx[0] = CSV_FRONT_BYTES - 1;
    m->r->kernels->scan(s, p, CSV_FRONT_BYTES, CSV_FRONT_BYTES + (uint32_t)n);
    while (!at_start && k + 1 < s->n_idx && p[s->idx[k + 1]] != '\n')
        k++;
    k += !at_start;
    m->odd = false;
    for (; k + nf < s->n_idx && !m->odd; k += m->odd ? 0 : nf)
        m->odd = !look_at_row(m, p, k);
    m->seen_bytes = k < s->n_idx ? s->idx[k] + 1 - CSV_FRONT_BYTES : n;
    return 0;
}

/* ---- inputs ---- */

/* In small pieces, each from the row on that the last one did not hold: what is peeked is
 * memory enough. A row that is longer than a piece makes it larger. */
static int sample_stream(struct sample *m, struct csv_file *f, size_t n_bytes, struct bp_err *err)
{
    size_t n, at = 0, piece = STREAM_PIECE_BYTES, len;
    uint8_t *copy = NULL, *room;
    const uint8_t *p;
    int rc;

    BP_TRY(bp_input_peek(&f->in, n_bytes, &p, &n, err));
    do {
        len = BP_MIN(piece, n - at);
        room = bp_mem_grow(copy, CSV_FRONT_BYTES + len + 1 + CSV_PAD_BYTES, 1, err);
        if (!room)
            BP_GO(err->code);
        copy = room;
        if (len)
            memcpy(copy + CSV_FRONT_BYTES, p + at, len);
        BP_GO(look_at_piece(m, copy, len, true, at + len == n && n < n_bytes, err));
        at += m->seen_bytes;
        if (!m->seen_bytes)
            piece *= 2;
    } while (at < n && !m->odd && (m->seen_bytes || len < n - at));
    rc = 0;
out:
    bp_mem_free(copy);
    return rc;
}

static int sample_file(struct sample *m, const struct csv_file *f, size_t n_bytes,
                       struct bp_err *err)
{
    int64_t size = f->in.size_bytes - f->data_start;
    size_t piece, got;
    uint8_t *buf;
    int n_pieces, rc = 0;

    bp_sample_pieces(size, n_bytes, &n_pieces, &piece);
    buf = bp_mem_new(CSV_FRONT_BYTES + piece + 1 + CSV_PAD_BYTES, 1, err);
    if (!buf)
        return err->code;
    for (int i = 1; i < n_pieces; i++)
        bp_input_want(&f->in, piece, f->data_start + bp_sample_at(size, piece, i));
    for (int i = 0; i < n_pieces; i++) {
        int64_t at = f->data_start + bp_sample_at(size, piece, i);

        BP_GO(bp_input_read_at(&f->in, buf + CSV_FRONT_BYTES, piece, at, &got, err));
        BP_GO(look_at_piece(m, buf, got, i == 0, at + (int64_t)got >= f->in.size_bytes, err));
    }
out:
    bp_mem_free(buf);
    return rc;
}

int csv_infer(struct csv_reader *r, struct bp_err *err)
{
    size_t each = bp_sample_bytes(r->n_files);
    struct sample m = {.r = r};
    int rc = 0;

    m.guess = bp_mem_new((size_t)r->n_cols, sizeof *m.guess, err);
    if (!m.guess)
        return err->code;
    for (int c = 0; c < r->n_cols; c++)
        m.guess[c] = BP_GUESS_ANY;
    for (int i = 0; i < r->n_files; i++) {
        m.file = &r->files[i];
        if (r->files[i].in.is_file)
            BP_GO(sample_file(&m, m.file, each, err));
        else
            BP_GO(sample_stream(&m, &r->files[i], each, err));
        if (i >= CSV_AWAKE_FILES || bp_mem_is_tight())
            bp_input_rest(&r->files[i].in);
    }
    for (int c = 0; c < r->n_cols; c++)
        if (r->cols[c].guessed)
            r->cols[c].type = bp_guess_type(m.guess[c]);
out:
    bp_mem_free(m.guess);
    bp_mem_free(m.scan.idx);
    return rc;
}
