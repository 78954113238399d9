/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that gives no ranges is read as a stream, once, from its start to its end.
 */
#include <string.h>

#include "base/num.h"
#include "object.h"

#define STREAM_BYTES ((size_t)8 << 20)

static size_t stream_take(struct net_request *r, const uint8_t *p, size_t n)
{
    struct object *o = r->arg;
    struct bp_err ignored = {0};

    if (o->stream.len + n > STREAM_BYTES)
        return CURL_WRITEFUNC_PAUSE;
    return bp_buf_append(&o->stream, p, n, &ignored) < 0 ? 0 : n;
}

static void stream_came(struct net_request *r)
{
    struct object *o = r->arg;

    o->stream_ended = true;
    if (!r->err.code && r->status != 200)
        (void)net_fail(r, "read", &r->err);
}

static void start_stream(struct object *o)
{
    o->streaming = true;
    net_clear(&o->first);
    o->first.to = 0;
    o->first.max_bytes = 65536;
    o->first.must_be = o->etag[0] ? o->etag : NULL;
    o->first.take = stream_take;
    o->first.done = stream_came;
    net_start(&o->first, true);
}

/* Streams that have enough, or have ended. */
void stream_read(struct object *o)
{
    struct asked *a = o->reads;
    size_t n = (size_t)a->head.b;
    struct bp_err err = {0};

    if (!o->streaming)
        start_stream(o);
    if (a->head.a != o->stream_at)
        bp_fail(&err, BP_EDATA,
                "'%s' can be read only once, from its start: the server knows no ranges",
                o->first.url);
    else if (o->stream.len < n && !o->stream_ended)
        return;
    else if (o->stream.len < n && o->first.err.code)
        err = o->first.err;
    o->reads = a->next;
    if (err.code) {
        answer_failed(a, &err);
        return;
    }
    n = BP_MIN(n, o->stream.len);
    answer(a, o->stream.data, n, 0, 0);
    o->stream.len -= n;
    o->stream_at += (int64_t)n;
    if (o->stream.len)
        memmove(o->stream.data, o->stream.data + n, o->stream.len);
    if (!o->stream_ended)
        net_resume(&o->first);
}
