/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares and places. All inputs, one behind the other, are cut by bytes into
 * n_tasks contiguous ranges; a record belongs to the range in which its first
 * byte lies. Whether a border lies inside quotes is told by what is around it
 * (csv_border.c), or known by reading the file from its start.
 */
#include <string.h>

#include "fmt/csv_reader.h"

static int64_t input_bytes(const struct bp_input *in)
{
    if (in->size_bytes < 0)
        return in->is_named; /* a command: how much it has is not known, a share is whole ones */
    return in->size_bytes;
}

static void cut(struct csv_reader *r, int task, int n_tasks)
{
    bp_int128 total = 0;
    int64_t from, to, at = 0;

    for (int i = 0; i < r->n_files; i++)
        total += input_bytes(&r->files[i].in);
    from = n_tasks ? (int64_t)(total * task / n_tasks) : 0;
    to = n_tasks ? (int64_t)(total * (task + 1) / n_tasks) : (int64_t)total;
    for (int i = 0; i < r->n_files; i++) {
        struct csv_file *f = &r->files[i];
        int64_t size = input_bytes(&f->in);
        bool last_task = !n_tasks || task == n_tasks - 1;

        if (!n_tasks) {
            f->lo = 0;
            f->hi = INT64_MAX;
        } else if (f->in.is_file) {
            f->lo = BP_MAX(from - at, 0);
            f->hi = BP_MIN(BP_MAX(to - at, 0), size);
        } else { /* whole or not at all */
            bool mine = (at >= from && at < to) || (last_task && at >= to);

            f->lo = 0;
            f->hi = mine ? INT64_MAX : 0;
        }
        at += size;
    }
}

int csv_share_cut(struct csv_reader *r, int task, int n_tasks, struct bp_err *err)
{
    cut(r, task, n_tasks);
    for (int i = 0; n_tasks && i < r->n_files; i++) {
        struct csv_file *f = &r->files[i];

        if (!f->in.is_file || f->lo >= f->hi)
            continue;
        BP_TRY(csv_border_start(r, i, f->lo, &f->lo, err));
        BP_TRY(csv_border_start(r, i, f->hi, &f->hi, err));
    }
    return 0;
}

int csv_check_size(const struct bp_input *in, int64_t at, bool end, struct bp_err *err)
{
    if (!end || at >= in->size_bytes)
        return 0;
    return bp_fail(err, BP_EDATA, "%s: the file ends at byte %lld; it had %lld when it was opened",
                   in->name, (long long)at, (long long)in->size_bytes);
}

/* ---- borders ---- */

#define BLOCK ((size_t)256 << 10)

struct border_scan {
    struct csv_scan scan;
    uint8_t *buf; /* CSV_FRONT_BYTES, a block, pad */
    uint32_t *idx;
};

/* The next block, which begins at offset at. */
static int border_block(const struct csv_reader *r, struct border_scan *b, size_t n, int64_t at,
                        struct csv_border *out)
{
    uint8_t *p = b->buf + CSV_FRONT_BYTES;

    memset(p + n, ' ', CSV_PAD_BYTES);
    if (p[n - 1] == '\r')
        p[n] = '\n'; /* what follows the border is not judged here */
    else if (p[n - 1] == r->dialect.quote)
        p[n] = r->dialect.delim;
    b->scan.n_idx = 0;
    r->kernels->scan(&b->scan, b->buf, CSV_FRONT_BYTES, CSV_FRONT_BYTES + (uint32_t)n);
    if (b->scan.odd)
        return BP_DONE;
    for (size_t k = b->scan.n_idx; k > 0; k--)
        if (b->scan.idx[k - 1] < CSV_FRONT_BYTES + n && b->buf[b->scan.idx[k - 1]] == '\n') {
            out->record_at = at + b->scan.idx[k - 1] - CSV_FRONT_BYTES + 1;
            break;
        }
    p[-1] = p[n - 1];
    return 0;
}

