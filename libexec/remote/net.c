/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi interface. At most MAX_RUNNING requests are on their way; others wait
 * in line, urgent ones first. What may pass is tried again after 0.1 s, doubled each
 * time, with a random part so that tasks do not come in step.
 */
#include "net.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "base/num.h"
#include "key.h"

#define MAX_RUNNING 8
#define MAX_ATTEMPTS 8
#define FIRST_PAUSE_MS 100
#define MAX_PAUSE_MS 10000
#define CONNECT_S 10L
#define STALL_S 30L /* less than a byte a second for so long: broken */

static struct {
    CURLM *multi;
    struct net_request *queue, *running, *resting; /* resting until retry_at_ms */
    int n_running;
} net;

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int net_open(struct bp_err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return bp_fail(err, BP_ESYS, "libcurl cannot be started");
    net.multi = curl_multi_init();
    srand((unsigned)(now_ms() ^ (int64_t)(uintptr_t)&net));
    return net.multi ? 0 : bp_fail_oom(err, 1);
}

/* ---- lists ---- */

static void append(struct net_request **list, struct net_request *r)
{
    while (*list)
        list = &(*list)->next;
    r->next = NULL;
    *list = r;
}

static bool take_out(struct net_request **list, const struct net_request *r)
{
    for (; *list; list = &(*list)->next)
        if (*list == r) {
            *list = r->next;
            return true;
        }
    return false;
}

/* ---- an attempt ---- */

static int64_t got_bytes(const struct net_request *r)
{
    return (int64_t)r->out.len;
}

/* "bytes 5-9/10", or a star for the range or the total */
static void read_content_range(struct net_request *r, const char *p)
{
    const char *slash = strchr(p, '/');
    long long from;

    if (sscanf(p, "bytes %lld-", &from) == 1)
        r->range_from = from;
    if (slash && slash[1] >= '0' && slash[1] <= '9')
        r->total_bytes = strtoll(slash + 1, NULL, 10);
}

static void copy_value(char *out, size_t cap, const char *p, size_t n)
{
    while (n && (*p == ' ' || *p == '\t'))
        p++, n--;
    while (n && (p[n - 1] == '\r' || p[n - 1] == '\n' || p[n - 1] == ' '))
        n--;
    snprintf(out, cap, "%.*s", (int)n, p);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct net_request *r = arg;
    size_t len = size * n;
    char text[256];

    if (len > 5 && memcmp(p, "HTTP/", 5) == 0) { /* of this answer, not one before it */
        r->etag[0] = r->mark[0] = '\0';
        r->total_bytes = r->mtime_s = r->range_from = -1;
        r->is_chunked = len > 6 && p[5] == '2';
    } else if (len > 5 && strncasecmp(p, "etag:", 5) == 0) {
        copy_value(r->etag, sizeof r->etag, p + 5, len - 5);
    } else if (len > 14 && strncasecmp(p, "content-range:", 14) == 0) {
        copy_value(text, sizeof text, p + 14, len - 14);
        read_content_range(r, text);
    } else if (len > 14 && strncasecmp(p, "last-modified:", 14) == 0) {
        copy_value(text, sizeof text, p + 14, len - 14);
        r->mtime_s = curl_getdate(text, NULL);
    } else if (len > 18 && strncasecmp(p, "transfer-encoding:", 18) == 0) {
        r->is_chunked = true;
    } else if (len > 21 && strncasecmp(p, "x-amz-meta-bp-upload:", 21) == 0) {
        copy_value(r->mark, sizeof r->mark, p + 21, len - 21);
    }
    return len;
}

static void read_status(struct net_request *r)
{
    curl_off_t n = -1;
    long status = 0;

    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    r->status = (int)status;
    if (status == 200 && r->total_bytes < 0) {
        curl_easy_getinfo(r->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
        r->total_bytes = (int64_t)n;
    }
}

/* Is the body of this answer that of the object, rather than the reason of a refusal? */
static bool is_object(const struct net_request *r)
{
    return r->status == 200 || r->status == 206;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct net_request *r = arg;
    size_t len = size * n;
    struct bp_err ignored = {0};

    if (!r->status) {
        read_status(r);
        if (r->status != 206) /* no continuation of what came before */
            r->out.len = 0;
    }
    if (r->take && is_object(r)) {
        size_t took = r->take(r, (const uint8_t *)p, len);

        r->taken |= took == len;
        return took;
    }
    if (r->out.len + len > r->max_bytes + (is_object(r) ? 0 : 65536)) {
        r->too_long = true;
        return 0; /* curl gives up */
    }
    return bp_buf_append(&r->out, p, len, &ignored) < 0 ? 0 : len;
}

static void add_header(struct net_request *r, const char *text)
{
    struct curl_slist *grown = curl_slist_append(r->headers, text);

    if (grown)
        r->headers = grown;
}

/* A repeated GET of a range goes on behind what has come. */
static void ask(struct net_request *r)
{
    CURL *c = r->curl;
    char text[VERSION_BYTES + 64];

    curl_easy_setopt(c, CURLOPT_URL, r->address);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    if (strcmp(r->method, "HEAD") == 0)
        curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    if (r->body || strcmp(r->method, "PUT") == 0 || strcmp(r->method, "POST") == 0) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body ? (const char *)r->body : "");
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->n_body);
        add_header(r, "Content-Type: application/octet-stream");
        add_header(r, "Expect:");
    }
    if (r->to > 0) {
        snprintf(text, sizeof text, "%lld-%lld", (long long)(r->from + got_bytes(r)),
                 (long long)r->to - 1);
        curl_easy_setopt(c, CURLOPT_RANGE, text);
    }
    /* a weak tag never matches; every answer's tag is compared in any case */
    if (r->must_be && strncmp(r->must_be, "W/", 2) != 0) {
        snprintf(text, sizeof text, "If-Match: %s", r->must_be);
        add_header(r, text);
    }
    if (r->extra_header)
        add_header(r, r->extra_header);
    if (r->is_s3)
        r->headers = key_sign(c, r->headers);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->headers);
}

