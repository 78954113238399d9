/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of lib/tool. */
#ifndef BP_TOOL_INTERNAL_H
#define BP_TOOL_INTERNAL_H

#include "tool/tool.h"

/* options.c: argv into t and opts. */
int bp_tool_parse(struct bp_tool *t, void *opts, int argc, char **argv) BP_MUST;
/* settings.c: threads, memory, task from options and environment. */
int bp_tool_settings(struct bp_tool *t) BP_MUST;

#endif
