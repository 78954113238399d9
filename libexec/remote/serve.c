/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the command in, answers out, on one socket that never blocks. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "remote.h"

static struct {
    struct bp_buf in, out;
    size_t sent; /* of out */
    struct bp_err failed;
} line;

static void send_some(void)
{
    while (line.sent < line.out.len) {
        ssize_t k = send(BP_WIRE_FD, line.out.data + line.sent, line.out.len - line.sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            if (errno != EAGAIN)
                bp_fail_errno(&line.failed, errno, "the command is gone");
            return;
        }
        line.sent += (size_t)k;
    }
    line.out.len = line.sent = 0;
    if (line.out.cap > (size_t)8 << 20)
        bp_buf_release(&line.out);
}

void free_asked(struct asked *a)
{
    bp_mem_free(a->url);
    bp_mem_free(a);
}

void answer(struct asked *a, const void *payload, size_t n, int64_t size, int64_t mtime)
{
    struct bp_wire_head head = {
        .op = BP_WIRE_OK, .n_bytes = (uint32_t)n, .id = a->head.id, .a = size, .b = mtime};

    if (bp_buf_append(&line.out, &head, sizeof head, &line.failed) == 0 && n)
        (void)!bp_buf_append(&line.out, payload, n, &line.failed);
    free_asked(a);
    send_some();
}

void answer_failed(struct asked *a, const struct bp_err *err)
{
    struct bp_wire_head head = {.op = BP_WIRE_FAIL,
                                .n_bytes = (uint32_t)strlen(err->msg),
                                .id = a->head.id,
                                .a = err->code};

    if (bp_buf_append(&line.out, &head, sizeof head, &line.failed) == 0)
        (void)!bp_buf_append(&line.out, err->msg, head.n_bytes, &line.failed);
    free_asked(a);
    send_some();
}

static int take_request(const struct bp_wire_head *head, const uint8_t *payload)
{
    struct asked *a = bp_mem_new(1, sizeof *a, &line.failed);
    struct bp_buf url = {0};

    if (!a)
        return line.failed.code;
    a->head = *head;
    if (bp_buf_append(&url, payload, head->n_bytes, &line.failed) < 0 ||
        !bp_buf_str(&url, &line.failed))
        return line.failed.code;
    a->url = (char *)url.data;
    switch (head->op) {
    case BP_WIRE_LOOK: object_look(a); return 0;
    case BP_WIRE_READ: object_read(a); return 0;
    case BP_WIRE_WANT: object_want(a); return 0;
    case BP_WIRE_LIST: list_names(a); return 0;
    case BP_WIRE_REMOVE: object_remove(a); return 0;
    default: return bp_fail(&line.failed, BP_EDATA, "a request of an unknown kind");
    }
}

static int take_requests(void)
{
    size_t at = 0;

    for (;;) {
        struct bp_wire_head head;

        if (line.in.len - at < sizeof head)
            break;
        memcpy(&head, line.in.data + at, sizeof head);
        if (head.n_bytes > BP_WIRE_REQUEST_BYTES)
            return bp_fail(&line.failed, BP_EDATA, "a request that is too long");
        if (line.in.len - at < sizeof head + head.n_bytes)
            break;
        BP_TRY(take_request(&head, line.in.data + at + sizeof head));
        at += sizeof head + head.n_bytes;
    }
    line.in.len -= at;
    if (at && line.in.len)
        memmove(line.in.data, line.in.data + at, line.in.len);
    return 0;
}

/* BP_DONE: the command has ended. */
static int receive_some(void)
{
    ssize_t k;

    BP_TRY(bp_buf_reserve(&line.in, 65536, &line.failed));
    k = recv(BP_WIRE_FD, line.in.data + line.in.len, 65536, MSG_DONTWAIT);
    if (k == 0)
        return BP_DONE;
    if (k < 0)
        return errno == EAGAIN || errno == EINTR
                   ? 0
                   : bp_fail_errno(&line.failed, errno, "the command is gone");
    line.in.len += (size_t)k;
    return take_requests();
}

int serve(struct bp_err *err)
{
    BP_TRY(net_open(err));
    for (;;) {
        struct pollfd p = {.fd = BP_WIRE_FD, .events = POLLIN};
        int rc;

        if (line.out.len)
            p.events |= POLLOUT;
        BP_TRY(net_wait(&p, 1, err));
        rc = p.revents & (POLLIN | POLLHUP | POLLERR) ? receive_some() : 0;
        if (rc == BP_DONE)
            return 0;
        objects_go_on();
        send_some();
        if (line.failed.code) {
            *err = line.failed;
            return err->code;
        }
    }
}
