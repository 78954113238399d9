/* SPDX-License-Identifier: Apache-2.0 */
/* Reading TZif files, finding them by name, looking up offsets. */
#include "expr/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "expr/moment.h"
#include "sys/dir.h"
#include "sys/input.h"

#define ROOM "/usr/share/zoneinfo"
#define MAX_FILE_BYTES (1 << 20)

/* ---- TZif ---- */

static int64_t big_endian(const uint8_t *p, int bytes)
{
    uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;

    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

struct header {
    int version;
    uint32_t n_utc, n_std, n_leap, n_at, n_types, n_chars;
};

/* At p: a header, then data with times of the given width. Returns where the data end, 0 if they
 * do not fit. */
static size_t data_end(const uint8_t *p, size_t n, int width, struct header *h)
{
    uint64_t size;

    if (n < 44 || memcmp(p, "TZif", 4) != 0)
        return 0;
    h->version = p[4] >= '2' ? p[4] - '0' : 1;
    h->n_utc = (uint32_t)big_endian(p + 20, 4);
    h->n_std = (uint32_t)big_endian(p + 24, 4);
    h->n_leap = (uint32_t)big_endian(p + 28, 4);
    h->n_at = (uint32_t)big_endian(p + 32, 4);
    h->n_types = (uint32_t)big_endian(p + 36, 4);
    h->n_chars = (uint32_t)big_endian(p + 40, 4);
    size = 44 + (uint64_t)h->n_at * (uint64_t)(width + 1) + (uint64_t)h->n_types * 6 + h->n_chars +
           (uint64_t)h->n_leap * (uint64_t)(width + 4) + h->n_std + h->n_utc;
    return size > n || h->n_types == 0 ? 0 : (size_t)size;
}

static bool read_data(const uint8_t *p, const struct header *h, int width, struct bp_zone *z)
{
    const uint8_t *at = p + 44, *which = at + (size_t)h->n_at * (size_t)width;
    const uint8_t *types = which + h->n_at;

    z->n = (int)h->n_at;
    z->offset_s[0] = (int32_t)big_endian(types, 4);
    for (uint32_t i = 0; i < h->n_at; i++) {
        z->at[i] = big_endian(at + (size_t)i * (size_t)width, width);
        if (which[i] >= h->n_types || (i && z->at[i] <= z->at[i - 1]))
            return false;
        z->offset_s[i + 1] = (int32_t)big_endian(types + (size_t)which[i] * 6, 4);
    }
    for (uint32_t i = 0; i <= h->n_at; i++)
        if (z->offset_s[i] <= -7 * BP_DAY_S || z->offset_s[i] >= 7 * BP_DAY_S)
            return false;
    return true;
}

/* From version 2 on the data stand there once more with wide times, and a rule behind them. */
int bp_zone_read(struct bp_arena *mem, const uint8_t *p, size_t n, struct bp_zone *out,
                 struct bp_err *err)
{
    struct header h;
    size_t end = data_end(p, n, 4, &h);
    const uint8_t *rule;
    int width = 4;

    memset(out, 0, sizeof *out);
    if (end && h.version > 1) {
        p += end;
        n -= end;
        width = 8;
        end = data_end(p, n, width, &h);
    }
    if (!end || h.n_leap)
        return bp_fail(err, BP_EDATA, "this is no TZif file");
    out->at = bp_arena_alloc(mem, ((size_t)h.n_at + 1) * sizeof *out->at, err);
    out->offset_s =
        out->at ? bp_arena_alloc(mem, ((size_t)h.n_at + 1) * sizeof *out->offset_s, err) : NULL;
    if (!out->offset_s)
        return err->code;
    if (!read_data(p, &h, width, out))
        return bp_fail(err, BP_EDATA, "the TZif file is damaged");
    p += end;
    n -= end;
    rule = n > 1 && width == 8 && p[0] == '\n' ? memchr(p + 1, '\n', n - 1) : NULL;
    if (rule && rule > p + 1) {
        if (!bp_zone_rule_parse((const char *)p + 1, (size_t)(rule - p) - 1, &out->rule))
            return bp_fail(err, BP_EDATA, "the TZif file ends in no rule");
        out->has_rule = true;
    }
    return 0;
}

/* ---- names ---- */

/* Abbreviations of one fixed offset, in minutes, as PostgreSQL's default set has them. */
static const struct {
    const char name[6];
    int16_t minutes;
} abbreviations[] = {
    {"acdt", 630},  {"acst", 570}, {"adt", -180}, {"aedt", 660}, {"aest", 600}, {"akdt", -480},
    {"akst", -540}, {"ast", -240}, {"awst", 480}, {"bst", 60},   {"cdt", -300}, {"cest", 120},
    {"cet", 60},    {"cst", -360}, {"eat", 180},  {"edt", -240}, {"eest", 180}, {"eet", 120},
    {"est", -300},  {"gmt", 0},    {"hkt", 480},  {"hst", -600}, {"ict", 420},  {"idt", 180},
    {"ist", 120},   {"jst", 540},  {"kst", 540},  {"mdt", -360}, {"mest", 120}, {"mesz", 120},
    {"met", 60},    {"mez", 60},   {"msk", 180},  {"mst", -420}, {"ndt", -150}, {"nst", -210},
    {"nzdt", 780},  {"nzst", 720}, {"nzt", 720},  {"pdt", -420}, {"pht", 480},  {"pkt", 300},
    {"pst", -480},  {"sast", 120}, {"uct", 0},    {"ut", 0},     {"utc", 0},    {"wat", 60},
    {"wet", 0},     {"z", 0},      {"zulu", 0},
};

struct bp_zone bp_zone_fixed(int32_t offset_s)
{
    return (struct bp_zone){.has_rule = true, .rule = {.std_s = offset_s}};
}

/* Letters, digits and _ + - between slashes: a path that stays inside. */
static bool is_name(const char *s, size_t n)
{
    if (n == 0 || n > 200 || s[0] == '/' || s[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(s[i] >= 'a' && s[i] <= 'z') && !(s[i] >= 'A' && s[i] <= 'Z') &&
            !(s[i] >= '0' && s[i] <= '9') && !strchr("/_+-", s[i]))
            return false;
    return true;
}

/* path + "/" + the entry of the directory that is name in any case; false if there is none. */
static bool step_in(char *path, size_t cap, const char *name, size_t n)
{
    struct bp_names list = {0};
    struct bp_err quiet = {0};
    size_t len = strlen(path);
    bool found = false;

    if (len + n + 2 > cap)
        return false;
    path[len] = '/';
    memcpy(path + len + 1, name, n);
    path[len + 1 + n] = '\0';
    if (bp_path_kind(path) != BP_PATH_NONE)
        return true;
    path[len] = '\0';
    if (bp_dir_list(path, false, &list, &quiet) < 0)
        return false;
    for (int i = 0; i < list.n && !found; i++)
        if (strlen(list.names[i]) == n && strncasecmp(list.names[i], name, n) == 0) {
            found = true;
            path[len] = '/';
            memcpy(path + len + 1, list.names[i], n);
        }
    bp_names_release(&list);
    return found;
}

static bool find_file(char *path, size_t cap, const char *name, size_t n)
{
    snprintf(path, cap, "%s", ROOM);
    while (n > 0) {
        const char *slash = memchr(name, '/', n);
        size_t k = slash ? (size_t)(slash - name) : n;

        if (k == 0 || !step_in(path, cap, name, k))
            return false;
        name += BP_MIN(k + 1, n);
        n -= BP_MIN(k + 1, n);
    }
    return bp_path_kind(path) == BP_PATH_FILE;
}

static int read_named(struct bp_arena *mem, const char *path, struct bp_zone *out,
                      struct bp_err *err)
{
    struct bp_buf b = {0};
    int rc = bp_read_file(path, MAX_FILE_BYTES, &b, err);

    if (rc == 0)
        rc = bp_zone_read(mem, b.data, b.len, out, err);
    bp_buf_release(&b);
    return rc < 0 ? bp_err_prefix(err, "%s", path) : 0;
}

int bp_zone_find(struct bp_arena *mem, const char *name, size_t n, struct bp_zone *out,
                 struct bp_err *err)
{
    char path[512];

    for (size_t i = 0; i < BP_COUNT_OF(abbreviations); i++)
        if (strlen(abbreviations[i].name) == n &&
            strncasecmp(abbreviations[i].name, name, n) == 0) {
            *out = bp_zone_fixed(abbreviations[i].minutes * 60);
            return 0;
        }
    if (is_name(name, n) && find_file(path, sizeof path, name, n))
        return read_named(mem, path, out, err);
    memset(out, 0, sizeof *out);
    out->has_rule = bp_zone_rule_parse(name, n, &out->rule);
    if (out->has_rule)
        return 0;
    if (bp_path_kind(ROOM) != BP_PATH_DIR)
        return bp_fail(err, BP_EDATA, "there are no time zones in %s: install tzdata", ROOM);
    return bp_fail(err, BP_EDATA, "there is no time zone '%.*s'", (int)BP_MIN(n, 60), name);
}

/* ---- looking up ---- */

struct bp_zone_span bp_zone_span(const struct bp_zone *z, int64_t t)
{
    struct bp_zone_span s;
    int lo = 0, hi = z->n; /* changes [0, lo) are at or before t, [hi, n) behind it */

    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;

        if (z->at[mid] <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == z->n && z->has_rule) {
        s = bp_zone_rule_span(&z->rule, t);
        if (z->n)
            s.from = BP_MAX(s.from, z->at[z->n - 1]);
        return s;
    }
    s.from = lo ? z->at[lo - 1] : INT64_MIN;
    s.to = lo < z->n ? z->at[lo] : INT64_MAX;
    s.offset_s = z->offset_s[lo];
    return s;
}

/* Both readings are tried against the first change that could matter: that behind the day
 * before. */
int32_t bp_zone_local_offset(const struct bp_zone *z, int64_t local, struct bp_zone_span *s)
{
    int32_t before, after;
    int64_t change;

    if (local > INT64_MAX / 2 || local < INT64_MIN / 2)
        return 0;
    if (local - BP_DAY_S >= s->from && local + BP_DAY_S < s->to)
        return s->offset_s;
    *s = bp_zone_span(z, local - BP_DAY_S);
    if (s->to == INT64_MAX)
        return s->offset_s;
    before = s->offset_s;
    change = s->to;
    if (local - before < change && local + BP_DAY_S < change)
        return before;
    after = bp_zone_span(z, change).offset_s;
    if (local - before < change && local - after < change)
        return before;
    if (local - before > change && local - after >= change)
        return after;
    return local - before > local - after ? before : after;
}