static void common_options(struct net_request *r)
{
    CURL *c = r->curl;
    const char *authorities = getenv("AWS_CA_BUNDLE");

    authorities = authorities && *authorities ? authorities : getenv("CURL_CA_BUNDLE");
    if (authorities && *authorities)
        curl_easy_setopt(c, CURLOPT_CAINFO, authorities);

    curl_easy_setopt(c, CURLOPT_PRIVATE, r);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, r->why);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, r->is_s3 ? 0L : 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 8L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "batchpipe/" BP_VERSION);
    curl_easy_setopt(c, CURLOPT_NETRC, (long)(r->is_s3 ? CURL_NETRC_IGNORED : CURL_NETRC_OPTIONAL));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_S); /* pauses do not count */
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
}

static void end_attempt(struct net_request *r)
{
    if (r->curl) {
        curl_multi_remove_handle(net.multi, r->curl);
        curl_easy_cleanup(r->curl);
    }
    curl_slist_free_all(r->headers);
    r->curl = NULL;
    r->headers = NULL;
}

static void finish(struct net_request *r, CURLcode code);

static void run(struct net_request *r)
{
    r->curl = curl_easy_init();
    r->status = 0;
    r->too_long = false;
    r->total_bytes = r->mtime_s = r->range_from = -1;
    r->etag[0] = '\0';
    r->why[0] = '\0';
    append(&net.running, r);
    net.n_running++;
    r->had = got_bytes(r);
    if (r->curl) {
        common_options(r);
        ask(r);
        curl_multi_add_handle(net.multi, r->curl);
    } else {
        finish(r, CURLE_OUT_OF_MEMORY);
    }
}

static void run_waiting(void)
{
    while (net.queue && net.n_running < MAX_RUNNING) {
        struct net_request *r = net.queue;

        for (struct net_request *q = r; q; q = q->next)
            if (q->urgent) {
                r = q;
                break;
            }
        take_out(&net.queue, r);
        run(r);
    }
}

void net_start(struct net_request *r, bool urgent)
{
    r->attempt = 0;
    r->urgent = urgent;
    r->taken = false;
    append(&net.queue, r);
    run_waiting();
}

void net_cancel(struct net_request *r)
{
    if (take_out(&net.running, r))
        net.n_running--;
    (void)take_out(&net.queue, r);
    (void)take_out(&net.resting, r);
    end_attempt(r);
}

void net_resume(struct net_request *r)
{
    if (r->curl)
        curl_easy_pause(r->curl, CURLPAUSE_CONT);
}

void net_clear(struct net_request *r)
{
    bp_buf_release(&r->out);
    bp_err_clear(&r->err);
}

/* ---- the end of an attempt ---- */

/* BP_REMOTE_ATTEMPTS: how often a request is sent before it has failed. */
static int max_attempts(void)
{
    const char *text = getenv("BP_REMOTE_ATTEMPTS");
    int n = text ? atoi(text) : 0;

    return n > 0 ? n : MAX_ATTEMPTS;
}

static bool may_pass(const struct net_request *r, CURLcode code)
{
    if (code == CURLE_OK)
        return r->status == 408 || r->status == 429 || r->status == 500 || r->status == 502 ||
               r->status == 503 || r->status == 504;
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_WEIRD_SERVER_REPLY: return true;
    default: return false;
    }
}

static const char *reason(const struct net_request *r, CURLcode code)
{
    return r->why[0] ? r->why : curl_easy_strerror(code);
}

/* Keeps what has come of a range of a known version; anything else begins anew: another attempt
 * may meet another version. */
static void rest(struct net_request *r)
{
    int64_t pause =
        BP_MIN((int64_t)FIRST_PAUSE_MS << BP_MIN(r->attempt, 20), (int64_t)MAX_PAUSE_MS);

    if (!(r->to > 0 && r->status == 206 && r->must_be))
        r->out.len = 0;
    r->attempt++;
    r->retry_at_ms = now_ms() + pause / 2 + rand() % (pause / 2 + 1);
    append(&net.resting, r);
}

