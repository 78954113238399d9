/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One object from the bytes on stdin. Up to LEAST_PART_BYTES are one PUT; more are the parts of a
 * multipart upload (part_size.h), several on their way at once. Nothing is to be seen of either
 * until the last request, which is sent when the command has said that the bytes are whole.
 *
 * A completion whose answer was lost may have been done: then the upload is not there any
 * more, and the object says by a random mark of ours whether it is the one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "part_size.h"
#include "remote.h"
#include "s3.h"

#define ETAGS_STEP 1000
#define COMPLETE_ATTEMPTS 5
#define GIVE_UP_S 15
#define ABORTS 5

struct upload;

struct part {
    struct net_request r;
    struct upload *upload;
    int number;
    struct bp_buf body;
    struct part *next;
};

struct upload {
    const char *url;
    struct bp_buf next;           /* bytes of the next part */
    bool at_end, confirmed, gone; /* stdin; 'c' came; the command has ended */
    struct net_request one;       /* create, complete, put, head, abort: one at a time */
    bool one_runs;
    char *id; /* of the multipart upload; NULL: none yet */
    char **etags;
    struct part *parts; /* on their way */
    int n_parts, n_running;
    size_t bytes_running;
    char mark[80];
    int n_complete;
    bool multipart, complete_sent, done, is_aborted;
    struct bp_err err;
};

static void failed(struct upload *u, const struct bp_err *err)
{
    if (!u->err.code)
        u->err = *err;
}

/* Sends the one request; body stays the caller's until it has ended. */
static void send_one(struct upload *u, const char *method, const char *query, const void *body,
                     size_t n, bool marked, net_done done)
{
    net_clear(&u->one);
    bp_mem_free(u->one.address);
    u->one = (struct net_request){.method = method,
                                  .url = (char *)(uintptr_t)u->url,
                                  .is_s3 = true,
                                  .body = body,
                                  .n_body = n,
                                  .extra_header = marked ? u->mark : NULL,
                                  .max_bytes = (size_t)1 << 20,
                                  .done = done,
                                  .arg = u};
    u->one.address = s3_address(u->url, false, query, &u->err);
    if (!u->one.address)
        return;
    u->one_runs = true;
    net_start(&u->one, true);
}

static bool has_text(const struct bp_buf *b, const char *text)
{
    return b->len && memmem(b->data, b->len, text, strlen(text));
}

/* ---- the single PUT ---- */

static void put_done(struct net_request *r)
{
    struct upload *u = r->arg;
    struct bp_err err = r->err;

    u->one_runs = false;
    if (!err.code && r->status != 200)
        (void)net_fail(r, "write", &err);
    if (err.code)
        failed(u, &err);
    u->done = true;
}

/* ---- parts ---- */

static void created(struct net_request *r)
{
    struct upload *u = r->arg;
    struct bp_err err = r->err;
    const char *p, *q = NULL;
    struct bp_buf id = {0};

    u->one_runs = false;
    if (!err.code && r->status != 200)
        (void)net_fail(r, "write", &err);
    if (!err.code && bp_buf_str(&r->out, &err)) {
        p = strstr((const char *)r->out.data, "<UploadId>");
        q = p ? strchr(p + 10, '<') : NULL;
        if (!q)
            bp_fail(&err, BP_EDATA, "cannot write '%s': the server gave no upload id", u->url);
        else if (bp_buf_append(&id, p + 10, (size_t)(q - p - 10), &err) == 0)
            u->id = (char *)(uintptr_t)bp_buf_str(&id, &err);
    }
    if (err.code)
        failed(u, &err);
}

static void part_free(struct part *p)
{
    struct part **at = &p->upload->parts;

    while (*at && *at != p)
        at = &(*at)->next;
    if (*at)
        *at = p->next;
    net_clear(&p->r);
    bp_mem_free(p->r.address);
    bp_buf_release(&p->body);
    bp_mem_free(p);
}

static void part_done(struct net_request *r)
{
    struct part *p = r->arg;
    struct upload *u = p->upload;
    struct bp_err err = r->err;

    u->n_running--;
    u->bytes_running -= p->body.len;
    if (!err.code && (r->status != 200 || !r->etag[0]))
        (void)net_fail(r, "write", &err);
    if (!err.code && !(u->etags[p->number - 1] = bp_mem_str(r->etag, &err)))
        failed(u, &err);
    if (err.code)
        failed(u, &err);
    part_free(p);
}

static int query_of(const struct upload *u, int number, struct bp_buf *q, struct bp_err *err)
{
    if (number)
        BP_TRY(bp_buf_printf(q, err, "partNumber=%d&", number));
    BP_TRY(bp_buf_puts(q, "uploadId=", err));
    BP_TRY(s3_escape(q, u->id, false, err));
    return bp_buf_str(q, err) ? 0 : err->code;
}

