/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a pipe in one process. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/ring_wire.h"
#include "unit.h"

#define N 40
#define BYTES 100000

static int ends[2];

static void open_pipe(void)
{
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
}

static void close_pipe(void)
{
    close(ends[0]);
    close(ends[1]);
}

/* Fills a slot with what number i has. */
static uint32_t put(struct bp_ring_out *w, int i)
{
    uint32_t slot = UINT32_MAX;
    uint8_t *p = bp_ring_out_slot(w, &slot);

    CHECK(p != NULL);
    for (int k = 0; p && k < BYTES; k++)
        p[k] = (uint8_t)(i * 7 + k);
    return slot;
}

static bool has(const struct bp_block *b, int i)
{
    for (int k = 0; k < BYTES; k++)
        if (b->data[k] != (uint8_t)(i * 7 + k))
            return false;
    return true;
}

static struct bp_block *take(struct bp_ring_in *r, const struct bp_ring_out *w, uint32_t slot)
{
    struct bp_err err = {0};
    struct bp_block *b = NULL;

    CHECK(bp_ring_in_take(r, bp_ring_out_token(w), slot, BYTES, &b, &err) == 0);
    return b;
}

/* A pipe with a ring beside it. */
static void open_both(struct bp_ring_in **r, struct bp_ring_out **w)
{
    open_pipe();
    *r = bp_ring_in_open(ends[0]);
    *w = bp_ring_out_open(ends[1]);
    NEED(*r && *w);
}

static void without_a_reader_of_ours_there_is_none(void)
{
    int file = memfd_create("file", 0);

    open_pipe();
    CHECK(bp_ring_may(ends[0]) && bp_ring_may(ends[1]));
    CHECK(bp_ring_out_open(ends[1]) == NULL);
    CHECK(!bp_ring_may(file));
    CHECK(bp_ring_in_open(file) == NULL && bp_ring_out_open(file) == NULL);
    CHECK(!bp_ring_may(-1));
    close(file);
    close_pipe();
}

static void off_is_off(void)
{
    open_pipe();
    setenv("BP_RING", "off", 1);
    CHECK(!bp_ring_may(ends[1]));
    CHECK(bp_ring_in_open(ends[0]) == NULL);
    unsetenv("BP_RING");
    close_pipe();
}

static void slots_come_back_and_are_used_again(void)
{
    struct bp_ring_in *r;
    struct bp_ring_out *w;
    uint32_t first = 0;

    open_both(&r, &w);
    for (int i = 0; i < N; i++) {
        uint32_t slot = put(w, i);
        struct bp_block *b = take(r, w, slot);

        CHECK(b && has(b, i));
        bp_block_unref(b);
        if (i == 0)
            first = slot;
        CHECK(slot == first); /* that which was free last */
    }
    bp_ring_out_free(w);
    bp_ring_in_free(r);
    close_pipe();
}

static void blocks_that_are_held_do_not_stop_the_writer(void)
{
    struct bp_block *held[N];
    struct bp_ring_in *r;
    struct bp_ring_out *w;

    open_both(&r, &w);
    for (int i = 0; i < N; i++)
        held[i] = take(r, w, put(w, i));
    bp_ring_out_free(w);
    bp_ring_in_free(r); /* they live longer */
    for (int i = 0; i < N; i++) {
        CHECK(held[i] && has(held[i], i));
        bp_block_unref(held[i]);
    }
    close_pipe();
}

static void a_reader_that_has_gone_is_seen(void)
{
    struct bp_ring_in *r;
    struct bp_ring_out *w;
    struct bp_block *b;
    uint32_t slot;

    open_both(&r, &w);
    b = take(r, w, put(w, 1));
    for (int i = 1; i < BP_RING_SLOTS; i++)
        (void)put(w, i);
    bp_ring_in_free(r);
    CHECK(bp_ring_out_slot(w, &slot) == NULL); /* and does not wait for ever */
    CHECK(bp_ring_out_slot(w, &slot) == NULL);
    CHECK(has(b, 1));
    bp_ring_out_free(w);
    bp_block_unref(b);
    close_pipe();
}

static void what_the_pipe_says_is_not_believed(void)
{
    struct bp_err err = {0};
    struct bp_block *b = NULL;
    struct bp_ring_in *r;
    struct bp_ring_out *w;
    uint32_t slot, token;

    open_pipe();
    r = bp_ring_in_open(ends[0]);
    NEED(r);
    CHECK(bp_ring_in_take(r, 1, 0, 1, &b, &err) == BP_EDATA); /* nobody came */
    w = bp_ring_out_open(ends[1]);
    NEED(w);
    slot = put(w, 0);
    token = bp_ring_out_token(w);
    CHECK(bp_ring_in_take(r, token, BP_RING_SLOTS, 1, &b, &err) == BP_EDATA);
    CHECK(bp_ring_in_take(r, token, slot, (size_t)1 << 40, &b, &err) == BP_EDATA);
    CHECK(bp_ring_in_take(r, token, slot, BP_RING_STRIDE_BYTES, &b, &err) == BP_EDATA);
    CHECK(bp_ring_in_take(r, token ^ 1, slot, 1, &b, &err) == BP_EDATA);
    CHECK(bp_ring_in_take(NULL, token, slot, 1, &b, &err) == BP_EDATA); /* no pipe */
    CHECK(b == NULL);
    bp_ring_out_free(w);
    bp_ring_in_free(r);
    close_pipe();
}

