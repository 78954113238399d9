/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors. One convention in the whole house: a fallible function returns int,
 * 0 for success, < 0 for one of the codes below with *err filled, and BP_DONE
 * (> 0) only where its header says that it can end. The struct belongs to the
 * caller, is the last argument, and is written once by the lowest level that
 * knows what happened; upper levels put the place in front with
 * bp_err_prefix(). Nothing below lib/tool prints.
 */
#ifndef BP_BASE_ERR_H
#define BP_BASE_ERR_H

#include <stddef.h>

#define BP_MUST __attribute__((warn_unused_result))
#define BP_PRINTF(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))

enum bp_code {
    BP_OK = 0,
    BP_DONE = 1,       /* the end: no more comes, or no more is wanted */
    BP_ESYS = -1,      /* the operating system refused; sys_errno is set */
    BP_EDATA = -2,     /* the input is wrong */
    BP_ENOMEM = -3,    /* memory */
    BP_EUSAGE = -4,    /* the command line is wrong: exit 2 */
    BP_EUPSTREAM = -5, /* the producer of our input failed or died */
    BP_ECLOSED = -6,   /* the consumer of our output closed early: quiet */
    BP_ECOMMAND = -7,  /* a command that we started failed, and has said why; sys_errno is its
                        * exit status */
};

struct bp_err {
    int code;      /* enum bp_code, 0 while nothing failed */
    int sys_errno; /* for BP_ESYS, BP_ECOMMAND */
    char msg[2048];
};

/* Fill *err (unless it already holds an error) and return code. */
int bp_fail(struct bp_err *err, int code, const char *fmt, ...) BP_PRINTF(3, 4);
/* As bp_fail() with BP_ESYS; ": " and the text of sys_errno are appended. */
int bp_fail_errno(struct bp_err *err, int sys_errno, const char *fmt, ...) BP_PRINTF(3, 4);
/* Fill *err with BP_ENOMEM for a request of size_bytes. Returns BP_ENOMEM. */
int bp_fail_oom(struct bp_err *err, size_t size_bytes);
/* Put the place in front of the message: "place: message". Returns err->code. */
int bp_err_prefix(struct bp_err *err, const char *fmt, ...) BP_PRINTF(2, 3);
void bp_err_clear(struct bp_err *err);

/* Hand a failure on; for statements in functions that own nothing yet. */
#define BP_TRY(call)                                                                               \
    do {                                                                                           \
        int bp_try_rc_ = (call);                                                                   \
        if (bp_try_rc_ < 0)                                                                        \
            return bp_try_rc_;                                                                     \
    } while (0)
/* The same where an `out:` label cleans up and `rc` is returned. */
#define BP_GO(call)                                                                                \
    do {                                                                                           \
        rc = (call);                                                                               \
        if (rc < 0)                                                                                \
            goto out;                                                                              \
    } while (0)

#endif
