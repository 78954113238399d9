/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a share begins: the first record at or behind a byte of the file, found from
 * what stands around that byte.
 *
 * A window around the border is indexed twice, once as if it began outside quotes and
 * once as if inside. The wrong reading turns opening quotes into closing ones and the
 * other way round, so it soon meets a quote where none may be. The right one is taken
 * where it meets none, all of its records have as many fields as the header, and the
 * wrong one
 *
 *   - met such a quote, before it had seen a single record of the right length;
 *   - and, if it is the reading "outside", had seen a line of another length first
 *     (text in quotes looks like that). Otherwise rows with a lone quote, 5", which
 *     libcsv takes as it is, would pass for the end of a quoted text.
 *
 * If that does not tell, the window grows. Where the largest one holds no quote at all,
 * both readings stand; the inner one would be a quoted text of 4 MiB that consists of
 * rows like those around it. Where there are such rows, outside is taken. In all other
 * cases quotes are counted from the start of the file, which is exact.
 *
 * A border decided here is not only believed. The share before it reads up to it, and
 * fails if its last record does not end there (csv_read.c); the first share begins at
 * the header. So by induction either each record is in exactly one share, or a task
 * fails and says so.
 */
#include <string.h>

#include "fmt/csv_reader.h"

#define FIRST_WINDOW ((int64_t)16 << 10) /* on either side */
#define BLOCK ((size_t)64 << 10)
#define ENOUGH_RECORDS 8 /* that tell rows from text, where no quote does */

/* One way to read a window. */
struct reading {
    struct csv_scan scan;
    int64_t n_good, n_bad; /* whole records with as many fields as there should be; others */
    int64_t n_fields;      /* of the record begun; < 0: it began before the window */
    int64_t start;         /* the first record at or behind the border; -1 */
    bool odd, quote;
};

struct window {
    const struct csv_reader *r;
    const struct csv_file *f;
    int64_t from, to, border;
    struct reading outside, inside;
    uint8_t *buf; /* CSV_FRONT_BYTES, a block, pad */
    uint32_t *idx;
};

static void begin(struct window *w, struct reading *d, bool inside)
{
    const struct csv_dialect *q = &w->r->dialect;

    *d = (struct reading){.start = -1, .n_fields = w->from == w->f->data_start ? 0 : -1};
    d->scan.delim = q->delim;
    d->scan.quote = q->quote;
    d->scan.quotes = q->quotes;
    d->scan.inside = inside ? ~(uint64_t)0 : 0;
    if (inside || w->from == w->f->data_start)
        return;
    d->scan.edge_quote = q->quotes && w->buf[CSV_FRONT_BYTES - 1] == q->quote;
    d->scan.edge_cr = w->buf[CSV_FRONT_BYTES - 1] == '\r';
}

/* The separators of a block that begins at offset at of the file. */
static void count_records(struct window *w, struct reading *d, int64_t at, size_t n)
{
    for (size_t k = 0; k < d->scan.n_idx; k++) {
        uint32_t i = d->scan.idx[k];

        if (i >= CSV_FRONT_BYTES + n)
            break;
        d->n_fields += d->n_fields >= 0;
        if (w->buf[i] != '\n')
            continue;
        d->n_good += d->n_fields == w->f->n_fields;
        d->n_bad += d->n_fields >= 0 && d->n_fields != w->f->n_fields;
        d->n_fields = 0;
        if (d->start < 0 && at + i - CSV_FRONT_BYTES + 1 >= w->border)
            d->start = at + i - CSV_FRONT_BYTES + 1;
    }
}

static void read_block(struct window *w, struct reading *d, int64_t at, size_t n)
{
    if (d->odd)
        return;
    d->scan.idx = w->idx;
    d->scan.n_idx = 0;
    w->r->kernels->scan(&d->scan, w->buf, CSV_FRONT_BYTES, CSV_FRONT_BYTES + (uint32_t)n);
    d->odd = d->scan.odd != 0;
    d->quote |= d->scan.saw_quote != 0;
    if (!d->odd)
        count_records(w, d, at, n);
}

/* What follows the block is not known: nothing that would be odd. */
static void put_pad(const struct window *w, size_t n, bool at_end)
{
    uint8_t *p = w->buf + CSV_FRONT_BYTES;

    memset(p + n, ' ', CSV_PAD_BYTES);
    if (p[n - 1] == '\r')
        p[n] = '\n';
    else if (p[n - 1] == w->r->dialect.quote)
        p[n] = at_end ? '\n' : w->r->dialect.delim;
}

