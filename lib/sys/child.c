/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After fork, both children keep to what is safe after the fork of a process with
 * threads: system calls.
 */
#include "sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/pipe.h"

#define GO 'g' /* control: the bytes are whole, give the end of file and wait */

struct bp_child {
    char *text;
    pid_t keeper;
    int control, status; /* ours: the writing end; the reading end */
};

struct pipes {
    int data[2], control[2], status[2];
};

/* ---- the keeper ---- */

static void exec_command(const struct pipes *p, const char *text, bool is_reader, int null)
{
    static const int reset[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
    char *const argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                          (char *)(uintptr_t)text, NULL};
    sigset_t none;

    setpgid(0, 0);
    for (size_t i = 0; i < sizeof reset / sizeof *reset; i++)
        signal(reset[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(is_reader ? p->data[0] : null, 0) < 0 || (!is_reader && dup2(p->data[1], 1) < 0))
        _exit(126);
    (void)fcntl(0, F_SETFD, 0); /* where null was 0 itself */
    execv("/bin/sh", argv);     /* all others of ours are O_CLOEXEC */
    _exit(127);
}

/* Every descriptor but a, b, c (-1: none) and stderr; 0 and 1 are put out of the way. */
static void close_others(int a, int b, int c)
{
    int null = open("/dev/null", O_RDWR);

    if (null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
    }
    for (unsigned from = 3; from < 0x7fffffff;) {
        unsigned next = 0x7fffffff; /* the first at or behind from that stays */

        for (int i = 0; i < 3; i++) {
            int keep = i == 0 ? a : i == 1 ? b : c;

            if (keep >= (int)from && (unsigned)keep < next)
                next = (unsigned)keep;
        }
        if (next > from && close_range(from, next - 1, 0) < 0)
            for (unsigned fd = from; fd < next && fd < 4096; fd++)
                close((int)fd);
        from = next == 0x7fffffff ? next : next + 1;
    }
}

/* Until the command has ended, or we have. */
static int wait_for(pid_t pid, int control)
{
    struct pollfd p[2] = {{.fd = pidfd_open(pid, 0), .events = POLLIN},
                          {.fd = control, .events = POLLIN}};
    int status = 0;
    char c;

    while (p[0].fd >= 0 && (poll(p, 2, -1) >= 0 || errno == EINTR) && !p[0].revents)
        if (p[1].revents && read(control, &c, 1) <= 0) {
            kill(-pid, SIGKILL);
            break;
        }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void write_status(int fd, int status)
{
    size_t put = 0;

    while (put < sizeof status) {
        ssize_t n = write(fd, (const char *)&status + put, sizeof status - put);

        if (n <= 0 && errno != EINTR)
            return; /* no status: so it is told */
        put += n > 0 ? (size_t)n : 0;
    }
}

static void keep(const struct pipes *p, const char *text, bool is_reader, int null)
{
    int status = 0;
    ssize_t n;
    pid_t pid;
    char c;

    setsid();
    pid = fork();
    if (pid == 0)
        exec_command(p, text, is_reader, null);
    if (pid < 0)
        _exit(1); /* no status: so it is told */
    setpgid(pid, pid);
    close_others(p->control[0], p->status[1], is_reader ? p->data[1] : -1);
    do
        n = read(p->control[0], &c, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1 && c == GO) {
        if (is_reader)
            close(p->data[1]);
        status = wait_for(pid, p->control[0]);
    } else {
        kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    write_status(p->status[1], status);
    _exit(0);
}

/* ---- we ---- */

static void close_pipes(const struct pipes *p)
{
    for (int i = 0; i < 2; i++) {
        if (p->data[i] >= 0)
            close(p->data[i]);
        if (p->control[i] >= 0)
            close(p->control[i]);
        if (p->status[i] >= 0)
            close(p->status[i]);
    }
}

int bp_child_start(struct bp_child **out, const char *text, bool is_reader, int *fd,
                   struct bp_err *err)
{
    struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}};
    struct bp_child *c = bp_mem_new(1, sizeof *c, err);
    sigset_t all, was;
    int null = -1;

    if (c)
        c->text = bp_mem_str(text, err);
    if (!c || !c->text)
        goto fail;
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0) {
        bp_fail_errno(err, errno, "cannot open '/dev/null'");
        goto fail;
    }
    if (pipe2(p.data, O_CLOEXEC) < 0 || pipe2(p.control, O_CLOEXEC) < 0 ||
        pipe2(p.status, O_CLOEXEC) < 0) {
        bp_fail_errno(err, errno, "cannot start '%s'", text);
        goto fail;
    }
    sigfillset(&all); /* our handlers are not the keeper's: it takes SIGKILL only */
    pthread_sigmask(SIG_SETMASK, &all, &was);
    c->keeper = fork();
    if (c->keeper == 0)
        keep(&p, c->text, is_reader, null);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (c->keeper < 0) {
        bp_fail_errno(err, errno, "cannot start '%s'", text);
        goto fail;
    }
    close(null);
    *fd = p.data[is_reader];
    close(p.data[!is_reader]);
    close(p.control[0]);
    close(p.status[1]);
    c->control = p.control[1];
    c->status = p.status[0];
    bp_pipe_widen(*fd);
    *out = c;
    return 0;
fail:
    if (null >= 0)
        close(null);
    close_pipes(&p);
    if (c)
        bp_mem_free(c->text);
    bp_mem_free(c);
    return err->code;
}

static void end(struct bp_child *c)
{
    if (c->control >= 0)
        close(c->control);
    while (waitpid(c->keeper, NULL, 0) < 0 && errno == EINTR)
        ;
    close(c->status);
    bp_mem_free(c->text);
    bp_mem_free(c);
}

void bp_child_kill(struct bp_child *c)
{
    if (c)
        end(c);
}

static int judge(const char *text, int status, struct bp_err *err)
{
    if (WIFSIGNALED(status))
        return bp_fail(err, BP_EDATA, "the command '%s' was killed by signal %d (%s)", text,
                       WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (!WEXITSTATUS(status))
        return 0;
    if (WEXITSTATUS(status) == 127)
        bp_fail(err, BP_ECOMMAND, "the command '%s' was not found (exit status 127)", text);
    else
        bp_fail(err, BP_ECOMMAND, "the command '%s' failed with exit status %d", text,
                WEXITSTATUS(status));
    err->sys_errno = WEXITSTATUS(status);
    return err->code;
}

static bool read_status(const struct bp_child *c, int *status)
{
    size_t got = 0;

    while (got < sizeof *status) {
        ssize_t n = read(c->status, (char *)status + got, sizeof *status - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

int bp_child_finish(struct bp_child *c, struct bp_err *err)
{
    char go = GO;
    int status, rc, why = 0;
    ssize_t n;

    do
        n = write(c->control, &go, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1) { /* the keeper would wait for it without end */
        why = errno;
        close(c->control);
        c->control = -1;
    }
    if (!read_status(c, &status))
        rc = bp_fail(err, BP_EDATA, "the command '%s' could not be started, or its keeper died",
                     c->text);
    else if (why)
        rc = bp_fail_errno(err, why, "cannot tell the command '%s' that it has all", c->text);
    else
        rc = judge(c->text, status, err);
    end(c);
    return rc;
}
