/* SPDX-License-Identifier: Apache-2.0 */
/* A growable run of bytes with one owner. Zero-initialise; release frees. */
#ifndef BP_BASE_BUF_H
#define BP_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bp_buf {
    uint8_t *data;
    size_t len, cap;
};

/* Room for extra_bytes more behind len. */
int bp_buf_reserve(struct bp_buf *b, size_t extra_bytes, struct bp_err *err) BP_MUST;
int bp_buf_append(struct bp_buf *b, const void *p, size_t n, struct bp_err *err) BP_MUST;
int bp_buf_puts(struct bp_buf *b, const char *s, struct bp_err *err) BP_MUST;
int bp_buf_printf(struct bp_buf *b, struct bp_err *err, const char *fmt, ...) BP_MUST
    BP_PRINTF(3, 4);
/* NUL behind the contents, not counted in len; the string, or NULL with *err. */
const char *bp_buf_str(struct bp_buf *b, struct bp_err *err) BP_MUST;
void bp_buf_release(struct bp_buf *b);

#endif
