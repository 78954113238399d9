/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a URL stands for. The first look asks for its first bytes: the answer tells whether
 * it is there, how long it is, which version, and whether it can be read at any place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "object.h"
#include "s3.h"

#define FIRST_BYTES ((int64_t)64 << 10)
#define LOOKS_AHEAD 16
#define FIRST_BUCKETS 256

/* Jobs read many thousands of them: a table by the hash of the URL, chained. */
static struct {
    struct object **buckets;
    size_t n_buckets, n; /* a power of two; 0: none yet */
    struct object *streams;
} objects;

static struct {
    char **urls; /* of the newest listing, sorted */
    size_t n;
} expected;

/* ---- objects ---- */

static struct object **bucket(uint64_t hash)
{
    return &objects.buckets[hash & (objects.n_buckets - 1)];
}

static struct object *find(const char *url)
{
    uint64_t hash = bp_xxh3(url, strlen(url));
    struct object *o = objects.n_buckets ? *bucket(hash) : NULL;

    while (o && (o->hash != hash || strcmp(o->url, url) != 0))
        o = o->next;
    return o;
}

/* Room for one more. */
static int grow(struct bp_err *err)
{
    size_t n_old = objects.n_buckets, n = n_old ? n_old * 2 : FIRST_BUCKETS;
    struct object **old = objects.buckets, **new;

    if (objects.n < n_old)
        return 0;
    new = bp_mem_new(n, sizeof(struct object *), err);
    if (!new)
        return err->code;
    objects.buckets = new;
    objects.n_buckets = n;
    for (size_t i = 0; i < n_old; i++)
        for (struct object *o = old[i], *next; o; o = next) {
            next = o->next;
            o->next = *bucket(o->hash);
            *bucket(o->hash) = o;
        }
    bp_mem_free(old);
    return 0;
}

static void add(struct object *o)
{
    o->hash = bp_xxh3(o->url, strlen(o->url));
    o->next = *bucket(o->hash);
    *bucket(o->hash) = o;
    objects.n++;
}

static void take_out(const struct object *o)
{
    struct object **at = bucket(o->hash);

    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    objects.n--;
    for (at = &objects.streams; *at; at = &(*at)->next_stream)
        if (*at == o) {
            *at = o->next_stream;
            break;
        }
}

static int check_url(const char *url, struct bp_err *err)
{
    const char *host = strstr(url, "://") + 3, *at = strchr(host, '@');

    if (!s3_is(url) && at && at < host + strcspn(host, "/?#"))
        return bp_fail(err, BP_EUSAGE,
                       "a URL is no place for a password: it would be seen by all; put it into "
                       "~/.netrc");
    return 0;
}

/* For messages, without a query: it may hold a signature. */
static char *shown(const char *url, struct bp_err *err)
{
    struct bp_buf b = {0};
    size_t n = s3_is(url) ? strlen(url) : strcspn(url, "?");

    if (bp_buf_append(&b, url, n, err) < 0 || (url[n] && bp_buf_puts(&b, "?...", err) < 0) ||
        !bp_buf_str(&b, err))
        bp_buf_release(&b);
    return (char *)b.data;
}

static struct object *object_new(const char *url, struct bp_err *err)
{
    struct object *o;

    if (check_url(url, err) < 0 || grow(err) < 0)
        return NULL;
    o = bp_mem_new(1, sizeof *o, err);
    if (!o)
        return NULL;
    o->is_s3 = s3_is(url);
    o->url = bp_mem_str(url, err);
    o->address = o->is_s3 ? s3_address(url, false, NULL, err) : bp_mem_str(url, err);
    o->first.url = shown(url, err);
    if (err->code) {
        bp_mem_free(o->first.url);
        bp_mem_free(o->url);
        bp_mem_free(o->address);
        bp_mem_free(o);
        return NULL;
    }
    add(o);
    return o;
}

static bool is_idle(const struct object *o)
{
    return !o->looks && !o->reads && !o->streaming;
}

/* Only one that is idle, or whose look failed. */
static void forget(struct object *o)
{
    take_out(o);
    net_cancel(&o->first);
    segments_free(o);
    net_clear(&o->first);
    bp_buf_release(&o->stream);
    bp_mem_free(o->first.url);
    bp_mem_free(o->url);
    bp_mem_free(o->address);
    bp_mem_free(o);
}

/* ---- the look ---- */

