/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/stage: paths of task files. */
#ifndef BP_STAGE_NAMES_H
#define BP_STAGE_NAMES_H

#include "stage/stage.h"

#define BP_STAGE_SUFFIX ".arrow"

/* dir/name, from bp_mem; NULL with *err filled. */
char *bp_task_path(const char *dir, const char *name, struct bp_err *err) BP_MUST;

#endif
