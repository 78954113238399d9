/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests. A net_request is one thing to be had: it is sent, sent again after what may
 * pass, and its done() is called once. Owned by its caller, which keeps it until then.
 */
#ifndef BP_REMOTE_NET_H
#define BP_REMOTE_NET_H

#include <curl/curl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define VERSION_BYTES 128

struct net_request;
typedef void (*net_done)(struct net_request *r);

struct net_request {
    /* ---- what is asked; set by the caller ---- */
    const char *method; /* GET PUT POST DELETE HEAD */
    char *url;          /* as named by the user: for messages */
    char *address;      /* what curl is to open */
    bool is_s3;
    int64_t from, to;    /* Range, bytes [from, to); to 0: none */
    const char *must_be; /* ETag of the version wanted; NULL: any */
    const uint8_t *body; /* PUT, POST */
    size_t n_body;
    const char *extra_header; /* one more; NULL */
    size_t max_bytes;         /* of the answer's body; more is given up as `whole_file` says */
    /* Called for each piece of a body without end instead of filling out; may say
     * CURL_WRITEFUNC_PAUSE. Then nothing is repeated once the first piece has come. */
    size_t (*take)(struct net_request *r, const uint8_t *p, size_t n);
    net_done done;
    void *arg;

    /* ---- what came ---- */
    struct bp_err err; /* code 0: an answer came, whatever its status */
    int status;
    struct bp_buf out;
    char etag[VERSION_BYTES];
    char mark[64];       /* x-amz-meta-bp-upload */
    int64_t total_bytes; /* of the object: Content-Range, or Content-Length of a 200; -1 */
    int64_t mtime_s;     /* Last-Modified; -1 */
    bool too_long;       /* more than max_bytes: given up */
    bool is_chunked;

    /* ---- private to net.c ---- */
    CURL *curl;
    struct curl_slist *headers;
    int attempt;
    int64_t retry_at_ms; /* 0: not waiting */
    int64_t had;         /* bytes that came before this attempt */
    int64_t range_from;  /* of this attempt, as answered */
    bool taken;          /* take() was called */
    bool urgent;
    struct net_request *next;
    char why[CURL_ERROR_SIZE];
};

int net_open(struct bp_err *err) BP_MUST;
/* urgent: before those that are only read ahead. */
void net_start(struct net_request *r, bool urgent);
/* Forget it: done() is not called. */
void net_cancel(struct net_request *r);
/* It paused: go on. */
void net_resume(struct net_request *r);
/* Frees what came; the request can be started anew. */
void net_clear(struct net_request *r);
/* Waits until something has happened on fds or the network, and calls done(). */
int net_wait(struct pollfd *fds, int n, struct bp_err *err) BP_MUST;
/* r, which has an answer, is no success: the message, with what the server says. */
int net_fail(const struct net_request *r, const char *what, struct bp_err *err);

#endif