static void answer_look(const struct object *o, struct asked *a)
{
    char payload[1 + sizeof o->version];
    int n = snprintf(payload, sizeof payload, "%c%s", o->kind, o->version);

    answer(a, payload, (size_t)n, o->size, o->mtime_s < 0 ? -1 : o->mtime_s * 1000000000);
}

static void answer_looks(struct object *o, const struct bp_err *err)
{
    while (o->looks) {
        struct asked *a = o->looks;

        o->looks = a->next;
        if (err)
            answer_failed(a, err);
        else
            answer_look(o, a);
    }
    if (err || o->kind == 'n' || o->kind == 'd')
        forget(o); /* may be another time */
}

static void set_version(struct object *o)
{
    char text[VERSION_BYTES + 64];
    const struct net_request *r = &o->first;

    memcpy(o->etag, r->etag, sizeof o->etag);
    o->mtime_s = r->mtime_s;
    if (r->etag[0])
        snprintf(text, sizeof text, "%s", r->etag);
    else
        snprintf(text, sizeof text, "%lld %lld", (long long)r->mtime_s, (long long)o->size);
    snprintf(o->version, sizeof o->version, "%016llx",
             (unsigned long long)bp_xxh3(text, strlen(text)));
}

static int stream_only(struct object *o, struct bp_err *err)
{
    if (o->first.total_bytes < 0 && !o->first.is_chunked)
        return bp_fail(err, BP_EDATA,
                       "'%s': the server does not say where it ends: an end could not be told from "
                       "a broken connection",
                       o->first.url);
    o->kind = 's';
    o->next_stream = objects.streams;
    objects.streams = o;
    o->size = o->first.total_bytes;
    set_version(o);
    return 0;
}

static void no_object(struct asked *a, char kind, const struct bp_err *err)
{
    struct object *o = find(a->url);

    if (err) {
        answer_looks(o, err);
        return;
    }
    o->kind = kind;
    o->size = -1;
    o->mtime_s = -1;
    answer_looks(o, NULL);
}

/* Is it the name of a directory? The first of those who look stands for all. */
static void look_below(struct object *o)
{
    list_look(o->looks, no_object);
}

static int judge_first(struct object *o, struct bp_err *err)
{
    struct net_request *r = &o->first;

    if (r->err.code) {
        *err = r->err;
        return err->code;
    }
    if (r->status == 416 || (r->status == 200 && r->total_bytes == 0)) {
        o->kind = 'f';
        r->out.len = 0;
        set_version(o);
        return 0;
    }
    if (r->status == 200 && r->too_long)
        return stream_only(o, err);
    if (r->status == 200 && r->total_bytes < 0 && !r->is_chunked)
        return stream_only(o, err);
    if (r->status == 206 && r->total_bytes < 0)
        return bp_fail(err, BP_EDATA, "'%s': the server does not say how long it is", r->url);
    if (r->status != 200 && r->status != 206)
        return net_fail(r, "read", err);
    o->kind = 'f';
    o->size = r->status == 206 ? r->total_bytes : (int64_t)r->out.len;
    o->is_whole = r->status == 200;
    set_version(o);
    return segment_keep_first(o, err);
}

static void first_came(struct net_request *r)
{
    struct object *o = r->arg;
    struct bp_err err = {0};

    if (!r->err.code && (r->status == 404 || r->status == 410)) {
        if (!o->looks)
            forget(o); /* a look ahead */
        else if (o->is_s3)
            look_below(o);
        else
            no_object(o->looks, 'n', NULL);
        return;
    }
    if (judge_first(o, &err) < 0)
        answer_looks(o, &err);
    else
        answer_looks(o, NULL);
}

static void start_look(struct object *o, bool urgent)
{
    o->first.method = "GET";
    o->first.address = o->address;
    o->first.is_s3 = o->is_s3;
    o->first.to = FIRST_BYTES;
    o->first.max_bytes = (size_t)FIRST_BYTES;
    o->first.done = first_came;
    o->first.arg = o;
    net_start(&o->first, urgent);
}

