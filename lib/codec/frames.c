/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job is a run of whole frames of about JOB_BYTES; the pool decodes jobs on any thread and
 * gives them back in order. The bytes that are under way are bounded by ROOM_BYTES and one job.
 *
 * A frame that tells lies, or is damaged, is not for this file to judge: its bytes, and those of
 * all jobs behind it, go back to where they were taken from, and from there on everything is
 * decoded step by step. So what is read, and what is said of damage, never depends on threads.
 */
#include "codec/frames.h"

#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "sys/pool.h"

#define HEAD_BYTES 32 /* enough for a first look */
#define JOB_BYTES ((size_t)512 << 10)
#define ROOM_BYTES ((size_t)16 << 20)
#define THREADS_MOST 8 /* each gives about 1 GB/s: more than any reader takes */

struct job {
    struct bp_buf packed;
    struct bp_buf plain;
    size_t plain_bytes; /* that its frames promise */
    size_t good_bytes;  /* of packed, that were decoded: all, unless it failed */
    struct job *next;   /* in the list of those not in use */
};

struct bp_frames {
    const struct bp_codec *codec;
    int n_threads, n_jobs;
    struct bp_pool *pool;
    void **decoders; /* [n_threads] */
    struct job *jobs, *unused;
    size_t under_way_bytes;
    struct job *now; /* is handed out */
    size_t now_from;
    bool any, given_up;
};

static size_t job_bytes(const struct job *j)
{
    return j->packed.len + j->plain_bytes;
}

/* ---- on the threads ---- */

static void decode(void *ctx, int worker, void *job)
{
    struct bp_frames *f = ctx;
    struct job *j = job;
    struct bp_codec_frame frame;

    while (j->good_bytes < j->packed.len) {
        const uint8_t *p = j->packed.data + j->good_bytes;

        if (!f->codec->look(p, j->packed.len - j->good_bytes, &frame) ||
            !f->codec->whole(f->decoders[worker], p, &frame, j->plain.data + j->plain.len))
            return;
        j->plain.len += frame.plain_bytes;
        j->good_bytes += frame.packed_bytes;
    }
}

static const struct bp_pool_ops pool_ops = {.work = decode};

/* ---- cutting ---- */

/* Is what w shows next a whole frame of the kind? */
static int look(const struct bp_frames *f, struct bp_window *w, bool *is,
                struct bp_codec_frame *frame, struct bp_err *err)
{
    size_t want = HEAD_BYTES;

    for (;;) {
        BP_TRY(bp_window_show(w, want, err));
        *is = bp_window_left(w) && f->codec->look(bp_window_at(w), bp_window_left(w), frame);
        if (!*is || frame->packed_bytes <= bp_window_left(w))
            return 0;
        if (w->end) {
            *is = false;
            return 0;
        }
        want = frame->packed_bytes;
    }
}

/* As many frames as make a job; *n_frames 0: there is none. */
static int fill(struct bp_frames *f, struct job *j, struct bp_window *w, int *n_frames,
                struct bp_err *err)
{
    struct bp_codec_frame frame;
    bool is;

    j->packed.len = j->plain.len = j->plain_bytes = j->good_bytes = 0;
    for (*n_frames = 0; job_bytes(j) < JOB_BYTES; ++*n_frames) {
        BP_TRY(look(f, w, &is, &frame, err));
        if (!is)
            break;
        BP_TRY(bp_buf_append(&j->packed, bp_window_at(w), frame.packed_bytes, err));
        bp_window_take(w, frame.packed_bytes);
        w->in_row = frame.is_block && !frame.is_marker;
        j->plain_bytes += frame.plain_bytes;
    }
    return bp_buf_reserve(&j->plain, j->plain_bytes + 1, err);
}

static int start(struct bp_frames *f, struct bp_err *err)
{
    f->n_jobs = f->n_threads + 2;
    f->jobs = bp_mem_new((size_t)f->n_jobs, sizeof *f->jobs, err);
    f->decoders = f->jobs ? bp_mem_new((size_t)f->n_threads, sizeof *f->decoders, err) : NULL;
    if (!f->decoders)
        return err->code;
    for (int i = 0; i < f->n_threads; i++) {
        f->decoders[i] = f->codec->whole_open(err);
        if (!f->decoders[i])
            return err->code;
    }
    for (int i = 0; i < f->n_jobs; i++) {
        f->jobs[i].next = f->unused;
        f->unused = &f->jobs[i];
    }
    return bp_pool_open(&f->pool, f->n_threads, f->n_jobs, &pool_ops, f, err);
}

