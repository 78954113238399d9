/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones, out of the system's TZif files (RFC 8536) under /usr/share/zoneinfo.
 * Private to lib/expr. The environment is never asked. Seconds count from
 * 1970-01-01; offsets are seconds east of UTC.
 */
#ifndef BP_EXPR_ZONE_H
#define BP_EXPR_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* When one of the two changes of a year is: zone_rule.c. */
struct bp_zone_day {
    uint8_t form; /* 'M': weekday d of week w of month m; 'J': day d, 29 February not counted;
                   * 'D': day d from 0 */
    uint8_t month, week;
    int16_t day;
    int32_t time_s; /* of the clock then in use; may lie days off */
};

/* A POSIX TZ text: "CET-1CEST,M3.5.0,M10.5.0/3". */
struct bp_zone_rule {
    int32_t std_s, dst_s;
    bool has_dst;
    struct bp_zone_day from, to; /* of the summer time */
};

struct bp_zone {
    int n; /* changes in the file */
    int64_t *at;
    int32_t *offset_s; /* n + 1: before the first, then from each on */
    bool has_rule;     /* for what comes after the last */
    struct bp_zone_rule rule;
};

/* The time between two changes that holds some instant. */
struct bp_zone_span {
    int64_t from, to; /* [from, to), INT64_MIN and INT64_MAX at the ends */
    int32_t offset_s;
};

/* A name as PostgreSQL takes it: an abbreviation (EST, CET, Z), a name of the zone database in
 * any case, or a POSIX text (EST5EDT; in UTC+3 and +3 the clock is three hours BEHIND). BP_EDATA
 * if there is no such zone; what is in *out lives in mem. */
int bp_zone_find(struct bp_arena *mem, const char *name, size_t n, struct bp_zone *out,
                 struct bp_err *err) BP_MUST;
/* The contents of a TZif file. BP_EDATA if they are none. */
int bp_zone_read(struct bp_arena *mem, const uint8_t *p, size_t n, struct bp_zone *out,
                 struct bp_err *err) BP_MUST;
struct bp_zone bp_zone_fixed(int32_t offset_s);
struct bp_zone_span bp_zone_span(const struct bp_zone *z, int64_t t);
/* The offset of a local time. One that the clock skips is read with the offset before the
 * change, one that it shows twice with the offset after it, as PostgreSQL does. s is a cache:
 * any span of z, left as that of the answer. */
int32_t bp_zone_local_offset(const struct bp_zone *z, int64_t local, struct bp_zone_span *s);

/* zone_rule.c. false: s is no such text. */
bool bp_zone_rule_parse(const char *s, size_t n, struct bp_zone_rule *out);
struct bp_zone_span bp_zone_rule_span(const struct bp_zone_rule *r, int64_t t);

#endif