/* ---- looks ahead: who looks at one of a listing will look at those behind it ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void forget_expected(void)
{
    for (size_t i = 0; i < expected.n; i++)
        bp_mem_free(expected.urls[i]);
    bp_mem_free(expected.urls);
    expected.urls = NULL;
    expected.n = 0;
}

void objects_expect(const char *prefix, const struct bp_buf *names)
{
    struct bp_err err = {0};
    size_t n = 0;

    forget_expected();
    for (size_t i = 0; i < names->len; i++)
        n += !names->data[i];
    expected.urls = n > 1 ? bp_mem_new(n, sizeof *expected.urls, &err) : NULL;
    for (size_t at = 0; expected.urls && at < names->len;) {
        const char *name = (const char *)names->data + at;
        size_t len = strlen(name);
        struct bp_buf url = {0};

        at += len + 1;
        if (len && name[len - 1] == '/')
            continue;
        if (bp_buf_printf(&url, &err, "%s%s", prefix, name) < 0 || !bp_buf_str(&url, &err)) {
            bp_buf_release(&url);
            break;
        }
        expected.urls[expected.n++] = (char *)url.data;
    }
    if (expected.n)
        qsort(expected.urls, expected.n, sizeof *expected.urls, by_bytes);
}

static void look_ahead(const char *url)
{
    struct bp_err ignored = {0};
    char **at = expected.n ? bsearch(&url, expected.urls, expected.n, sizeof url, by_bytes) : NULL;
    size_t i = at ? (size_t)(at - expected.urls) + 1 : 0;

    for (size_t end = i + LOOKS_AHEAD; at && i < end && i < expected.n; i++) {
        struct object *o = find(expected.urls[i]) ? NULL : object_new(expected.urls[i], &ignored);

        if (o)
            start_look(o, false);
    }
}

void object_look(struct asked *a)
{
    struct object *o = find(a->url);
    struct bp_err err = {0};
    size_t n = strlen(a->url);
    bool asked;

    if (a->head.a && o && is_idle(o)) {
        forget(o);
        o = NULL;
    }
    asked = o != NULL;
    look_ahead(a->url);
    if (o && o->kind) {
        answer_look(o, a);
        return;
    }
    o = o ? o : object_new(a->url, &err);
    if (!o) {
        answer_failed(a, &err);
        return;
    }
    a->next = o->looks;
    o->looks = a;
    if (asked)
        return;
    if (o->is_s3 && (!s3_key(o->url)[0] || o->url[n - 1] == '/'))
        look_below(o);
    else
        start_look(o, true);
}

void objects_go_on(void)
{
    for (struct object *o = objects.streams; o; o = o->next_stream)
        if (o->reads)
            stream_read(o);
}

/* ---- requests ---- */

void object_read(struct asked *a)
{
    struct object *o = find(a->url);
    struct bp_err err = {0};

    if (!o || !o->kind || a->head.a < 0 || a->head.b < 0 || a->head.b > BP_WIRE_READ_BYTES) {
        bp_fail(&err, BP_EDATA, "a read of what was not looked at");
        answer_failed(a, &err);
    } else if (o->kind == 'f') {
        segments_read(o, a);
    } else {
        a->next = o->reads; /* answered by objects_go_on() */
        o->reads = a;
    }
}

void object_want(struct asked *a)
{
    struct object *o = find(a->url);

    if (o && o->kind == 'f' && a->head.a >= 0 && a->head.b > 0)
        segments_want(o, a->head.a, a->head.b);
    free_asked(a);
}

struct removal {
    struct net_request r;
    struct asked *a;
};

static void removed(struct net_request *r)
{
    struct removal *m = r->arg;
    struct bp_err err = r->err;
    struct object *o = find(r->url);

    if (!err.code && r->status != 404 && r->status / 100 != 2)
        (void)net_fail(r, "remove", &err);
    if (o && is_idle(o))
        forget(o);
    bp_mem_free(r->address);
    net_clear(r);
    if (err.code)
        answer_failed(m->a, &err);
    else
        answer(m->a, "", 0, 0, 0);
    bp_mem_free(m);
}

void object_remove(struct asked *a)
{
    struct bp_err err = {0};
    struct removal *m = bp_mem_new(1, sizeof *m, &err);
    char *address = m && s3_is(a->url) ? s3_address(a->url, false, NULL, &err) : NULL;

    if (!address) {
        bp_mem_free(m);
        bp_fail(&err, BP_EUSAGE, "'%s' cannot be removed: it is no object of S3", a->url);
        answer_failed(a, &err);
        return;
    }
    m->a = a;
    m->r = (struct net_request){.method = "DELETE",
                                .url = a->url,
                                .address = address,
                                .is_s3 = true,
                                .max_bytes = 65536,
                                .done = removed,
                                .arg = m};
    net_start(&m->r, true);
}