static int start_part(struct upload *u, struct bp_err *err)
{
    struct part *p = bp_mem_new(1, sizeof *p, err);
    struct bp_buf query = {0};
    char **grown;

    if (!p)
        return err->code;
    p->upload = u;
    if (u->n_parts == MAX_PARTS) {
        part_free(p);
        return bp_fail(err, BP_EDATA,
                       "cannot write '%s': an object of more than 1367 GiB is not written: make it "
                       "several, by tasks (-T) or by value",
                       u->url);
    }
    if (u->n_parts % ETAGS_STEP == 0) {
        grown = bp_mem_grow(u->etags, (size_t)u->n_parts + ETAGS_STEP, sizeof *grown, err);
        if (!grown) {
            part_free(p);
            return err->code;
        }
        u->etags = grown;
        memset(u->etags + u->n_parts, 0, ETAGS_STEP * sizeof *grown);
    }
    p->number = u->n_parts + 1;
    p->body = u->next;
    u->next = (struct bp_buf){0};
    p->r = (struct net_request){.method = "PUT",
                                .is_s3 = true,
                                .body = p->body.data,
                                .n_body = p->body.len,
                                .max_bytes = 65536,
                                .done = part_done,
                                .arg = p};
    if (query_of(u, p->number, &query, err) == 0)
        p->r.address = s3_address(u->url, false, (const char *)query.data, err);
    bp_buf_release(&query);
    if (!p->r.address) {
        part_free(p);
        return err->code;
    }
    p->next = u->parts;
    u->parts = p;
    p->r.url = (char *)(uintptr_t)u->url;
    u->n_parts++;
    u->n_running++;
    u->bytes_running += p->body.len;
    net_start(&p->r, true);
    return 0;
}

/* ---- the completion ---- */

static void head_done(struct net_request *r)
{
    struct upload *u = r->arg;
    struct bp_err err = {0};

    u->one_runs = false;
    u->done = true;
    if (r->err.code || r->status != 200 || strcmp(r->mark, strchr(u->mark, ' ') + 1) != 0) {
        bp_fail(&err, BP_EDATA,
                "cannot write '%s': the answer to its completion was lost, and the object is not "
                "there",
                u->url);
        failed(u, &err);
    }
}

static void complete(struct upload *u);

static void completed(struct net_request *r)
{
    struct upload *u = r->arg;
    struct bp_err err = r->err;

    u->one_runs = false;
    if (!err.code && r->status == 404 && r->attempt + u->n_complete > 1) {
        send_one(u, "HEAD", NULL, NULL, 0, false, head_done);
        return;
    }
    /* 200 was said before it was known how it goes */
    if (!err.code && r->status == 200 && has_text(&r->out, "<Error>") &&
        u->n_complete < COMPLETE_ATTEMPTS) {
        complete(u);
        return;
    }
    if (!err.code && (r->status != 200 || has_text(&r->out, "<Error>")))
        (void)net_fail(r, "write", &err);
    if (err.code)
        failed(u, &err);
    u->done = true;
}

static void complete(struct upload *u)
{
    struct bp_buf query = {0};
    struct bp_err err = {0};
    int rc;

    u->n_complete++;
    if (!u->next.len) {
        BP_GO(bp_buf_puts(&u->next, "<CompleteMultipartUpload>", &err));
        for (int i = 0; i < u->n_parts; i++)
            BP_GO(bp_buf_printf(&u->next, &err,
                                "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i + 1,
                                u->etags[i]));
        BP_GO(bp_buf_puts(&u->next, "</CompleteMultipartUpload>", &err));
    }
    BP_GO(query_of(u, 0, &query, &err));
    u->complete_sent = true;
    send_one(u, "POST", (const char *)query.data, u->next.data, u->next.len, false, completed);
out:
    if (rc < 0)
        failed(u, &err);
    bp_buf_release(&query);
}

/* ---- the loop ---- */

static void read_control(struct upload *u)
{
    char c;
    ssize_t n = recv(BP_WIRE_FD, &c, 1, MSG_DONTWAIT);

    if (n == 1 && c == 'c')
        u->confirmed = true;
    else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        u->gone = true;
}

