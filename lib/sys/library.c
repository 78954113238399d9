/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/library.h"

#include <dlfcn.h>
#include <errno.h>

int bp_library_symbol(const char *soname, const char *package, const char *symbol, void **out,
                      struct bp_err *err)
{
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL); /* a second time: the same handle */

    if (!library)
        return bp_fail_errno(err, ENOENT, "%s is needed (Debian package %s)", soname, package);
    *out = dlsym(library, symbol);
    if (!*out)
        return bp_fail_errno(err, ENOSYS, "%s has no %s", soname, symbol);
    return 0;
}
