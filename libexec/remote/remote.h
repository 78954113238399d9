/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of bp-remote. */
#ifndef BP_REMOTE_REMOTE_H
#define BP_REMOTE_REMOTE_H

#include "net.h"
#include "sys/wire.h"

/* A request of the command that has no answer yet. */
struct asked {
    struct bp_wire_head head;
    char *url;
    struct asked *next;
};

/* serve.c */
int serve(struct bp_err *err) BP_MUST;
/* Each frees a. */
void answer(struct asked *a, const void *payload, size_t n, int64_t size, int64_t mtime);
void free_asked(struct asked *a); /* that gets no answer */
void answer_failed(struct asked *a, const struct bp_err *err);

/* object.c; each call takes a over. */
void object_look(struct asked *a);
void object_read(struct asked *a);
void object_want(struct asked *a);
void object_remove(struct asked *a);
/* The names of a listing below prefix, NUL each: they will be looked at in order. */
void objects_expect(const char *prefix, const struct bp_buf *names);
/* After net_wait(): what could not be done in the midst of it. */
void objects_go_on(void);

/* list.c. What is listed under the prefix a->url. */
void list_names(struct asked *a);
/* Is there anything below the directory? done(a, kind 'd' or 'n', or 0 and err). */
typedef void (*list_done)(struct asked *a, char kind, const struct bp_err *err);
void list_look(struct asked *a, list_done done);

/* put.c */
int put(const char *url, struct bp_err *err) BP_MUST;
#endif
