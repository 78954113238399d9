/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes in. A bp_input reads forward from a file, a pipe, memory or a decoder
 * stacked on another input (lib/codec); its first bytes can be looked at before
 * they are read. Files can also be read at a place; there may be thousands of them
 * with few descriptors (openfile.h). One owner; not thread safe, but
 * bp_input_read_at() may be called from any thread.
 */
#ifndef BP_SYS_INPUT_H
#define BP_SYS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct bp_input;

struct bp_input_ops {
    /* Up to n bytes; *got 0 is the end. May be short. */
    int (*read)(void *self, void *p, size_t n, size_t *got, struct bp_err *err);
    void (*free)(void *self);
    /* n bytes from offset, fewer (*got) only at the end; any thread. NULL: cannot be. */
    int (*read_at)(void *self, void *p, size_t n, int64_t offset, size_t *got, struct bp_err *err);
    /* Give memory back; what read() gives next is the beginning again. False, and
     * nothing happened, where that cannot be. May be NULL. */
    bool (*rewind)(void *self);
    /* [offset, offset + n) will be read. May be NULL. */
    void (*want)(void *self, size_t n, int64_t offset);
    /* Its reading is in earnest from here on: it may use n threads of its own. May be NULL. */
    void (*threads)(void *self, int n);
};

struct bp_input {
    char *name;               /* as the user gave it; "stdin" for - */
    int fd;                   /* of a pipe or stdin; else -1 */
    struct bp_openfile *file; /* of a regular file that has a name */
    int64_t raw_bytes;        /* how far file was read forward */
    int64_t size_bytes;       /* of a regular file; -1 if unknown */
    int64_t mtime_ns;
    char version[17];               /* of an object: a hash of its ETag; else "" */
    int64_t pos_bytes;              /* bytes read() has given so far */
    bool is_file;                   /* regular, or like it: read_at works */
    bool is_named;                  /* no file, but had again by its name: a command's output */
    const struct bp_input_ops *ops; /* NULL: fd */
    void *self;
    int64_t skip_bytes;  /* of what self gives, before what comes next */
    struct bp_buf ahead; /* peeked, not yet read */
    size_t ahead_pos;
};

/* "-" is stdin; s3://, http:// and https:// are read by a helper. A directory is BP_EDATA. */
int bp_input_open(struct bp_input *in, const char *path, struct bp_err *err) BP_MUST;
/* Over bytes that outlive it (tests, fuzzers). */
int bp_input_from_memory(struct bp_input *in, const char *name, const void *p, size_t n,
                         struct bp_err *err) BP_MUST;
/* What the shell command text writes, under a name of its own (command.c). The command
 * is started when something is read, and again after bp_input_rest(). The end is one only
 * if it exits with 0. */
int bp_input_from_command(struct bp_input *in, const char *name, const char *text,
                          struct bp_err *err) BP_MUST;
/* Look at up to n bytes without taking them; fewer only at the end. */
int bp_input_peek(struct bp_input *in, size_t n, const uint8_t **p, size_t *got,
                  struct bp_err *err) BP_MUST;
/* Up to n bytes, waiting until there is at least one; *got 0 is the end. */
int bp_input_read_some(struct bp_input *in, void *p, size_t n, size_t *got,
                       struct bp_err *err) BP_MUST;
/* n bytes; fewer (*got) only at the end. */
int bp_input_read(struct bp_input *in, void *p, size_t n, size_t *got, struct bp_err *err) BP_MUST;
/* Files: n bytes from offset; fewer only at the end. Does not move read(). */
int bp_input_read_at(const struct bp_input *in, void *p, size_t n, int64_t offset, size_t *got,
                     struct bp_err *err) BP_MUST;
/* Files: these bytes will be read soon. Only advice, of use where reading waits for a network. */
void bp_input_want(const struct bp_input *in, size_t n, int64_t offset);
/* From here on a thread reads ahead, into a ring of 1 MiB, and n_threads more may decode
 * where memory is not tight. Only for what is decoded from a regular file; else nothing
 * changes (the thread could not be stopped while it waits for a pipe). To be called once,
 * when reading in earnest begins. */
int bp_input_read_ahead(struct bp_input *in, int n_threads, struct bp_err *err) BP_MUST;
/* It will not be read for some time: memory is given back where what is here can be had
 * again from a file, at the cost of reading (and decoding) it again up to here. */
void bp_input_rest(struct bp_input *in);
/* It is read to its end: nothing but its name and its numbers stays. */
void bp_input_finish(struct bp_input *in);
void bp_input_close(struct bp_input *in);
void bp_input_move(struct bp_input *dst, struct bp_input *src);

/* The whole of a small text file (schemas, clauses), at most max_bytes. */
int bp_read_file(const char *path, size_t max_bytes, struct bp_buf *out,
                 struct bp_err *err) BP_MUST;

#endif
