/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats that helper programs read (libexec): told by the file's first bytes; the helper is
 * run with the file's name and gives its rows as an Arrow stream. A row each.
 */
#include <limits.h>
#include <string.h>

#include "base/arena.h"
#include "base/num.h"
#include "sys/libexec.h"
#include "sys/remote.h"
#include "tool/pieces.h"

static const struct {
    const char *magic;
    size_t n;
    const char *what, *helper, *package; /* Debian's, that the helper is linked with */
} formats[] = {
    {"Obj\1", 4, "an Avro file", "bp-avro", "zlib1g"},
    {"SQLite format 3", 16, "a database of SQLite", "bp-sqlite", "libsqlite3-0"},
};

static int quote(struct bp_buf *out, const char *text, struct bp_err *err)
{
    BP_TRY(bp_buf_puts(out, " '", err));
    for (; *text; text++)
        BP_TRY(*text == '\'' ? bp_buf_puts(out, "'\\''", err) : bp_buf_append(out, text, 1, err));
    return bp_buf_puts(out, "'", err);
}

static int command(struct bp_tool *t, struct bp_piece *p, size_t format, const char *table)
{
    struct bp_buf text = {0};
    char helper[PATH_MAX];
    int rc;

    BP_TRY(bp_libexec_path(formats[format].helper, helper, sizeof helper, &t->err));
    BP_GO(bp_buf_puts(&text, "exec", &t->err));
    BP_GO(quote(&text, helper, &t->err));
    BP_GO(quote(&text, p->path, &t->err));
    BP_GO(quote(&text, table, &t->err));
    p->command = bp_arena_strn(t->arena, (const char *)text.data, text.len, &t->err);
    rc = p->command ? 0 : t->err.code;
out:
    bp_buf_release(&text);
    return rc;
}

int bp_piece_by_helper(struct bp_tool *t, struct bp_piece *p, const char *table,
                       const uint8_t *head, size_t n, bool *is_one)
{
    struct bp_err *err = &t->err;
    const uint8_t *ahead;
    size_t i = 0, got;

    while (i < BP_COUNT_OF(formats) &&
           (n < formats[i].n || memcmp(head, formats[i].magic, formats[i].n) != 0))
        i++;
    *is_one = i < BP_COUNT_OF(formats);
    if (!*is_one)
        return 0;
    if (!p->in.is_file || bp_remote_kind(p->path) || strcmp(p->path, "-") == 0)
        return bp_fail(err, BP_EDATA, "'%s' is %s, which must be a plain file on a disk",
                       p->in.name, formats[i].what);
    BP_TRY(command(t, p, i, table));
    bp_input_close(&p->in);
    BP_TRY(bp_input_from_command(&p->in, p->path, p->command, err));
    if (bp_input_peek(&p->in, 8, &ahead, &got, err) < 0) {
        bool is_absent = strstr(err->msg, "exit status 127") != NULL; /* the loader says so */

        bp_err_clear(err);
        if (is_absent)
            return bp_fail(err, BP_EDATA,
                           "'%s' is %s, and the helper that reads it cannot start: is Debian's %s "
                           "installed?",
                           p->path, formats[i].what, formats[i].package);
        return bp_fail(err, BP_EUPSTREAM, "'%s' was not read by %s", p->path, formats[i].helper);
    }
    return 0;
}
