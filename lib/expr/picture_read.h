/* SPDX-License-Identifier: Apache-2.0 */
/* Text -> fields by a format. Private to lib/expr. */
#ifndef BP_EXPR_PICTURE_READ_H
#define BP_EXPR_PICTURE_READ_H

#include "expr/picture.h"

/* 0: not given. */
struct bp_pic_fields {
    int year, year_digits, century, month, day, yday, wday /* 1 is Sunday */, week, week_of_month,
        julian;
    int hour, minute, second, second_of_day, ms, us;
    int pm, bc;
    int zone_sign, zone_hour, zone_minute;
    bool half_day, us_done;
};

extern const int bp_pic_pow10[7];

/* false: the text does not have what the format asks for. */
bool bp_picture_read(const struct bp_picture *pic, const char *s, size_t n,
                     struct bp_pic_fields *out);

#endif
