/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/libexec.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int bp_libexec_path(const char *name, char *out, size_t n, struct bp_err *err)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (len < 0)
        return bp_fail_errno(err, errno, "cannot tell where this program lies");
    self[len] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(self, '/');

        if (slash)
            *slash = '\0';
    }
    if ((size_t)snprintf(out, n, "%s/libexec/batchpipe/%s", self, name) >= n ||
        access(out, X_OK) < 0)
        return bp_fail(err, BP_EDATA, "the helper program '%s' is not installed", out);
    return 0;
}
