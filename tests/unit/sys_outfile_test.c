/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/dir.h"
#include "sys/guard.h"
#include "sys/input.h"
#include "sys/outfile.h"
#include "unit.h"

static char dir[200];

static const char *in_dir(const char *name)
{
    static char path[2][300];
    static int k;

    k = !k;
    snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
    return path[k];
}

static int n_entries(void)
{
    struct bp_err err = {0};
    struct bp_names l;
    int n;

    if (bp_dir_list(dir, true, &l, &err) < 0)
        return -1;
    n = l.n;
    bp_names_release(&l);
    return n;
}

static void a_file_appears_whole_by_commit(void)
{
    struct bp_err err = {0};
    struct bp_outfile f;
    struct bp_buf b = {0};

    NEED(bp_outfile_open(&f, in_dir("a"), &err) == 0);
    NEED(bp_outfile_write(&f, "hello", 5, &err) == 0);
    CHECK(bp_path_kind(in_dir("a")) == BP_PATH_NONE);
    CHECK(f.pos_bytes == 5);
    NEED(bp_outfile_commit(&f, &err) == 0);
    NEED(bp_read_file(in_dir("a"), 100, &b, &err) == 0);
    CHECK(b.len == 5 && memcmp(b.data, "hello", 5) == 0);
    bp_buf_release(&b);
    CHECK(n_entries() == 1);
    unlink(in_dir("a"));
}

static void an_aborted_file_leaves_the_old_one(void)
{
    struct bp_err err = {0};
    struct bp_outfile f;
    struct bp_buf b = {0};

    NEED(bp_outfile_open(&f, in_dir("a"), &err) == 0);
    NEED(bp_outfile_write(&f, "old", 3, &err) == 0 && bp_outfile_commit(&f, &err) == 0);
    NEED(bp_outfile_open(&f, in_dir("a"), &err) == 0);
    NEED(bp_outfile_write(&f, "new", 3, &err) == 0);
    bp_outfile_abort(&f);
    NEED(bp_read_file(in_dir("a"), 100, &b, &err) == 0);
    CHECK(b.len == 3 && memcmp(b.data, "old", 3) == 0);
    bp_buf_release(&b);
    CHECK(n_entries() == 1);
    unlink(in_dir("a"));
}

/* A child dies in the middle of writing; what is left under .tmp- names? */
static void die_with(int sig, int *left)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct bp_err err = {0};
        struct bp_outfile f;

        signal(sig, SIG_DFL); /* a shell has its background jobs ignore SIGINT */
        bp_guard_signals();
        if (bp_outfile_open(&f, in_dir("a"), &err) == 0 &&
            bp_outfile_write(&f, "half", 4, &err) == 0)
            raise(sig);
        _exit(99);
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == sig);
    *left = n_entries();
}

static void sigterm_and_sigint_leave_nothing(void)
{
    int left;

    die_with(SIGTERM, &left);
    CHECK(left == 0);
    die_with(SIGINT, &left);
    CHECK(left == 0);
}

static void what_sigkill_left_is_removed_by_the_next_writer(void)
{
    struct bp_err err = {0};
    struct bp_outfile f;
    int left;

    die_with(SIGKILL, &left);
    CHECK(left == 1);
    CHECK(bp_path_kind(in_dir("a")) == BP_PATH_NONE);
    NEED(bp_outfile_open(&f, in_dir("b"), &err) == 0);
    NEED(bp_outfile_commit(&f, &err) == 0);
    CHECK(n_entries() == 1);
    unlink(in_dir("b"));
}

static void a_planted_link_is_not_followed(void)
{
    struct bp_err err = {0};
    struct bp_outfile f;
    char host[100], tmp[400], victim[300];

    snprintf(victim, sizeof victim, "%s", in_dir("victim"));
    close(open(victim, O_CREAT | O_WRONLY, 0600));
    NEED(gethostname(host, sizeof host) == 0);
    snprintf(tmp, sizeof tmp, "%s/.tmp-a.%s.%ld", dir, host, (long)getpid());
    NEED(symlink(victim, tmp) == 0);
    NEED(bp_outfile_open(&f, in_dir("a"), &err) == 0);
    NEED(bp_outfile_write(&f, "data", 4, &err) == 0 && bp_outfile_commit(&f, &err) == 0);
    struct bp_buf b = {0};
    NEED(bp_read_file(victim, 100, &b, &err) == 0);
    CHECK(b.len == 0);
    bp_buf_release(&b);
    unlink(victim);
    unlink(in_dir("a"));
}

