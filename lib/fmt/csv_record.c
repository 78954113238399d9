/* SPDX-License-Identifier: Apache-2.0 */
/* Records by libcsv: bytes in, the fields of one record after the other out. */
#include "fmt/csv_record.h"

#include <string.h>

#define COUNT_BYTES ((size_t)256 << 10)
#define GROW_BYTES ((size_t)4 << 10)

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

int csv_splitter_open(struct csv_splitter *p, const struct csv_dialect *d, struct bp_err *err)
{
    if (csv_init(&p->lib, CSV_REPALL_NL | CSV_EMPTY_IS_NULL) != 0)
        return bp_fail_oom(err, sizeof p->lib);
    csv_set_delim(&p->lib, d->delim);
    csv_set_quote(&p->lib, d->quotes ? d->quote : 0); /* a NUL byte is refused anyway */
    csv_set_space_func(&p->lib, no_space);
    p->d = d;
    p->fresh = true;
    return 0;
}

void csv_splitter_close(struct csv_splitter *p)
{
    csv_free(&p->lib);
    csv_record_release(&p->rec);
}

void csv_record_release(struct csv_record *rec)
{
    bp_buf_release(&rec->bytes);
    bp_mem_free(rec->ends);
    bp_mem_free(rec->empty);
    *rec = (struct csv_record){0};
}

int csv_record_add(struct csv_record *rec, const void *s, size_t n, struct bp_err *err)
{
    if (rec->n == rec->cap) {
        int cap = rec->cap ? rec->cap * 2 : 32;
        void *e = bp_mem_grow(rec->ends, (size_t)cap, sizeof *rec->ends, err);
        void *m;

        if (!e)
            return err->code;
        rec->ends = e;
        m = bp_mem_grow(rec->empty, (size_t)cap, sizeof *rec->empty, err);
        if (!m)
            return err->code;
        rec->empty = m;
        rec->cap = cap;
    }
    if (n)
        BP_TRY(bp_buf_append(&rec->bytes, s, n, err));
    rec->ends[rec->n] = rec->bytes.len;
    rec->empty[rec->n++] = s == NULL;
    return 0;
}

/* libcsv tells quoted from unquoted for empty fields only. */
static bool is_null_text(const struct csv_splitter *p, const void *s, size_t n)
{
    return p->d->null_text && !p->quoted && n == p->d->null_len &&
           memcmp(s, p->d->null_text, n) == 0;
}

static void on_field(void *s, size_t n, void *arg)
{
    struct csv_splitter *p = arg;

    if (s && is_null_text(p, s, n)) {
        s = NULL;
        n = 0;
    }
    p->fresh = true;
    if (!p->err->code && csv_record_add(&p->rec, s, n, p->err) < 0)
        return; /* the code stays in err */
}

static void on_record(int c, void *arg)
{
    struct csv_splitter *p = arg;

    (void)c;
    p->ended = true;
    p->fresh = true;
}

int csv_splitter_feed(struct csv_splitter *p, const uint8_t *s, size_t n, struct bp_err *err)
{
    p->err = err;
    p->ended = false;
    if (p->fresh)
        p->quoted = p->d->quotes && s[0] == p->d->quote;
    p->fresh = false;
    /* libcsv's own step is 128 bytes, and a field of 4 MB takes 32 thousand of them */
    csv_set_blk_size(&p->lib, BP_MAX(GROW_BYTES, csv_get_buffer_size(&p->lib) / 2));
    if (csv_parse(&p->lib, s, n, on_field, on_record, p) != n && !err->code)
        return bp_fail_oom(err, csv_get_buffer_size(&p->lib));
    return err->code;
}

int csv_splitter_finish(struct csv_splitter *p, struct bp_err *err)
{
    p->err = err;
    p->ended = false;
    csv_set_opts(&p->lib, CSV_REPALL_NL | CSV_EMPTY_IS_NULL | CSV_STRICT | CSV_STRICT_FINI);
    if (csv_fini(&p->lib, on_field, on_record, p) != 0)
        return BP_DONE;
    return err->code;
}

