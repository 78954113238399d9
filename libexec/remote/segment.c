/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes come in segments, each the answer to one request for a range. A read is answered
 * when segments cover it. What the command says it will want is asked for at once. A read
 * that begins near the end of a run of reads, no further than the run is long, makes it longer, and
 * as many bytes as the run has, AHEAD_BYTES at most, are asked for ahead of it: one who reads a
 * whole file has several requests on their way, one who picks columns pays at most for twice of
 * what he reads. Segments that were used longest ago go when there are more than CACHE_BYTES.
 *
 *      run:   [ reads so far ][ AHEAD_BYTES, asked for ]
 *      segments  |====|====|====|----|----|
 */
#include "base/mem.h"
#include "base/num.h"
#include "object.h"

#define SEGMENT_BYTES ((int64_t)2 << 20)
#define LEAST_BYTES ((int64_t)64 << 10) /* asked for at once */
#define AHEAD_BYTES ((int64_t)16 << 20)
#define NEAR_BYTES ((int64_t)4 << 20) /* threads take their turns in any order */
#define CACHE_BYTES ((int64_t)40 << 20)

static struct {
    struct segment *oldest, *newest; /* by use */
    int64_t n_bytes;                 /* of all segments */
    uint64_t clock;                  /* for the runs */
} cache;

static void unlink_use(struct segment *s)
{
    *(s->older ? &s->older->newer : &cache.oldest) = s->newer;
    *(s->newer ? &s->newer->older : &cache.newest) = s->older;
}

static void link_newest(struct segment *s)
{
    s->older = cache.newest;
    s->newer = NULL;
    *(cache.newest ? &cache.newest->newer : &cache.oldest) = s;
    cache.newest = s;
}

static void use(struct segment *s)
{
    unlink_use(s);
    link_newest(s);
}

static void segment_free(struct segment *s)
{
    unlink_use(s);
    cache.n_bytes -= s->to - s->from;
    net_clear(&s->r);
    bp_mem_free(s);
}

int segment_keep_first(struct object *o, struct bp_err *err)
{
    struct segment *s;

    if (!o->first.out.len)
        return 0;
    s = bp_mem_new(1, sizeof *s, err);
    if (!s)
        return err->code;
    s->o = o;
    s->to = (int64_t)o->first.out.len;
    s->ready = true;
    link_newest(s);
    s->r.out = o->first.out;
    o->first.out = (struct bp_buf){0};
    o->segments = s;
    cache.n_bytes += s->to;
    return 0;
}

void segments_free(struct object *o)
{
    for (struct segment *s = o->segments, *next; s; s = next) {
        next = s->next;
        net_cancel(&s->r);
        segment_free(s);
    }
    o->segments = NULL;
}

static bool is_wanted(const struct segment *s)
{
    for (const struct asked *a = s->o->reads; a; a = a->next)
        if (a->head.a < s->to && a->head.a + a->head.b > s->from)
            return true;
    return false;
}

static void drop(struct segment *s)
{
    struct segment **at = &s->o->segments;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    segment_free(s);
}

/* The least used that nobody waits for, until there is room. False: there is none. */
static bool make_room(int64_t n)
{
    for (struct segment *s = cache.oldest, *newer; s && cache.n_bytes + n > CACHE_BYTES;
         s = newer) {
        newer = s->newer;
        if (s->ready && !is_wanted(s))
            drop(s);
    }
    return cache.n_bytes + n <= CACHE_BYTES;
}

static void fail_reads(struct object *o, const struct bp_err *err)
{
    while (o->reads) {
        struct asked *a = o->reads;

        o->reads = a->next;
        answer_failed(a, err);
    }
}

/* All of it where a part was asked for: its beginning is that part, if it is of the version that
 * is read. What was asked for at most has been kept of it. */
static bool is_beginning(const struct segment *s)
{
    const struct object *o = s->o;
    const struct net_request *r = &s->r;
    bool is_all = s->to == o->size,
         is_long = r->total_bytes >= 0 ? r->total_bytes == o->size : !is_all || !r->too_long;

    return s->from == 0 && is_long && (int64_t)r->out.len == s->to &&
           (o->etag[0] ? r->etag[0] != 0 : r->mtime_s == o->mtime_s);
}

static int judge_segment(const struct segment *s, struct bp_err *err)
{
    const struct object *o = s->o;
    const struct net_request *r = &s->r;

    if (r->err.code) {
        *err = r->err;
        return err->code;
    }
    if (r->status == 404 || r->status == 410)
        return bp_fail(err, BP_EDATA, "'%s' was removed while it was read", r->url);
    if (r->status == 416 || (r->status == 206 && r->total_bytes != o->size) ||
        (r->status == 206 && !o->etag[0] && r->mtime_s != o->mtime_s))
        return bp_fail(err, BP_EDATA, "'%s' was changed while it was read", r->url);
    if (r->status == 200 && is_beginning(s))
        return 0;
    if (r->status == 200 && s->from == 0)
        return bp_fail(err, BP_EDATA, "'%s' was changed while it was read", r->url);
    if (r->status == 200)
        return bp_fail(err, BP_EDATA, "'%s': the server gave all of it where a part was asked for",
                       r->url);
    if (r->status != 206)
        return net_fail(r, "read", err);
    if ((int64_t)r->out.len != s->to - s->from)
        return bp_fail(err, BP_EDATA, "'%s': the server gave %zu bytes where %lld were asked for",
                       r->url, r->out.len, (long long)(s->to - s->from));
    return 0;
}

static void try_reads(struct object *o);

static void segment_came(struct net_request *r)
{
    struct segment *s = r->arg;
    struct object *o = s->o;
    struct bp_err err = {0};

    if (judge_segment(s, &err) < 0) {
        bool wanted = is_wanted(s);

        drop(s);
        if (wanted)
            fail_reads(o, &err);
        return; /* what was read ahead may never be wanted */
    }
    s->ready = true;
    use(s);
    try_reads(o);
}

