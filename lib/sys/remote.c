/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our side of wire.h. Threads share the one socket: a call sends its request and waits;
 * of those that wait, one reads the socket at a time, gives each answer to its call, and
 * leaves the reading to another when its own has come.
 */
#include "sys/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "sys/libexec.h"
#include "sys/pipe.h"
#include "sys/wire.h"

struct call {
    uint64_t id;
    struct bp_wire_head head; /* of the answer */
    uint8_t *to;              /* where its payload goes, if cap is enough; else payload */
    size_t cap;
    struct bp_buf payload;
    bool done;
    struct bp_err err;
    struct call *next;
    sem_t *asleep; /* its caller waits here; NULL: it does not */
};

static struct {
    pthread_mutex_t lock, sending;
    int fd; /* 0: not started */
    uint64_t last_id;
    bool reading;
    struct call *waiting;
    struct bp_err dead; /* set: nothing goes any more */
} line = {.lock = PTHREAD_MUTEX_INITIALIZER, .sending = PTHREAD_MUTEX_INITIALIZER};

/* ---- the process ---- */

int bp_remote_start(const char *mode, const char *url, int *fd, int *data, int *pid,
                    struct bp_err *err)
{
    extern char **environ;
    char path[PATH_MAX];
    char *argv[] = {path, (char *)(uintptr_t)mode, (char *)(uintptr_t)url, NULL};
    int pair[2] = {-1, -1}, pipes[2] = {-1, -1}, rc = 0, low = -1;
    posix_spawn_file_actions_t actions;
    pid_t child;

    BP_TRY(bp_libexec_path("bp-remote", path, sizeof path, err));
    posix_spawn_file_actions_init(&actions);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
        (data && pipe2(pipes, O_CLOEXEC) < 0) ||
        /* above 3, where dup2() to 3 would leave the close-on-exec flag */
        (low = fcntl(pair[1], F_DUPFD_CLOEXEC, BP_WIRE_FD + 1)) < 0) {
        rc = bp_fail_errno(err, errno, "cannot start '%s'", path);
        goto out;
    }
    if (data)
        posix_spawn_file_actions_adddup2(&actions, pipes[0], 0);
    else
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, low, BP_WIRE_FD);
    errno = posix_spawn(&child, path, &actions, NULL, argv, environ);
    if (errno)
        rc = bp_fail_errno(err, errno, "cannot start '%s'", path);
out:
    posix_spawn_file_actions_destroy(&actions);
    if (low >= 0)
        close(low);
    if (pair[1] >= 0)
        close(pair[1]);
    if (pipes[0] >= 0)
        close(pipes[0]);
    if (rc < 0) {
        if (pair[0] >= 0)
            close(pair[0]);
        if (pipes[1] >= 0)
            close(pipes[1]);
        return rc;
    }
    *fd = pair[0];
    *pid = (int)child;
    if (data) {
        *data = pipes[1];
        bp_pipe_widen(*data);
    }
    return 0;
}

/* ---- the line ---- */

static int send_all(int fd, const void *p, size_t n, struct bp_err *err)
{
    for (size_t at = 0; at < n;) {
        ssize_t k = send(fd, (const uint8_t *)p + at, n - at, MSG_NOSIGNAL);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return bp_fail_errno(err, errno, "the helper bp-remote does not answer");
        at += (size_t)k;
    }
    return 0;
}

static int receive_all(int fd, void *p, size_t n, struct bp_err *err)
{
    for (size_t at = 0; at < n;) {
        ssize_t k = recv(fd, (uint8_t *)p + at, n - at, 0);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return bp_fail(err, BP_EDATA, "the helper bp-remote died");
        at += (size_t)k;
    }
    return 0;
}

static void wake(struct call *c)
{
    if (c && c->asleep)
        sem_post(c->asleep);
    if (c)
        c->asleep = NULL;
}

