/* SPDX-License-Identifier: Apache-2.0 */
/* Between object.c, segment.c and stream.c. */
#ifndef BP_REMOTE_OBJECT_H
#define BP_REMOTE_OBJECT_H

#include "remote.h"

#define N_RUNS 16

struct segment {
    struct net_request r;
    struct object *o;
    int64_t from, to;
    bool ready;
    struct segment *next;          /* of o */
    struct segment *older, *newer; /* of all, by use */
};

struct run {
    int64_t end, n_bytes;
    uint64_t used;
};

struct object {
    char *url, *address;
    bool is_s3;
    char kind;     /* wire.h; 0: not known yet */
    bool is_whole; /* it came whole where a range was asked for: it is asked for whole again */
    int64_t size, mtime_s;
    char etag[VERSION_BYTES], version[17];
    struct asked *looks, *reads;
    struct segment *segments; /* by from; none overlap */
    struct run runs[N_RUNS];
    struct net_request first; /* the look; then the stream */
    struct bp_buf stream;     /* bytes from stream_at on */
    int64_t stream_at;
    bool streaming, stream_ended;
    uint64_t hash;
    struct object *next;        /* of the same bucket */
    struct object *next_stream; /* of those of kind 's' */
};

/* segment.c */
/* What the look brought is the first segment. */
int segment_keep_first(struct object *o, struct bp_err *err) BP_MUST;
void segments_free(struct object *o);
void segments_want(struct object *o, int64_t from, int64_t n);
void segments_read(struct object *o, struct asked *a);
/* stream.c. o has a read: give it its bytes if they are there. */
void stream_read(struct object *o);

#endif