/* Each piece is to be of the same version, and to follow the one before. True: r->err
 * says that it is not. An answer that broke in its headers has not said where it begins. */
static bool is_wrong(struct net_request *r, CURLcode code)
{
    bool is_cut = code != CURLE_OK && r->range_from < 0;

    if (r->status == 412 ||
        (r->must_be && r->etag[0] && is_object(r) && strcmp(r->etag, r->must_be) != 0))
        bp_fail(&r->err, BP_EDATA, "'%s' was changed while it was read", r->url);
    else if (r->status == 206 && r->to > 0 && !is_cut && r->range_from != r->from + r->had)
        bp_fail(&r->err, BP_EDATA, "'%s': the server gave bytes from %lld on, not from %lld",
                r->url, (long long)r->range_from, (long long)(r->from + r->had));
    return r->err.code != 0;
}

static void finish(struct net_request *r, CURLcode code)
{
    int attempts = BP_MIN(max_attempts(), code == CURLE_COULDNT_RESOLVE_HOST ? 3 : INT_MAX);

    take_out(&net.running, r);
    net.n_running--;
    if (r->curl && !r->status)
        read_status(r);
    end_attempt(r);
    if (r->too_long)
        code = CURLE_OK;
    if (!is_wrong(r, code) && may_pass(r, code) && !r->taken) {
        if (r->attempt + 1 < attempts) {
            rest(r);
            run_waiting();
            return;
        }
        if (code != CURLE_OK)
            bp_fail(&r->err, BP_ESYS, "cannot reach '%s': %s (%d attempts)", r->url,
                    reason(r, code), attempts);
    } else if (code != CURLE_OK && !r->err.code) {
        bp_fail(&r->err, BP_ESYS, "cannot reach '%s': %s", r->url, reason(r, code));
    }
    r->done(r);
    run_waiting();
}

static void run_rested(void)
{
    int64_t now = now_ms();

    for (struct net_request **at = &net.resting; *at;) {
        struct net_request *r = *at;

        if (r->retry_at_ms > now) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        append(&net.queue, r);
    }
    run_waiting();
}

static int time_to_rest(void)
{
    int64_t least = 1000, now = now_ms();

    for (const struct net_request *r = net.resting; r; r = r->next)
        least = BP_MIN(least, BP_MAX(r->retry_at_ms - now, 0));
    return (int)least;
}

/* Requests that have ended. False: none had. */
static bool take_ended(void)
{
    bool any = false;
    int left;
    CURLMsg *m;

    while ((m = curl_multi_info_read(net.multi, &left))) {
        struct net_request *r;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        finish(r, code);
        any = true;
    }
    return any;
}

/* A near server may have answered all of it before there is anything to wait for; curl, which
 * then waits on no connection, would sleep for the whole time. */
int net_wait(struct pollfd *fds, int n, struct bp_err *err)
{
    struct curl_waitfd extra[4];
    int running;

    for (int i = 0; i < n; i++)
        extra[i] = (struct curl_waitfd){
            .fd = fds[i].fd,
            .events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
                              (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0))};
    run_rested();
    if (curl_multi_perform(net.multi, &running) ||
        curl_multi_poll(net.multi, extra, (unsigned)n, take_ended() ? 0 : time_to_rest(), NULL) ||
        curl_multi_perform(net.multi, &running))
        return bp_fail(err, BP_ESYS, "libcurl cannot wait for the network");
    (void)poll(fds, (nfds_t)n, 0); /* curl tells of input and output only, not of an end */
    (void)take_ended();
    return 0;
}

/* What is between <tag> and </tag>, up to 300 bytes of it. */
static void between(const struct bp_buf *b, const char *tag, char *out, size_t cap)
{
    char open[32];
    const uint8_t *p, *q;

    snprintf(open, sizeof open, "<%s>", tag);
    p = b->len ? memmem(b->data, b->len, open, strlen(open)) : NULL;
    out[0] = '\0';
    if (!p)
        return;
    p += strlen(open);
    q = memchr(p, '<', b->len - (size_t)(p - b->data));
    snprintf(out, cap, "%.*s", q ? (int)BP_MIN(q - p, 300) : 0, (const char *)p);
}

int net_fail(const struct net_request *r, const char *what, struct bp_err *err)
{
    char code[320], text[320];

    between(&r->out, "Code", code, sizeof code);
    between(&r->out, "Message", text, sizeof text);
    if (r->is_s3 && code[0])
        return bp_fail(err, BP_EDATA, "cannot %s '%s': %s (%s, HTTP status %d)%s", what, r->url,
                       text, code, r->status,
                       r->status == 403 && !key_is_known()
                           ? "; no access key was found in the environment or ~/.aws/credentials"
                           : "");
    return bp_fail(err, BP_EDATA, "cannot %s '%s': HTTP status %d", what, r->url, r->status);
}