/* A hello of another's making, with memory of so many bytes. */
static int hello(const struct bp_ring_hello *h, size_t bytes, unsigned seals)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), fd = memfd_create("m", MFD_ALLOW_SEALING);
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)h, sizeof *h};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    struct sockaddr_un a;
    socklen_t n;

    CHECK(ftruncate(fd, (off_t)bytes) == 0 && fcntl(fd, F_ADD_SEALS, seals) == 0);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK(bp_ring_address(ends[1], &a, &n) && connect(s, (struct sockaddr *)&a, n) == 0);
    CHECK(sendmsg(s, &m, 0) == (ssize_t)sizeof *h);
    close(fd);
    return s;
}

static void a_false_hello_is_refused(void)
{
    static const struct bp_ring_hello good = {BP_RING_MAGIC, 7, 4, 8192};
    const unsigned sealed = F_SEAL_SHRINK;
    struct {
        struct bp_ring_hello h;
        size_t bytes;
        unsigned seals;
        bool ok;
    } cases[] = {{good, 4 * 8192, sealed, true},      {good, 4 * 8192, 0, false},
                 {good, 4 * 8192 - 1, sealed, false}, {good, 4 * 8192, sealed, false},
                 {good, 4 * 8192, sealed, false},     {good, 4 * 8192, sealed, false}};

    cases[3].h.n_slots = 1u << 31;
    cases[4].h.stride_bytes = UINT64_MAX / 4 + 1;
    cases[5].h.magic[0] = 'x';
    for (size_t i = 0; i < BP_COUNT_OF(cases); i++) {
        struct bp_err err = {0};
        struct bp_block *b = NULL;
        struct bp_ring_in *r;
        int s;

        open_pipe();
        r = bp_ring_in_open(ends[0]);
        NEED(r);
        s = hello(&cases[i].h, cases[i].bytes, cases[i].seals);
        CHECK(bp_ring_in_take(r, 7, 0, 100, &b, &err) == (cases[i].ok ? 0 : BP_EDATA));
        bp_block_unref(b);
        close(s);
        bp_ring_in_free(r);
        close_pipe();
    }
}

static void a_writer_may_have_gone_before_it_is_heard(void)
{
    struct bp_err err = {0};
    struct bp_block *b = NULL;
    struct bp_ring_in *r;
    struct bp_ring_out *w;
    uint32_t token, slot;

    open_both(&r, &w);
    slot = put(w, 3);
    token = bp_ring_out_token(w);
    bp_ring_out_free(w);
    CHECK(bp_ring_in_take(r, token, slot, BYTES, &b, &err) == 0 && has(b, 3));
    bp_block_unref(b);
    bp_ring_in_free(r);
    close_pipe();
}

/* Others, of any user, may connect to the reader's address as well. */
static void a_full_queue_is_not_waited_for(void)
{
    struct bp_ring_in *r;
    struct sockaddr_un a;
    int others[64], n = 0;
    socklen_t len;
    bool full = false;

    open_pipe();
    r = bp_ring_in_open(ends[0]);
    NEED(r && bp_ring_address(ends[1], &a, &len));
    while (!full && n < (int)BP_COUNT_OF(others)) {
        others[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        full = connect(others[n++], (struct sockaddr *)&a, len) < 0;
    }
    CHECK(full);
    CHECK(bp_ring_out_open(ends[1]) == NULL);
    while (n)
        close(others[--n]);
    bp_ring_in_free(r);
    close_pipe();
}

static void each_writer_of_a_pipe_has_its_own(void)
{
    struct bp_block *held[6];
    struct bp_ring_in *r;

    open_pipe();
    r = bp_ring_in_open(ends[0]);
    NEED(r);
    for (int i = 0; i < 3; i++) {
        struct bp_ring_out *w = bp_ring_out_open(ends[1]);

        NEED(w);
        held[2 * i] = take(r, w, put(w, 2 * i));
        held[2 * i + 1] = take(r, w, put(w, 2 * i + 1));
        bp_ring_out_free(w);
    }
    for (int i = 0; i < 6; i++) {
        CHECK(has(held[i], i));
        bp_block_unref(held[i]);
    }
    bp_ring_in_free(r);
    close_pipe();
}

UNIT_MAIN(T(without_a_reader_of_ours_there_is_none), T(off_is_off),
          T(slots_come_back_and_are_used_again), T(blocks_that_are_held_do_not_stop_the_writer),
          T(a_reader_that_has_gone_is_seen), T(what_the_pipe_says_is_not_believed),
          T(a_false_hello_is_refused), T(a_writer_may_have_gone_before_it_is_heard),
          T(a_full_queue_is_not_waited_for), T(each_writer_of_a_pipe_has_its_own))
