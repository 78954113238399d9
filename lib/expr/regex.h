/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions, on PCRE2: the only file that meets it is regex.c. As in
 * PostgreSQL a dot matches a newline and ^ $ only the ends of the text, unless
 * flags say otherwise; \w \d \s are ASCII's.
 */
#ifndef BP_EXPR_REGEX_H
#define BP_EXPR_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bp_regex; /* compiled; immutable; matching is thread safe */

struct bp_regex_flags {
    uint32_t options; /* of PCRE2 */
    bool global;
};

/* Flags as letters (g i c n m s p w x q). false: *bad is none. */
bool bp_regex_flags(const char *s, size_t n, struct bp_regex_flags *f, char *bad);

/* BP_EDATA with PCRE2's reason and place if the pattern is wrong. often: worth translating
 * to machine code. */
int bp_regex_new(struct bp_regex **out, const void *pattern, size_t n, struct bp_regex_flags f,
                 bool often, struct bp_err *err) BP_MUST;
void bp_regex_free(struct bp_regex *re);
/* Groups in brackets. */
int bp_regex_groups(const struct bp_regex *re);

/* A place for results; one per thread. */
struct bp_regex_match;
int bp_regex_match_new(struct bp_regex_match **out, const struct bp_regex *re,
                       struct bp_err *err) BP_MUST;
void bp_regex_match_free(struct bp_regex_match *m);

/* First match at or behind `from`: 1, and spans[2 k], spans[2 k + 1] are the borders of
 * group k ((size_t)-1: not part of it); 0 for none; -1 for a match that takes too
 * many steps. */
int bp_regex_find(const struct bp_regex *re, struct bp_regex_match *m, const void *s, size_t n,
                  size_t from, const size_t **spans);

#endif