static int give(struct bp_frames *f, struct bp_window *w, struct bp_err *err)
{
    struct bp_codec_frame frame;
    int n_frames = 1;
    bool is;

    while (n_frames && f->under_way_bytes < ROOM_BYTES) {
        struct job *j;

        if (!f->pool) {
            BP_TRY(look(f, w, &is, &frame, err));
            if (!is)
                return 0;
            BP_TRY(start(f, err));
        }
        j = f->unused;
        if (!j)
            return 0;
        BP_TRY(fill(f, j, w, &n_frames, err));
        if (n_frames) {
            f->any = true;
            f->unused = j->next;
            f->under_way_bytes += job_bytes(j);
            bp_pool_give(f->pool, j);
        }
    }
    return 0;
}

/* ---- taking ---- */

static void release(struct bp_frames *f)
{
    bp_pool_free(f->pool);
    f->pool = NULL;
    for (int i = 0; f->decoders && i < f->n_threads; i++)
        if (f->decoders[i])
            f->codec->whole_free(f->decoders[i]);
    for (int i = 0; f->jobs && i < f->n_jobs; i++) {
        bp_buf_release(&f->jobs[i].packed);
        bp_buf_release(&f->jobs[i].plain);
    }
    bp_mem_free(f->decoders);
    bp_mem_free(f->jobs);
    f->decoders = NULL;
    f->jobs = NULL;
}

/* What was not decoded of the job at hand, and all jobs behind it, are w's again. */
static int give_up(struct bp_frames *f, struct bp_window *w, struct bp_err *err)
{
    struct bp_buf all = {0};
    int rc = 0;

    for (struct job *j = f->now; j && rc == 0; j = bp_pool_take(f->pool)) {
        size_t from = j == f->now ? j->good_bytes : 0;

        rc = bp_buf_append(&all, j->packed.data + from, j->packed.len - from, err);
    }
    if (rc == 0)
        rc = bp_window_put_back(w, all.data, all.len, err);
    bp_buf_release(&all);
    release(f);
    f->now = NULL;
    f->given_up = true;
    return rc;
}

/* Everything of the job at hand was handed out. */
static int end_job(struct bp_frames *f, struct bp_window *w, struct bp_err *err)
{
    struct job *j = f->now;

    if (j->good_bytes < j->packed.len)
        return give_up(f, w, err);
    f->under_way_bytes -= job_bytes(j);
    j->next = f->unused;
    f->unused = j;
    f->now = NULL;
    return 0;
}

int bp_frames_read(struct bp_frames *f, struct bp_window *w, void *p, size_t n, size_t *got,
                   struct bp_err *err)
{
    *got = 0;
    while (!f->given_up) {
        BP_TRY(give(f, w, err));
        if (!f->now && f->pool)
            f->now = bp_pool_take(f->pool);
        if (!f->now)
            return 0;
        *got = BP_MIN(n, f->now->plain.len - f->now_from);
        if (*got) {
            memcpy(p, f->now->plain.data + f->now_from, *got);
            f->now_from += *got;
            return 0;
        }
        f->now_from = 0;
        BP_TRY(end_job(f, w, err));
    }
    return 0;
}

bool bp_frames_any(const struct bp_frames *f)
{
    return f->any;
}

int bp_frames_open(struct bp_frames **out, const struct bp_codec *codec, int n_threads,
                   struct bp_err *err)
{
    struct bp_frames *f = bp_mem_new(1, sizeof *f, err);

    if (!f)
        return err->code;
    f->codec = codec;
    f->n_threads = BP_MIN(n_threads, THREADS_MOST);
    *out = f;
    return 0;
}

void bp_frames_free(struct bp_frames *f)
{
    if (!f)
        return;
    release(f);
    bp_mem_free(f);
}
