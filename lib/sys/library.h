/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared libraries that are loaded when a table needs them, not when a program
 * starts: what few tables need would cost every start (C++'s run-time library,
 * tables of constants).
 */
#ifndef BP_SYS_LIBRARY_H
#define BP_SYS_LIBRARY_H

#include "base/err.h"

/* The address of symbol in the library (soname), which stays loaded. Where it is
 * not installed: BP_ESYS, naming the Debian package. Thread safe. */
int bp_library_symbol(const char *soname, const char *package, const char *symbol, void **out,
                      struct bp_err *err) BP_MUST;

#endif