/* From a border of records on. */
static int scan_to(const struct csv_reader *r, const struct csv_file *f, int64_t at, int64_t offset,
                   struct csv_border *out, struct bp_err *err)
{
    struct border_scan b = {0};
    size_t n, block = (size_t)BP_MIN((int64_t)BLOCK, BP_MAX(offset - at, 0));
    int rc = 0;

    *out = (struct csv_border){.record_at = at};
    if (!r->dialect.quotes || at >= offset)
        return 0;
    b.scan.delim = r->dialect.delim;
    b.scan.quote = r->dialect.quote;
    b.scan.quotes = true;
    b.buf = bp_mem_new(CSV_FRONT_BYTES + block + CSV_PAD_BYTES, 1, err);
    b.idx = b.scan.idx = b.buf ? bp_mem_new(block + 192, sizeof *b.idx, err) : NULL;
    if (!b.idx) {
        rc = err->code;
        goto out;
    }
    b.buf[CSV_FRONT_BYTES - 1] = '\n';
    for (; at < offset; at += (int64_t)n) {
        size_t want = (size_t)BP_MIN((int64_t)BLOCK, offset - at);

        BP_GO(bp_input_read_at(&f->in, b.buf + CSV_FRONT_BYTES, want, at, &n, err));
        if (!n)
            break;
        rc = border_block(r, &b, n, at, out);
        if (rc == BP_DONE) {
            out->odd = true;
            rc = 0;
            goto out;
        }
    }
    out->inside = b.scan.inside != 0;
    out->n_lf = b.scan.n_lf;
out:
    bp_mem_free(b.buf);
    bp_mem_free(b.idx);
    return rc;
}

int csv_border_find(const struct csv_reader *r, int file, int64_t offset, struct csv_border *out,
                    struct bp_err *err)
{
    const struct csv_file *f = &r->files[file];

    return scan_to(r, f, f->data_start, offset, out, err);
}

int csv_place_advance(const struct csv_reader *r, int file, struct csv_place *p, int64_t to,
                      struct bp_err *err)
{
    const struct csv_file *f = &r->files[file];
    struct csv_border border = {0};
    int64_t lines, records;

    if (to <= p->at)
        return 0;
    BP_TRY(csv_lines_between(r, &f->in, p->at, to, &lines, err));
    records = lines; /* where nothing is quoted, lines are records */
    if (r->dialect.quotes) {
        BP_TRY(scan_to(r, f, p->at, to, &border, err));
        records = border.n_lf;
    }
    if (border.odd)
        BP_TRY(csv_records_between(r, &f->in, p->at, to, &records, err));
    *p = (struct csv_place){to, p->lines + lines, p->records + records};
    return 0;
}

/* ---- lines ---- */

int64_t csv_count_lines(const struct csv_kernels *k, const uint8_t *p, size_t n)
{
    int64_t lines = (int64_t)k->count(p, n, '\n');

    if (k->count(p, n, '\r'))
        for (size_t i = 0; i < n; i++)
            lines += p[i] == '\r' && !(i + 1 < n && p[i + 1] == '\n');
    return lines;
}

int csv_lines_between(const struct csv_reader *r, const struct bp_input *in, int64_t from,
                      int64_t to, int64_t *lines, struct bp_err *err)
{
    uint8_t *buf = bp_mem_new(BLOCK, 1, err);
    bool cr = false;
    size_t n;
    int rc = 0;

    if (!buf)
        return err->code;
    *lines = 0;
    for (int64_t at = from; at < to; at += (int64_t)n) {
        size_t want = (size_t)BP_MIN((int64_t)BLOCK, to - at);

        BP_GO(bp_input_read_at(in, buf, want, at, &n, err));
        if (!n)
            break;
        *lines += csv_count_lines(r->kernels, buf, n);
        if (cr && buf[0] == '\n')
            --*lines; /* CRLF across two blocks */
        cr = buf[n - 1] == '\r';
    }
out:
    bp_mem_free(buf);
    return rc;
}
