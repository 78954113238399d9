/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a table through lib/ipc, for ipc_interop.py:
 *   ipc_cat                    stream on stdin -> stream on stdout
 *   ipc_cat file IN OUT        file -> file
 *   ipc_cat from-file IN       file -> stream on stdout
 *   ipc_cat to-file OUT        stream on stdin -> file
 *   -c N,N... in front         only these columns
 *   -m KEY=VALUE in front      sets schema metadata of what is written
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "ipc/ipc.h"

static int columns[64], n_columns;
static char *marks[8]; /* KEY=VALUE */
static int n_marks;

static void read_columns(const char *s)
{
    while (*s && n_columns < 64) {
        columns[n_columns++] = (int)strtol(s, (char **)(uintptr_t)&s, 10);
        s += *s == ',';
    }
}

static int open_source(struct bp_source *src, const char *path, bool file, struct bp_err *err)
{
    struct bp_ipc_opts o = {.columns = n_columns ? columns : NULL, .n_columns = n_columns};
    struct bp_input in;

    BP_TRY(bp_input_open(&in, path, err));
    return file ? bp_ipc_file_source(src, &in, &o, err) : bp_ipc_stream_source(src, &in, &o, err);
}

static int open_sink(struct bp_sink *sink, const char *path, const struct bp_schema *schema,
                     struct bp_err *err)
{
    struct bp_outfile f;

    if (path) {
        BP_TRY(bp_outfile_open(&f, path, err));
        return bp_ipc_file_sink(sink, &f, schema, err);
    }
    BP_TRY(bp_outfile_borrow(&f, 1, "stdout", err));
    return bp_ipc_stream_sink(sink, &f, schema, err);
}

static int set_marks(struct bp_schema *schema, struct bp_err *err)
{
    for (int i = 0; i < n_marks; i++) {
        char *value = strchr(marks[i], '=');

        *value = '\0';
        BP_TRY(bp_schema_set_meta(schema, marks[i], value + 1, err));
    }
    return 0;
}

/* src, with the share of a bp.task that -m gave on batches that have none. */
struct labelled {
    struct bp_source *src;
    struct bp_share share;
};

static int labelled_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct labelled *l = self;
    int rc = bp_source_next(l->src, out, err);

    if (rc == 0 && !out->share.n)
        out->share = l->share;
    return rc;
}

static void labelled_free(void *self)
{
    (void)self; /* src is the caller's */
}

static int run(struct bp_source *src, struct bp_sink *sink, struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = labelled_next, .free = labelled_free};
    struct labelled l = {.src = src};
    struct bp_source all = {.ops = &ops, .self = &l};

    BP_TRY(bp_mark_task(&src->schema, &l.share, err));
    return bp_flow_run(&all, sink, err);
}

static int copy(const char *in, bool file, const char *out, struct bp_err *err)
{
    struct bp_source src = {0};
    struct bp_sink sink = {0};
    int rc;

    BP_GO(open_source(&src, in, file, err));
    BP_GO(set_marks(&src.schema, err));
    BP_GO(open_sink(&sink, out, &src.schema, err));
    rc = run(&src, &sink, err);
out:
    bp_source_free(&src);
    bp_sink_free(&sink);
    return rc;
}

int main(int argc, char **argv)
{
    struct bp_err err = {0};
    const char *mode;
    int rc = 2;

    signal(SIGPIPE, SIG_IGN);
    for (; argc > 2 && argv[1][0] == '-'; argc -= 2, argv += 2)
        if (strcmp(argv[1], "-c") == 0)
            read_columns(argv[2]);
        else if (n_marks < 8 && strchr(argv[2], '='))
            marks[n_marks++] = argv[2];
    mode = argc > 1 ? argv[1] : "";
    if (argc == 1)
        rc = copy("-", false, NULL, &err);
    else if (strcmp(mode, "file") == 0 && argc == 4)
        rc = copy(argv[2], true, argv[3], &err);
    else if (strcmp(mode, "from-file") == 0 && argc == 3)
        rc = copy(argv[2], true, NULL, &err);
    else if (strcmp(mode, "to-file") == 0 && argc == 3)
        rc = copy("-", false, argv[2], &err);
    else
        fprintf(stderr,
                "usage: ipc_cat [-c N,N] [-m K=V] [file IN OUT | from-file IN | to-file OUT]\n");
    if (rc < 0)
        fprintf(stderr, "%s\n", err.msg);
    return rc < 0 ? 1 : rc;
}
