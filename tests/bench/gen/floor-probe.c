/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor-probe FILE SCRATCH: what this machine could do at all, in GB/s, one "name rate"
 * a line. Each is measured for a good part of a second and the best of three is taken.
 *
 *   pread    FILE, from the page cache, into one reused buffer of 1 MiB; one thread
 *   memcpy   memory to memory, one thread
 *   pipe     write() to read() between two processes, 1 MiB pipe, 256 KiB a call
 *   write    to SCRATCH, fsync included (removed afterwards)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1 << 20)
#define CHUNK (256 << 10)
#define COPY_BYTES (64 << 20)
#define WRITE_BYTES ((int64_t)512 << 20)
#define ROUNDS 3

static char *buffer;

static void fail(const char *what)
{
    fprintf(stderr, "floor-probe: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t probe_pread(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        fail(path);
    int64_t total = 0;
    ssize_t n;
    while ((n = pread(fd, buffer, MIB, total)) > 0)
        total += n;
    if (n < 0)
        fail(path);
    close(fd);
    return total;
}

static int64_t probe_memcpy(const char *unused)
{
    (void)unused;
    for (int i = 0; i < 16; i++) {
        memcpy(buffer + COPY_BYTES, buffer, COPY_BYTES);
        buffer[i]++;
    }
    return (int64_t)COPY_BYTES * 16;
}

static int64_t probe_pipe(const char *unused)
{
    int fds[2];
    (void)unused;
    if (pipe(fds) != 0)
        fail("pipe");
    (void)fcntl(fds[1], F_SETPIPE_SZ, MIB);
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        close(fds[0]);
        for (int i = 0; i < 8192; i++)
            for (ssize_t done = 0, n; done < CHUNK; done += n)
                if ((n = write(fds[1], buffer, (size_t)(CHUNK - done))) < 0)
                    _exit(1);
        _exit(0);
    }
    close(fds[1]);
    int64_t total = 0;
    ssize_t n;
    while ((n = read(fds[0], buffer, CHUNK)) > 0)
        total += n;
    close(fds[0]);
    if (waitpid(child, NULL, 0) < 0)
        fail("waitpid");
    return total;
}

static int64_t probe_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        fail(path);
    for (int64_t done = 0; done < WRITE_BYTES; done += MIB)
        if (write(fd, buffer, MIB) != MIB)
            fail(path);
    if (fsync(fd) != 0)
        fail(path);
    close(fd);
    unlink(path);
    return WRITE_BYTES;
}

static void best_of(const char *name, int64_t (*probe)(const char *), const char *path)
{
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_s();
        double rate = (double)probe(path) / (now_s() - start) / 1e9;
        if (rate > best)
            best = rate;
    }
    printf("%s %.3f\n", name, best);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: floor-probe FILE SCRATCH\n", stderr);
        return 2;
    }
    buffer = malloc(2 * (size_t)COPY_BYTES);
    if (!buffer)
        fail("buffer");
    memset(buffer, 1, 2 * (size_t)COPY_BYTES); /* touched before it is timed */
    best_of("pread", probe_pread, argv[1]);
    best_of("memcpy", probe_memcpy, NULL);
    best_of("pipe", probe_pipe, NULL);
    best_of("write", probe_write, argv[2]);
    return 0;
}