static int read_window(struct window *w, struct bp_err *err)
{
    int64_t size = w->f->in.size_bytes, at = w->from;
    uint8_t *p = w->buf + CSV_FRONT_BYTES;
    size_t n;

    p[-1] = '\n';
    if (at > w->f->data_start)
        BP_TRY(bp_input_read_at(&w->f->in, p - 1, 1, at - 1, &n, err));
    begin(w, &w->outside, false);
    begin(w, &w->inside, true);
    if (w->from == w->f->data_start || !w->r->dialect.quotes)
        w->inside.odd = true; /* it is known */
    for (; at < w->to; at += (int64_t)n) {
        size_t want = (size_t)BP_MIN((int64_t)BLOCK, w->to - at);

        BP_TRY(bp_input_read_at(&w->f->in, p, want, at, &n, err));
        if (!n)
            return csv_check_size(&w->f->in, at, true, err);
        put_pad(w, n, at + (int64_t)n >= size);
        read_block(w, &w->outside, at, n);
        read_block(w, &w->inside, at, n);
        p[-1] = p[n - 1];
    }
    return 0;
}

/* True and *start: the window tells. */
static bool window_tells(const struct window *w, int64_t *start)
{
    const struct reading *out = &w->outside, *in = &w->inside;
    bool exact = w->from == w->f->data_start || !w->r->dialect.quotes;

    *start = -1;
    if (exact && !out->odd)
        *start = out->start;
    else if (!out->odd && !out->n_bad && out->n_good && in->odd && !in->n_good)
        *start = out->start;
    else if (!in->odd && !in->n_bad && in->n_good && out->odd && !out->n_good && out->n_bad)
        *start = in->start;
    return *start >= 0;
}

/* Rows, and no quote near or far: BP_DONE if not so. */
static int far_from_quotes(struct window *w, int64_t reach, int64_t *start, struct bp_err *err)
{
    const struct reading *out = &w->outside;
    int64_t at = BP_MAX(w->f->data_start, w->border - reach);
    int64_t to = BP_MIN(w->f->in.size_bytes, w->border + reach);
    size_t n;

    if (out->odd || out->quote || out->n_bad || out->n_good < ENOUGH_RECORDS ||
        w->f->n_fields < 2 || out->start < 0)
        return BP_DONE;
    for (; at < to; at += (int64_t)n) {
        BP_TRY(bp_input_read_at(&w->f->in, w->buf, (size_t)BP_MIN((int64_t)BLOCK, to - at), at, &n,
                                err));
        if (!n)
            return csv_check_size(&w->f->in, at, true, err);
        if (w->r->kernels->count(w->buf, n, w->r->dialect.quote))
            return BP_DONE;
    }
    *start = out->start;
    return 0;
}

static int look_around(struct window *w, int64_t *start, struct bp_err *err)
{
    int64_t size = w->f->in.size_bytes, most = BP_MAX(w->r->border_bytes / 2, 1);
    int64_t reach = BP_MIN(FIRST_WINDOW, most);
    bool far = false;
    int rc;

    for (;; reach = BP_MIN(reach * 16, most)) {
        w->from = BP_MAX(w->f->data_start, w->border - reach);
        w->to = BP_MIN(size, w->border + reach);
        BP_TRY(read_window(w, err));
        if (window_tells(w, start))
            return 0;
        if (!far && (rc = far_from_quotes(w, most, start, err)) != BP_DONE)
            return rc;
        far = true;
        if (reach == most || (w->outside.odd && w->inside.odd))
            return BP_DONE;
    }
}

/* From a place whose state is known, with libcsv only where it is not plain. */
static int count_from_start(const struct csv_reader *r, int file, int64_t border, int64_t *start,
                            struct bp_err *err)
{
    struct csv_border b;
    int64_t from;

    BP_TRY(csv_border_find(r, file, border - 1, &b, err));
    from = b.record_at;
    return csv_records_seek(r, &r->files[file].in, from, border, start, err);
}

int csv_border_start(const struct csv_reader *r, int file, int64_t border, int64_t *start,
                     struct bp_err *err)
{
    struct window w = {.r = r, .f = &r->files[file], .border = border};
    int rc;

    *start = border;
    if (border <= w.f->data_start || border >= w.f->in.size_bytes)
        return 0;
    w.buf = bp_mem_new(CSV_FRONT_BYTES + BLOCK + CSV_PAD_BYTES, 1, err);
    w.idx = w.buf ? bp_mem_new(BLOCK + 192, sizeof *w.idx, err) : NULL;
    rc = w.idx ? look_around(&w, start, err) : err->code;
    if (rc == BP_DONE)
        rc = count_from_start(r, file, border, start, err);
    bp_mem_free(w.buf);
    bp_mem_free(w.idx);
    return rc;
}