/* Under the lock, which is let go while the socket is read. */
static int read_answer(struct bp_err *err)
{
    struct bp_wire_head head;
    struct call **at, *c = NULL;
    uint8_t *to;
    int rc;

    line.reading = true;
    pthread_mutex_unlock(&line.lock);
    rc = receive_all(line.fd, &head, sizeof head, err);
    pthread_mutex_lock(&line.lock);
    if (rc < 0)
        goto out;
    for (at = &line.waiting; *at && (*at)->id != head.id; at = &(*at)->next)
        ;
    c = *at;
    if (!c) {
        rc = bp_fail(err, BP_EDATA, "the helper bp-remote answered what was not asked");
        goto out;
    }
    *at = c->next;
    c->head = head;
    to = c->to;
    if (head.op != BP_WIRE_OK || !to || head.n_bytes > c->cap) {
        rc = bp_buf_reserve(&c->payload, (size_t)head.n_bytes + 1, err);
        to = c->payload.data;
        c->payload.len = head.n_bytes;
    }
    pthread_mutex_unlock(&line.lock);
    if (rc == 0)
        rc = receive_all(line.fd, to, head.n_bytes, err);
    pthread_mutex_lock(&line.lock);
    c->done = true;
    if (rc < 0)
        c->err = *err;
out:
    line.reading = false;
    wake(c);
    return rc;
}

/* False: it is not there any more, for its answer is being read. */
static bool take_out(const struct call *c)
{
    struct call **at = &line.waiting;

    while (*at && *at != c)
        at = &(*at)->next;
    if (!*at)
        return false;
    *at = c->next;
    return true;
}

/* Under the lock, which is let go. A semaphore of its own: pool.c says why. */
static void sleep_on(struct call *c, sem_t *sem)
{
    c->asleep = sem;
    pthread_mutex_unlock(&line.lock);
    while (sem_wait(sem) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&line.lock);
}

/* Whoever needs an answer reads until it is there, unless somebody reads; who is done wakes
 * another to go on. */
static void wait_for(struct call *c)
{
    sem_t sem;
    struct call *next;

    sem_init(&sem, 0, 0);
    pthread_mutex_lock(&line.lock);
    while (!c->done) {
        if (line.dead.code && take_out(c)) {
            c->err = line.dead;
            c->done = true;
        } else if (line.reading) {
            sleep_on(c, &sem);
        } else {
            struct bp_err err = {0};

            if (read_answer(&err) < 0)
                line.dead = err;
        }
    }
    for (next = line.waiting; next && !next->asleep; next = next->next)
        ;
    if (!line.reading)
        wake(next);
    pthread_mutex_unlock(&line.lock);
    sem_destroy(&sem);
}

static int enter(struct call *c, struct bp_err *err)
{
    int pid, rc = 0;

    pthread_mutex_lock(&line.lock);
    if (line.dead.code) {
        *err = line.dead;
        rc = err->code;
    } else if (!line.fd) {
        rc = bp_remote_start("serve", NULL, &line.fd, NULL, &pid, err);
    }
    if (rc == 0) {
        c->id = ++line.last_id;
        c->next = line.waiting;
        line.waiting = c;
    }
    pthread_mutex_unlock(&line.lock);
    return rc;
}

static int call(struct call *c, enum bp_wire_op op, const char *url, int64_t a, int64_t b,
                int64_t hint, struct bp_err *err)
{
    struct bp_wire_head head = {
        .op = op, .n_bytes = (uint32_t)strlen(url), .a = a, .b = b, .c = hint};
    struct bp_err sent = {0};
    int rc;

    if (strlen(url) > BP_WIRE_REQUEST_BYTES)
        return bp_fail(err, BP_EUSAGE, "a URL of %zu bytes is too long", strlen(url));
    BP_TRY(enter(c, err));
    head.id = c->id;
    pthread_mutex_lock(&line.sending);
    rc = send_all(line.fd, &head, sizeof head, &sent);
    if (rc == 0)
        rc = send_all(line.fd, url, head.n_bytes, &sent);
    pthread_mutex_unlock(&line.sending);
    /* a line that is broken is told by whoever reads it */
    wait_for(c);
    if (c->err.code) {
        *err = c->err;
    } else if (c->head.op == BP_WIRE_FAIL) {
        c->payload.data[c->payload.len] = '\0';
        bp_fail(err, (int)c->head.a, "%s", (const char *)c->payload.data);
    }
    return err->code;
}

