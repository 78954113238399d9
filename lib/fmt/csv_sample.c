/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing is decided here about a row that is not plain: whoever reads will see.
 */
#include <string.h>

#include "base/mem.h"
#include "fmt/csv_sample.h"
#include "fmt/guess.h"

#define STREAM_PIECE_BYTES ((size_t)256 << 10)

/* ---- one piece of a file ---- */

/* Field c between two separators: quotes, CR and null text off. */
static void look_at_field(const struct csv_sample *m, int c, const uint8_t *p, uint32_t from,
                          uint32_t to, bool last)
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
    m->field(m->ctx, c, p + from, to - from, quoted);
}

/* The next row from separator k on (the one behind which it begins); false: it is
 * not as long as it should be. */
static bool look_at_row(struct csv_sample *m, const uint8_t *p, size_t k)
{
    const uint32_t *idx = m->scan.idx + k;
    size_t n = (size_t)m->file->n_fields;

    for (size_t i = 1; i <= n; i++)
        if ((p[idx[i]] == '\n') != (i == n))
            return false;
    for (int c = 0; c < m->r->n_cols; c++) {
        int field = m->file->field_of[c];

        if (field >= 0 && m->wants[c])
            look_at_field(m, c, p, idx[field] + 1, idx[field + 1], (size_t)field + 1 == n);
    }
    m->rows++;
    return true;
}

/* p[64, 64 + n): rows from its start (at_start) or from its first LF on, up to the
 * first that is not plain. At the end of the file the last needs no LF. */
static int look_at_piece(void *ctx, uint8_t *p, size_t n, bool at_start, bool at_end,
                         struct bp_err *err)
{
    struct csv_sample *m = ctx;
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
static int sample_stream(struct csv_sample *m, struct csv_file *f, size_t n_bytes,
                         struct bp_err *err)
{
    size_t n, at = 0, piece = STREAM_PIECE_BYTES, len;
    uint8_t *copy = NULL, *room;
    const uint8_t *p;
    int rc;

    BP_TRY(bp_input_peek(&f->in, n_bytes, &p, &n, err));
    m->file = f;
    m->bytes = (int64_t)n;
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

static int sample_file(struct csv_sample *m, const struct csv_file *f, size_t n_bytes,
                       struct bp_err *err)
{
    const struct bp_sample s = {.most = n_bytes,
                                .front = CSV_FRONT_BYTES,
                                .behind = 1 + CSV_PAD_BYTES,
                                .piece = look_at_piece,
                                .ctx = m};

    m->file = f;
    m->bytes = BP_MIN(f->in.size_bytes - f->data_start, (int64_t)n_bytes);
    return bp_sample_file(&s, &f->in, f->data_start, err);
}

int csv_sample_read(struct csv_sample *m, struct csv_file *f, size_t n_bytes, struct bp_err *err)
{
    return f->in.is_file ? sample_file(m, f, n_bytes, err) : sample_stream(m, f, n_bytes, err);
}

void csv_sample_release(struct csv_sample *m)
{
    bp_mem_free(m->scan.idx);
    bp_mem_free(m->wants);
}