static void read_bytes(struct upload *u)
{
    size_t room = part_size(u->n_parts) - u->next.len;
    struct bp_err err = {0};
    ssize_t n;

    /* small objects are many: room is doubled up to a part's */
    room = BP_MIN(room, BP_MAX(u->next.len, (size_t)1 << 16));
    if (bp_buf_reserve(&u->next, room, &err) < 0) {
        failed(u, &err);
        return;
    }
    n = read(0, u->next.data + u->next.len, room);
    if (n < 0 && errno != EINTR) {
        bp_fail_errno(&err, errno, "cannot read what is to be written to '%s'", u->url);
        failed(u, &err);
    }
    u->next.len += n > 0 ? (size_t)n : 0;
    u->at_end = n == 0;
}

static void go_on(struct upload *u)
{
    bool full = u->next.len == part_size(u->n_parts), ends = u->at_end && u->confirmed;
    struct bp_err err = {0};

    if (u->one_runs || u->complete_sent)
        return;
    if (ends && !u->multipart) {
        send_one(u, "PUT", NULL, u->next.data, u->next.len, true, put_done);
    } else if (full && !u->multipart) {
        u->multipart = true;
        send_one(u, "POST", "uploads=", NULL, 0, true, created);
    } else if (u->id && u->next.len && (full || ends) &&
               (!u->n_running || u->bytes_running + u->next.len <= PUT_BYTES)) {
        if (start_part(u, &err) < 0)
            failed(u, &err);
    } else if (ends && u->id && !u->next.len && !u->n_running) {
        complete(u);
    }
}

static int step(struct upload *u, struct bp_err *err)
{
    bool hungry = !u->at_end && u->next.len < part_size(u->n_parts);
    struct pollfd fds[2] = {{.fd = BP_WIRE_FD, .events = POLLIN}, {.fd = 0, .events = POLLIN}};

    if (u->confirmed) /* no more is said; its end is told by the answer that cannot be sent */
        fds[0].events = 0;
    BP_TRY(net_wait(fds, hungry ? 2 : 1, err));
    if (fds[0].revents)
        read_control(u);
    if (hungry && fds[1].revents)
        read_bytes(u);
    if (!u->gone && !u->err.code)
        go_on(u);
    return 0;
}

static void aborted(struct net_request *r)
{
    struct upload *u = r->arg;

    u->is_aborted = !r->err.code && r->status == 404;
    u->one_runs = false;
}

/* A part that was under way may arrive after the upload was ended, and stay: the interface of S3
 * wants it to be ended until it is not found. */
static void end_upload(struct upload *u, const char *query, bool under_way)
{
    struct bp_err ignored = {0};

    for (int i = 0; i < ABORTS && !u->is_aborted; i++) {
        if (i)
            usleep(50000u << i);
        send_one(u, "DELETE", query, NULL, 0, false, aborted);
        while (u->one_runs)
            if (net_wait(NULL, 0, &ignored) < 0)
                return;
        if (!under_way)
            return;
    }
}

/* What was put so far goes, as well as it can be in some seconds. */
static void give_up(struct upload *u)
{
    struct bp_buf query = {0};
    struct bp_err ignored = {0};
    bool under_way = u->parts != NULL;

    alarm(GIVE_UP_S);
    while (u->parts) {
        net_cancel(&u->parts->r);
        part_free(u->parts);
    }
    while (u->one_runs) /* maybe the id is to come */
        if (net_wait(NULL, 0, &ignored) < 0)
            return;
    if (u->id && query_of(u, 0, &query, &ignored) == 0)
        end_upload(u, (const char *)query.data, under_way);
    bp_buf_release(&query);
}

static void tell(const struct bp_err *err)
{
    struct bp_wire_head head = {.op = err->code ? BP_WIRE_FAIL : BP_WIRE_OK,
                                .n_bytes = (uint32_t)strlen(err->msg),
                                .a = err->code};

    if (send(BP_WIRE_FD, &head, sizeof head, MSG_NOSIGNAL) == (ssize_t)sizeof head && err->code)
        (void)!send(BP_WIRE_FD, err->msg, head.n_bytes, MSG_NOSIGNAL);
}

static int make_mark(struct upload *u, struct bp_err *err)
{
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return bp_fail_errno(err, errno, "no random number is to be had");
    snprintf(u->mark, sizeof u->mark, "x-amz-meta-bp-upload: %016llx", (unsigned long long)random);
    return 0;
}

int put(const char *url, struct bp_err *err)
{
    struct upload u = {.url = url};

    if (make_mark(&u, &u.err) == 0 && net_open(&u.err) == 0)
        while (!u.done && !u.gone && !u.err.code)
            if (step(&u, &u.err) < 0)
                break;
    if (u.done && !u.err.code) {
        tell(&u.err);
        return 0;
    }
    close(0); /* the command sees that nobody reads on, and asks */
    if (!u.gone)
        tell(&u.err);
    give_up(&u);
    *err = u.err;
    return err->code ? err->code : -1;
}