/* ---- calls ---- */

static int look(const char *url, bool afresh, struct bp_remote_look *out, struct bp_err *err)
{
    struct call c = {0};
    size_t n;

    memset(out, 0, sizeof *out);
    if (call(&c, BP_WIRE_LOOK, url, afresh, 0, 0, err) == 0) {
        n = c.payload.len ? BP_MIN(c.payload.len - 1, sizeof out->version - 1) : 0;
        out->kind = c.payload.len ? (char)c.payload.data[0] : 'n';
        if (n)
            memcpy(out->version, c.payload.data + 1, n);
        out->size_bytes = c.head.a;
        out->mtime_ns = c.head.b;
    } else if (err->code == BP_ESYS) { /* was tried often enough: whoever asks next need not wait */
        pthread_mutex_lock(&line.lock);
        if (!line.dead.code)
            line.dead = *err;
        pthread_mutex_unlock(&line.lock);
    }
    bp_buf_release(&c.payload);
    return err->code;
}

int bp_remote_look(const char *url, struct bp_remote_look *out, struct bp_err *err)
{
    return look(url, false, out, err);
}

int bp_remote_look_afresh(const char *url, struct bp_remote_look *out, struct bp_err *err)
{
    return look(url, true, out, err);
}

int bp_remote_read(const char *url, void *p, size_t n, int64_t offset, size_t *got,
                   struct bp_err *err)
{
    *got = 0;
    while (*got < n) {
        int64_t want = BP_MIN((int64_t)(n - *got), BP_WIRE_READ_BYTES);
        struct call c = {.to = (uint8_t *)p + *got, .cap = (size_t)want};
        int rc =
            call(&c, BP_WIRE_READ, url, offset + (int64_t)*got, want, (int64_t)(n - *got), err);

        bp_buf_release(&c.payload);
        BP_TRY(rc);
        *got += c.head.n_bytes;
        if (c.head.n_bytes < want)
            break;
    }
    return 0;
}

void bp_remote_want(const char *url, size_t n, int64_t offset)
{
    struct bp_wire_head head = {
        .op = BP_WIRE_WANT, .n_bytes = (uint32_t)strlen(url), .a = offset, .b = (int64_t)n};
    struct bp_err ignored = {0};
    int fd;

    pthread_mutex_lock(&line.lock);
    fd = line.dead.code ? 0 : line.fd;
    pthread_mutex_unlock(&line.lock);
    if (strlen(url) > BP_WIRE_REQUEST_BYTES || !fd)
        return;
    pthread_mutex_lock(&line.sending);
    if (send_all(fd, &head, sizeof head, &ignored) == 0)
        (void)!send_all(fd, url, head.n_bytes, &ignored);
    pthread_mutex_unlock(&line.sending);
}

int bp_remote_list(const char *prefix, bool deep, struct bp_names *out, struct bp_err *err)
{
    struct call c = {0};
    int rc = call(&c, BP_WIRE_LIST, prefix, deep, 0, 0, err);

    *out = (struct bp_names){0};
    for (size_t at = 0; rc == 0 && at < c.payload.len;) {
        const char *name = (const char *)c.payload.data + at;

        rc = bp_names_add(out, name, err);
        at += strlen(name) + 1;
    }
    if (rc < 0)
        bp_names_release(out);
    bp_buf_release(&c.payload);
    return rc;
}

int bp_remote_remove(const char *url, struct bp_err *err)
{
    struct call c = {0};
    int rc = call(&c, BP_WIRE_REMOVE, url, 0, 0, 0, err);

    bp_buf_release(&c.payload);
    return rc;
}
