/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formats of to_char(), to_timestamp() and to_date() for dates and times, compiled:
 * 'YYYY-MM-DD HH24:MI'. Private to lib/expr.
 */
#ifndef BP_EXPR_PICTURE_H
#define BP_EXPR_PICTURE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum bp_pic_key {
    BP_PIC_AD,
    BP_PIC_AM,
    BP_PIC_CC,
    BP_PIC_DAY,
    BP_PIC_DDD,
    BP_PIC_DD,
    BP_PIC_DY,
    BP_PIC_D,
    BP_PIC_FF, /* number: digits */
    BP_PIC_FX,
    BP_PIC_HH24,
    BP_PIC_HH12,
    BP_PIC_IDDD,
    BP_PIC_ID,
    BP_PIC_IW,
    BP_PIC_J,
    BP_PIC_MI,
    BP_PIC_MM,
    BP_PIC_MONTH,
    BP_PIC_MON,
    BP_PIC_MS,
    BP_PIC_OF,
    BP_PIC_Q,
    BP_PIC_RM,
    BP_PIC_SSSS,
    BP_PIC_SS,
    BP_PIC_TZH,
    BP_PIC_TZM,
    BP_PIC_TZ,
    BP_PIC_US,
    BP_PIC_WW,
    BP_PIC_W,
    BP_PIC_Y_YYY,
    BP_PIC_YEAR,    /* number: digits */
    BP_PIC_ISOYEAR, /* number: digits */
};

enum bp_pic_kind { BP_PIC_FIELD, BP_PIC_SPACE, BP_PIC_SEPARATOR, BP_PIC_CHAR };
enum bp_pic_case { BP_PIC_UPPER, BP_PIC_CAPITAL, BP_PIC_LOWER };

struct bp_piece {
    uint8_t kind;    /* enum bp_pic_kind */
    uint8_t key;     /* enum bp_pic_key */
    uint8_t number;  /* of the key */
    uint8_t letters; /* enum bp_pic_case */
    uint8_t bytes;   /* of the field's name, or of the character */
    bool dots;       /* A.D. P.M. */
    bool digits;     /* is read as a number */
    bool fill;       /* FM: no padding */
    bool local;      /* TM: as FM for names */
    char th;         /* 0, 't' or 'T': an ordinal's ending */
    char text[4];    /* one character */
};

struct bp_picture {
    int n;
    struct bp_piece *pieces;
};

int bp_picture_parse(struct bp_arena *mem, const char *s, size_t n, struct bp_picture *out,
                     struct bp_err *err) BP_MUST;

/* January ... December; Sunday ... Saturday. */
extern const char *const bp_month_names[12], *const bp_day_names[7], *const bp_roman_months[12];

#endif
