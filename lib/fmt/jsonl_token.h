/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of JSON (RFC 8259) within one line. Every function reads forward from
 * q and stops at the latest at the LF that ends the line: an LF can stand in no
 * token. So nothing else bounds them, but that JSONL_PAD_BYTES behind the LF are
 * readable. A token that is wrong gives NULL, with *bad at the byte and a reason.
 */
#ifndef BP_FMT_JSONL_TOKEN_H
#define BP_FMT_JSONL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSONL_PAD_BYTES 64
#define JSONL_DEPTH_MAX 512 /* of lists and objects in one another */

/* Most often an object that was printed for people, over several lines. */
#define JSONL_CUT "the line ends in the middle of an object (jq -c . puts each on one line)"

struct jsonl_bad {
    const uint8_t *at;
    const char *why; /* a constant */
};

/* q behind blanks. */
static inline const uint8_t *jsonl_blanks(const uint8_t *q)
{
    while (*q == ' ' || *q == '\t' || *q == '\r')
        q++;
    return q;
}

/* q is behind the opening quote -> the closing one. Escapes are checked; *escaped
 * is set if there are any. */
const uint8_t *jsonl_string_end(const uint8_t *q, bool *escaped, struct jsonl_bad *bad);
/* q is at a '-' or digit -> behind the number. */
const uint8_t *jsonl_number_end(const uint8_t *q, struct jsonl_bad *bad);
/* q is at any value, checked whole -> behind it. */
const uint8_t *jsonl_value_end(const uint8_t *q, struct jsonl_bad *bad);
/* The same of a value that was checked before. */
static inline const uint8_t *jsonl_good_end(const uint8_t *q)
{
    struct jsonl_bad bad;

    return jsonl_value_end(q, &bad);
}
/* The text of a string whose escapes were checked; at most n bytes. */
size_t jsonl_unescape(uint8_t *out, const uint8_t *s, size_t n);

#endif
