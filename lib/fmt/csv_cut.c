/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/csv_cut.h"

#include <string.h>

#define AHEAD_LEAST_BYTES (256 << 10) /* a smaller file is read before a thread is up */

static struct csv_job *job_new(struct csv_cutter *k, struct bp_err *err)
{
    struct csv_job *job = bp_mem_new(1, sizeof *job, err);

    if (job) {
        job->file = k->file;
        job->inside = -1;
        job->seq = k->seq++;
    }
    return job;
}

/*
 * The first chunk of a file in this share. It begins with a record; those that begin
 * in [lo, hi) behind it have their preceding LF in [lo, hi - 1).
 */
static int open_file(struct csv_cutter *k, struct csv_job **first, struct bp_err *err)
{
    struct csv_file *f = &k->r->files[k->file];

    *first = NULL;
    k->file_open = true;
    k->fresh = false;
    k->at = k->end = 0;
    if (!f->in.is_file && f->hi > 0 && k->r->n_threads > 1 && f->in.size_bytes >= AHEAD_LEAST_BYTES)
        BP_TRY(bp_input_read_ahead(&f->in, k->r->n_threads, err));
    if (!f->in.is_file || f->hi <= f->data_start || f->hi <= f->lo ||
        f->data_start >= f->in.size_bytes)
        return 0;
    k->end = f->hi == INT64_MAX ? BP_MAX(f->in.size_bytes, f->data_start) : f->hi - 1;
    *first = job_new(k, err);
    if (!*first)
        return err->code;
    (*first)->at_start = true;
    (*first)->a = (*first)->border_at = BP_MAX(f->lo, f->data_start);
    (*first)->inside = 0;
    (*first)->b = BP_MIN((*first)->a + (int64_t)k->r->chunk_bytes, k->end);
    (*first)->b = BP_MAX((*first)->b, (*first)->a);
    k->at = (*first)->b;
    return 0;
}

/* Where the last record of p[0, n) ends, if quotes are where they should be; 0:
 * none does. */
static size_t last_border(const struct csv_reader *r, const uint8_t *p, size_t n)
{
    const struct csv_dialect *d = &r->dialect;
    bool inside = d->quotes && r->kernels->count(p, n, d->quote) & 1;

    while (n) {
        n--;
        if (d->quotes && p[n] == d->quote)
            inside = !inside;
        else if (p[n] == '\n' && !inside)
            return n + 1;
    }
    return 0;
}

static int stream_block(struct csv_cutter *k, struct bp_block **block, size_t *n,
                        struct bp_err *err)
{
    struct bp_input *in = &k->r->files[k->file].in;
    size_t most = BP_MAX(k->r->chunk_bytes, k->r->record_max_bytes);
    size_t want = BP_MIN(BP_MAX(k->r->chunk_bytes, k->carry_bytes * 2), most), got;

    BP_TRY(bp_block_new(block, CSV_FRONT_BYTES + want + 1 + CSV_PAD_BYTES, err));
    if (k->carry_bytes)
        memcpy((*block)->data + CSV_FRONT_BYTES, k->carry->data, k->carry_bytes);
    if (bp_input_read(in, (*block)->data + CSV_FRONT_BYTES + k->carry_bytes, want - k->carry_bytes,
                      &got, err) < 0) {
        bp_block_unref(*block);
        return err->code;
    }
    *n = k->carry_bytes + got;
    k->stream_end = *n < want;
    return 0;
}

/* The next block of a stream, whole records; *out NULL at the end. */
int csv_cut_block(struct csv_cutter *k, struct csv_job **out, struct bp_err *err)
{
    struct bp_block *block = NULL;
    size_t n = 0, whole = 0;
    bool odd = false;
    int rc;

    *out = NULL;
    while (!k->stream_end && !whole) {
        bp_block_unref(block);
        block = NULL;
        BP_GO(stream_block(k, &block, &n, err));
        whole = k->stream_end ? n : last_border(k->r, block->data + CSV_FRONT_BYTES, n);
        odd = !whole && n >= k->r->record_max_bytes;
        if (odd)
            whole = n; /* no record, or quotes out of place: the slow path will see */
        BP_GO(bp_block_grow(&k->carry, 0, n - whole + 1, err));
        if (n > whole)
            memcpy(k->carry->data, block->data + CSV_FRONT_BYTES + whole, n - whole);
        k->carry_bytes = n - whole;
    }
    if (!whole) {
        rc = 0;
        goto out;
    }
    *out = job_new(k, err);
    if (!*out) {
        rc = err->code;
        goto out;
    }
    (*out)->a = k->at;
    (*out)->block = block;
    (*out)->odd = k->waits = odd;
    (*out)->n_bytes = whole;
    k->at += (int64_t)whole;
    return 0;
out:
    bp_block_unref(block);
    return rc;
}

/* The slow path ended before a record that is the last byte of the share. */
static bool last_byte_waits(const struct csv_cutter *k)
{
    const struct csv_file *f = &k->r->files[k->file];

    return k->fresh && k->at == k->end && k->at < BP_MIN(f->hi, f->in.size_bytes);
}

/* The next job in order; *out NULL: there is none. */
int csv_cut_next(struct csv_cutter *k, struct csv_job **out, struct bp_err *err)
{
    for (; k->file < k->r->n_files; k->file++, k->file_open = false) {
        struct csv_file *f = &k->r->files[k->file];

        if (!k->file_open) {
            BP_TRY(open_file(k, out, err));
            k->stream_end = f->in.is_file || f->hi == 0;
            k->carry_bytes = 0;
            if (!f->in.is_file)
                k->at = f->data_start;
            if (*out)
                return 0;
        }
        if (!f->in.is_file) {
            BP_TRY(csv_cut_block(k, out, err));
            if (*out)
                return 0;
            bp_input_finish(&f->in);
        } else if (k->at < k->end || last_byte_waits(k)) {
            *out = job_new(k, err);
            if (!*out)
                return err->code;
            (*out)->a = k->at;
            (*out)->b = BP_MAX(BP_MIN(k->at + (int64_t)k->r->chunk_bytes, k->end), k->at);
            (*out)->border_at = k->fresh ? k->at : -1;
            (*out)->at_start = k->fresh;
            (*out)->inside = k->fresh ? 0 : -1;
            k->fresh = false;
            k->at = (*out)->b;
            return 0;
        }
    }
    *out = NULL;
    return 0;
}

void csv_cut_release(struct csv_cutter *k)
{
    bp_block_unref(k->carry);
    k->carry = NULL;
}