static void a_full_device_is_an_error(void)
{
    struct bp_err err = {0};
    struct bp_outfile f;
    int fd = open("/dev/full", O_WRONLY);

    NEED(fd >= 0);
    NEED(bp_outfile_borrow(&f, fd, "stdout", &err) == 0);
    CHECK(bp_outfile_write(&f, "x", 1, &err) == BP_ESYS);
    CHECK(strstr(err.msg, "No space left") != NULL);
    bp_outfile_abort(&f);
    close(fd);
}

static void a_named_pipe_is_written_not_replaced(void)
{
    struct bp_err err = {0};
    struct bp_outfile f;
    char got[8] = "";
    int fd;

    NEED(mkfifo(in_dir("fifo"), 0600) == 0);
    fd = open(in_dir("fifo"), O_RDONLY | O_NONBLOCK);
    NEED(fd >= 0);
    NEED(bp_outfile_open(&f, in_dir("fifo"), &err) == 0);
    CHECK(f.is_pipe);
    NEED(bp_outfile_write(&f, "hello", 5, &err) == 0 && bp_outfile_commit(&f, &err) == 0);
    bp_outfile_abort(&f);
    CHECK(read(fd, got, sizeof got) == 5 && memcmp(got, "hello", 5) == 0);
    CHECK(bp_path_kind(in_dir("fifo")) == BP_PATH_OTHER);
    close(fd);
    unlink(in_dir("fifo"));
}

static void a_closed_reader_is_told_apart(void)
{
    struct bp_err err = {0};
    struct bp_outfile f;
    int p[2];

    bp_guard_signals();
    NEED(pipe(p) == 0);
    close(p[0]);
    NEED(bp_outfile_borrow(&f, p[1], "stdout", &err) == 0);
    CHECK(f.is_pipe);
    CHECK(bp_outfile_write(&f, "x", 1, &err) == BP_ECLOSED);
    bp_outfile_abort(&f);
    close(p[1]);
}

static void peeked_bytes_are_read_again(void)
{
    struct bp_err err = {0};
    struct bp_input in;
    const uint8_t *p;
    uint8_t buf[10];
    size_t got;

    NEED(bp_input_from_memory(&in, "m", "abcdefgh", 8, &err) == 0);
    NEED(bp_input_peek(&in, 3, &p, &got, &err) == 0);
    CHECK(got == 3 && memcmp(p, "abc", 3) == 0);
    NEED(bp_input_read(&in, buf, 2, &got, &err) == 0);
    CHECK(got == 2 && memcmp(buf, "ab", 2) == 0);
    NEED(bp_input_peek(&in, 100, &p, &got, &err) == 0);
    CHECK(got == 6 && memcmp(p, "cdefgh", 6) == 0);
    NEED(bp_input_read(&in, buf, 10, &got, &err) == 0);
    CHECK(got == 6 && in.pos_bytes == 8);
    NEED(bp_input_read_at(&in, buf, 10, 5, &got, &err) == 0);
    CHECK(got == 3 && memcmp(buf, "fgh", 3) == 0);
    bp_input_close(&in);
}

static void prepare(void)
{
    snprintf(dir, sizeof dir, "%s/bp-sys.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    CHECK(mkdtemp(dir) != NULL);
}

static void finish(void)
{
    CHECK(rmdir(dir) == 0);
}

UNIT_MAIN(T(prepare), T(a_file_appears_whole_by_commit), T(an_aborted_file_leaves_the_old_one),
          T(sigterm_and_sigint_leave_nothing), T(what_sigkill_left_is_removed_by_the_next_writer),
          T(a_planted_link_is_not_followed), T(a_full_device_is_an_error),
          T(a_named_pipe_is_written_not_replaced), T(a_closed_reader_is_told_apart),
          T(peeked_bytes_are_read_again), T(finish))
