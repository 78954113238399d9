/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of to_char() and to_number() for numbers, compiled: '9,999.00'. Private to
 * lib/expr. */
#ifndef BP_EXPR_DIGITS_H
#define BP_EXPR_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum bp_dig_key {
    BP_DIG_CHAR, /* stands for itself */
    BP_DIG_9,
    BP_DIG_0,
    BP_DIG_POINT, /* . D */
    BP_DIG_COMMA, /* , G */
    BP_DIG_MI,
    BP_DIG_PL,
    BP_DIG_SG,
    BP_DIG_S,
    BP_DIG_PR,
    BP_DIG_RN,
    BP_DIG_TH,
    BP_DIG_L,
    BP_DIG_V,
    BP_DIG_EEEE,
    BP_DIG_FM,
    BP_DIG_B,
};

enum bp_dig_sign { BP_DIG_PLAIN, BP_DIG_LEADING, BP_DIG_TRAILING };

struct bp_dig {
    uint8_t key; /* enum bp_dig_key */
    uint8_t bytes;
    bool lower; /* rn, th */
    char text[4];
};

struct bp_digits {
    int n;
    struct bp_dig *at;
    int pre, post, multi;   /* digits before and behind the point, and behind V */
    int zero_from, zero_to; /* the first and behind the last place that a 0 keeps; -1: none */
    enum bp_dig_sign sign;  /* S */
    int sign_pre;           /* digits in front of S */
    bool point, fill, minus, plus, bracket, roman, eeee, v;
};

/* BP_EUSAGE and what is wrong with it. */
int bp_digits_parse(struct bp_arena *mem, const char *s, size_t n, struct bp_digits *out,
                    struct bp_err *err) BP_MUST;

#endif
