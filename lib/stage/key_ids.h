/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers for keys: distinct key tuples are 0, 1, 2, ... in order of appearance. */
#ifndef BP_STAGE_KEY_IDS_H
#define BP_STAGE_KEY_IDS_H

#include "col/column.h"

struct bp_key_ids;

int bp_key_ids_open(struct bp_key_ids **out, int n_cols, struct bp_err *err) BP_MUST;
/* ids[i] is the number of row i. Equal as group keys are (key.h). */
int bp_key_ids_get(struct bp_key_ids *k, const struct bp_column *const cols[], int64_t n_rows,
                   uint32_t *ids, struct bp_err *err) BP_MUST;
uint32_t bp_key_ids_count(const struct bp_key_ids *k);
int64_t bp_key_ids_bytes(const struct bp_key_ids *k); /* memory that the keys take */
void bp_key_ids_free(struct bp_key_ids *k);           /* NULL is a no-op */

#endif