static int ask_segment(struct object *o, struct segment **at, int64_t from, int64_t to, bool urgent,
                       struct bp_err *err)
{
    struct segment *s = bp_mem_new(1, sizeof *s, err);

    if (!s)
        return err->code;
    s->o = o;
    s->from = from;
    s->to = to;
    s->r = (struct net_request){.method = "GET",
                                .url = o->first.url,
                                .address = o->address,
                                .is_s3 = o->is_s3,
                                .from = from,
                                .to = to,
                                .must_be = o->etag[0] ? o->etag : NULL,
                                .max_bytes = (size_t)(to - from),
                                .done = segment_came,
                                .arg = s};
    if (bp_buf_reserve(&s->r.out, (size_t)(to - from), err) < 0) {
        bp_mem_free(s);
        return err->code;
    }
    s->next = *at;
    *at = s;
    cache.n_bytes += to - from;
    link_newest(s);
    net_start(&s->r, urgent);
    return 0;
}

/* Asks for what is missing of [from, to). Ahead: only as far as there is room, and in segments
 * that end where all do, or a run that grows by little would be asked for by little. */
static int cover(struct object *o, int64_t from, int64_t to, bool urgent, struct bp_err *err)
{
    to = BP_MIN(to, o->size);
    if (o->is_whole && from < to) {
        from = 0;
        to = o->size;
    }
    while (from < to) {
        int64_t end = BP_MIN(to, from + SEGMENT_BYTES);
        struct segment **at;

        if (!urgent && !make_room(SEGMENT_BYTES))
            return 0;
        at = &o->segments;
        while (*at && (*at)->to <= from)
            at = &(*at)->next;
        if (*at && (*at)->from <= from) {
            from = (*at)->to;
            continue;
        }
        if (!urgent)
            end = BP_MIN(to, from - from % SEGMENT_BYTES + SEGMENT_BYTES);
        end = BP_MAX(end, BP_MIN(from + LEAST_BYTES, o->size));
        if (*at)
            end = BP_MIN(end, (*at)->from);
        BP_TRY(ask_segment(o, at, from, end, urgent, err));
        from = end;
    }
    return 0;
}

/* How much is to be had ahead of a read [from, to). */
static int64_t ahead_of(struct object *o, int64_t from, int64_t to)
{
    struct run *oldest = &o->runs[0];

    for (int i = 0; i < N_RUNS; i++) {
        struct run *r = &o->runs[i];

        if (r->n_bytes && from <= r->end + BP_MIN(r->n_bytes, NEAR_BYTES) &&
            from >= r->end - BP_MIN(r->n_bytes, NEAR_BYTES)) {
            r->n_bytes += BP_MAX(to - r->end, 0);
            r->end = BP_MAX(r->end, to);
            r->used = ++cache.clock;
            return BP_MIN(r->n_bytes, AHEAD_BYTES);
        }
        if (r->used < oldest->used)
            oldest = r;
    }
    *oldest = (struct run){to, to - from, ++cache.clock};
    return 0;
}

/* The read's bytes, if all are there. */
static bool is_covered(struct object *o, int64_t from, int64_t to)
{
    for (struct segment *s = o->segments; s && from < to; s = s->next)
        if (s->from <= from && s->to > from) {
            if (!s->ready)
                return false;
            from = s->to;
        }
    return from >= to;
}

static int copy_out(struct object *o, int64_t from, int64_t to, struct bp_buf *out,
                    struct bp_err *err)
{
    BP_TRY(bp_buf_reserve(out, (size_t)(to - from), err));
    for (struct segment *s = o->segments; s && from < to; s = s->next)
        if (s->from <= from && s->to > from) {
            int64_t n = BP_MIN(s->to, to) - from;

            BP_TRY(bp_buf_append(out, s->r.out.data + (from - s->from), (size_t)n, err));
            use(s);
            from += n;
        }
    return 0;
}

static void give(struct object *o, struct asked *a, int64_t to)
{
    struct bp_err err = {0};
    struct bp_buf out = {0};

    if (copy_out(o, a->head.a, to, &out, &err) < 0)
        answer_failed(a, &err);
    else
        answer(a, out.data, out.len, 0, 0);
    bp_buf_release(&out);
}

static void try_reads(struct object *o)
{
    for (struct asked **at = &o->reads; *at;) {
        struct asked *a = *at;
        int64_t to = BP_MIN(a->head.a + a->head.b, o->size);

        if (!is_covered(o, a->head.a, to)) {
            at = &a->next;
            continue;
        }
        *at = a->next;
        give(o, a, to);
    }
    make_room(0);
}

void segments_want(struct object *o, int64_t from, int64_t n)
{
    struct bp_err ignored = {0};

    (void)!cover(o, from, from + BP_MIN(n, AHEAD_BYTES), false, &ignored);
}

void segments_read(struct object *o, struct asked *a)
{
    struct bp_err err = {0};
    int64_t from = a->head.a, to = BP_MIN(from + a->head.b, o->size), ahead;

    if (from >= to) {
        answer(a, "", 0, 0, 0);
        return;
    }
    ahead = BP_MAX(ahead_of(o, from, to), BP_MIN(a->head.c, AHEAD_BYTES) - (to - from));
    a->next = o->reads;
    o->reads = a;
    if (ahead > SEGMENT_BYTES)
        ahead -= (to + ahead) % SEGMENT_BYTES;
    if (cover(o, from, to, true, &err) < 0 || cover(o, to, to + ahead, false, &err) < 0)
        fail_reads(o, &err);
    else
        try_reads(o);
}
