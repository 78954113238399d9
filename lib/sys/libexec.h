/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that are started by ours, never by hand: libexec/. */
#ifndef BP_SYS_LIBEXEC_H
#define BP_SYS_LIBEXEC_H

#include <stddef.h>

#include "base/err.h"

/* The helper of this program's build: BIN/../libexec/batchpipe/NAME. */
int bp_libexec_path(const char *name, char *out, size_t n, struct bp_err *err) BP_MUST;

#endif