size_t csv_piece_len(const struct csv_dialect *d, const uint8_t *p, size_t n)
{
    uint8_t other = d->null_text ? d->delim : '\n';

    for (size_t i = 0; i < n; i++)
        if (p[i] == '\n' || p[i] == '\r' || p[i] == other)
            return i + 1;
    return n;
}

int csv_record_first(const struct csv_dialect *d, const uint8_t *s, size_t n, bool at_end,
                     struct csv_record *rec, size_t *used, struct bp_err *err)
{
    struct csv_splitter p = {0};
    size_t at = 0;
    int rc;

    BP_TRY(csv_splitter_open(&p, d, err));
    rc = 0;
    while (at < n && !p.ended) {
        size_t len = csv_piece_len(d, s + at, n - at);

        BP_GO(csv_splitter_feed(&p, s + at, len, err));
        at += len;
    }
    /* a CR as the last byte known may have its LF behind it */
    if (!p.ended && at_end)
        BP_GO(csv_splitter_finish(&p, err));
    else if (!p.ended || (!at_end && at == n && s[at - 1] == '\r'))
        rc = BP_DONE;
    if (rc == 0 && at && at < n && s[at - 1] == '\r' && s[at] == '\n')
        at++;
    *used = at;
    *rec = p.rec;
    p.rec = (struct csv_record){0};
out:
    csv_splitter_close(&p);
    return rc;
}

/* Libcsv over the bytes [from, to) from the start of a record on. start NULL: counts
 * the records that end there; else finds the first that begins at or behind border. */
static int walk(const struct csv_reader *r, const struct bp_input *in, int64_t from, int64_t to,
                int64_t border, int64_t *records, int64_t *start, struct bp_err *err)
{
    uint8_t *buf = bp_mem_new(COUNT_BYTES, 1, err);
    struct csv_splitter p = {0};
    bool after_cr = false, between = true;
    size_t n, len;
    int rc;

    rc = buf ? csv_splitter_open(&p, &r->dialect, err) : err->code;
    if (rc < 0) {
        bp_mem_free(buf);
        return rc;
    }
    for (; from < to; from += (int64_t)n) {
        BP_GO(bp_input_read_at(in, buf, (size_t)BP_MIN((int64_t)COUNT_BYTES, to - from), from, &n,
                               err));
        if (!n)
            break;
        for (size_t at = 0; at < n; at += len) {
            len = csv_piece_len(&r->dialect, buf + at, n - at);
            if (after_cr && buf[at] == '\n') {
                after_cr = false;
                continue;
            }
            if (start && between && from + (int64_t)at >= border) {
                from += (int64_t)at;
                goto out;
            }
            for (size_t i = at; i < at + len; i++)
                buf[i] = buf[i] ? buf[i] : ' ';
            BP_GO(csv_splitter_feed(&p, buf + at, len, err));
            between = p.ended;
            after_cr = p.ended && buf[at + len - 1] == '\r';
            *records += p.ended;
            if (p.ended)
                p.rec.n = (int)(p.rec.bytes.len = 0);
        }
    }
    rc = 0;
out:
    if (start)
        *start = from;
    csv_splitter_close(&p);
    bp_mem_free(buf);
    return rc;
}

int csv_records_between(const struct csv_reader *r, const struct bp_input *in, int64_t from,
                        int64_t to, int64_t *records, struct bp_err *err)
{
    *records = 0;
    return walk(r, in, from, to, 0, records, NULL, err);
}

int csv_records_seek(const struct csv_reader *r, const struct bp_input *in, int64_t from,
                     int64_t border, int64_t *start, struct bp_err *err)
{
    int64_t records = 0;

    return walk(r, in, from, in->size_bytes, border, &records, start, err);
}
