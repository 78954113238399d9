/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/library.h"

#include <dlfcn.h>
#include <errno.h>

int bp_library_symbol(const char *soname, const char *package, const char *symbol, void **out,
                      struct bp_err *err)
{
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL); /* a second time: the same handle */

    if (!library) {
        const char *why = dlerror();

        return bp_fail(err, BP_ESYS, "%s is needed (Debian package %s): %s", soname, package,
                       why ? why : "out of memory");
    }
    *out = dlsym(library, symbol);
    if (!*out)
        return bp_fail_errno(err, ENOSYS, "%s has no %s", soname, symbol);
    return 0;
}
