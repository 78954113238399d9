/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(struct bp_err *err, int code, const char *fmt, va_list ap)
{
    err->code = code;
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
}

int bp_fail(struct bp_err *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (err->code)
        return err->code;
    va_start(ap, fmt);
    put(err, code, fmt, ap);
    va_end(ap);
    return code;
}

int bp_fail_errno(struct bp_err *err, int sys_errno, const char *fmt, ...)
{
    va_list ap;
    size_t len;

    if (err->code)
        return err->code;
    va_start(ap, fmt);
    put(err, BP_ESYS, fmt, ap);
    va_end(ap);
    err->sys_errno = sys_errno;
    len = strlen(err->msg);
    snprintf(err->msg + len, sizeof err->msg - len, ": %s", strerror(sys_errno));
    return BP_ESYS;
}

int bp_fail_oom(struct bp_err *err, size_t size_bytes)
{
    return bp_fail(err, BP_ENOMEM, "out of memory: %zu bytes were refused", size_bytes);
}

int bp_err_prefix(struct bp_err *err, const char *fmt, ...)
{
    char place[1024];
    size_t n, len;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(place, sizeof place - 2, fmt, ap);
    va_end(ap);
    strcat(place, ": ");
    n = strlen(place);
    len = strlen(err->msg);
    if (n + len >= sizeof err->msg)
        len = sizeof err->msg - 1 - n;
    memmove(err->msg + n, err->msg, len);
    memcpy(err->msg, place, n);
    err->msg[n + len] = '\0';
    return err->code;
}

void bp_err_clear(struct bp_err *err)
{
    err->code = 0;
    err->sys_errno = 0;
    err->msg[0] = '\0';
}
