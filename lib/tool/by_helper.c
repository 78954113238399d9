/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables that helper programs read and write (libexec): told by a file's first bytes, or by a
 * name that is a database's. A helper that reads is run with the name and gives its rows as an
 * Arrow stream; one that writes takes such a stream. A row each.
 */
#include <limits.h>
#include <string.h>

#include "base/arena.h"
#include "base/num.h"
#include "sys/libexec.h"
#include "sys/remote.h"
#include "tool/out.h"
#include "tool/pieces.h"

static const struct {
    const char *magic;
    size_t n;
    const char *what, *helper, *package; /* Debian's, that the helper is linked with */
} formats[] = {
    {"Obj\1", 4, "an Avro file", "bp-avro", "zlib1g"},
    {"SQLite format 3", 16, "a database of SQLite", "bp-sqlite", "libsqlite3-0"},
};

/* By name. */
static const struct {
    const char *scheme, *helper, *package;
} servers[] = {
    {"postgresql://", "bp-postgres", "libpq5"},
    {"postgres://", "bp-postgres", "libpq5"},
};

/* By suffix, of a file that need not be there. */
static const struct {
    const char *suffix, *helper;
} files[] = {
    {".db", "bp-sqlite"},
    {".sqlite", "bp-sqlite"},
    {".sqlite3", "bp-sqlite"},
};

static int quote(struct bp_buf *out, const char *text, struct bp_err *err)
{
    BP_TRY(bp_buf_puts(out, " '", err));
    for (; *text; text++)
        BP_TRY(*text == '\'' ? bp_buf_puts(out, "'\\''", err) : bp_buf_append(out, text, 1, err));
    return bp_buf_puts(out, "'", err);
}

/* 'exec HELPER VERB NAME TABLE', in the tool's arena. */
static int command(struct bp_tool *t, const char *helper, const char *verb, const char *name,
                   const char *table, const char **out)
{
    struct bp_buf text = {0};
    char path[PATH_MAX];
    int rc;

    BP_TRY(bp_libexec_path(helper, path, sizeof path, &t->err));
    BP_GO(bp_buf_puts(&text, "exec", &t->err));
    BP_GO(quote(&text, path, &t->err));
    BP_GO(quote(&text, verb, &t->err));
    BP_GO(quote(&text, name, &t->err));
    BP_GO(quote(&text, table, &t->err));
    *out = bp_arena_strn(t->arena, (const char *)text.data, text.len, &t->err);
    rc = *out ? 0 : t->err.code;
out:
    bp_buf_release(&text);
    return rc;
}

/* The helper runs: its stream begins, or it has said why not. */
static int start(struct bp_tool *t, struct bp_piece *p, const char *what, const char *helper,
                 const char *package)
{
    struct bp_err *err = &t->err;
    const uint8_t *ahead;
    bool is_absent;
    size_t got;

    BP_TRY(bp_input_from_command(&p->in, p->path, p->command, err));
    if (bp_input_peek(&p->in, 8, &ahead, &got, err) == 0)
        return 0;
    if (err->code != BP_ECOMMAND)
        return err->code;
    is_absent = err->sys_errno == 127; /* the loader says so */
    bp_err_clear(err);
    if (is_absent)
        return bp_fail(err, BP_EDATA,
                       "'%s' is %s, and the helper that reads it cannot start: is Debian's %s "
                       "installed?",
                       p->path, what, package);
    return bp_fail(err, BP_EUPSTREAM, "'%s' was not read by %s", p->path, helper);
}

int bp_piece_by_helper(struct bp_tool *t, struct bp_piece *p, const char *table,
                       const uint8_t *head, size_t n, bool *is_one)
{
    struct bp_err *err = &t->err;
    size_t i = 0;

    while (i < BP_COUNT_OF(formats) &&
           (n < formats[i].n || memcmp(head, formats[i].magic, formats[i].n) != 0))
        i++;
    *is_one = i < BP_COUNT_OF(formats);
    if (!*is_one)
        return 0;
    if (!p->in.is_file || bp_remote_kind(p->path) || strcmp(p->path, "-") == 0)
        return bp_fail(err, BP_EDATA, "'%s' is %s, which must be a plain file on a disk",
                       p->in.name, formats[i].what);
    BP_TRY(command(t, formats[i].helper, "read", p->path, table, &p->command));
    bp_input_close(&p->in);
    return start(t, p, formats[i].what, formats[i].helper, formats[i].package);
}

/* ---- names of databases ---- */

static int server_of(const char *name)
{
    for (size_t i = 0; i < BP_COUNT_OF(servers); i++)
        if (strncmp(name, servers[i].scheme, strlen(servers[i].scheme)) == 0)
            return (int)i;
    return -1;
}

bool bp_is_database_name(const char *name)
{
    return server_of(name) >= 0;
}

/* What stands in a name shows in ps, in the shell's history and in the lineage of what is made. */
static int check_no_password(struct bp_tool *t, const char *name)
{
    const char *host = strstr(name, "://") + 3, *at = strpbrk(host, "@/?#");
    const char *colon = strchr(host, ':');

    if ((at && *at == '@' && colon && colon < at) || strstr(name, "password="))
        return bp_fail(&t->err, BP_EUSAGE,
                       "a password does not belong into the name of a table, which others can "
                       "see: put it into ~/.pgpass or PGPASSWORD");
    return 0;
}

/* NAME#TABLE -> both, in the tool's arena. */
static int cut_table(struct bp_tool *t, const char *name, const char **base, const char **table)
{
    const char *hash = strrchr(name, '#');

    if (!hash || !hash[1])
        return bp_fail(&t->err, BP_EUSAGE, "'%s' names no table: '%s#TABLE'", name, name);
    *base = bp_arena_strn(t->arena, name, (size_t)(hash - name), &t->err);
    *table = hash + 1;
    return *base ? 0 : t->err.code;
}

int bp_piece_of_database(struct bp_tool *t, struct bp_piece *p)
{
    int i = server_of(p->path);
    const char *base, *table;

    BP_TRY(check_no_password(t, p->path));
    BP_TRY(cut_table(t, p->path, &base, &table));
    BP_TRY(command(t, servers[i].helper, "read", base, table, &p->command));
    return start(t, p, "a table of a server", servers[i].helper, servers[i].package);
}

static const char *file_helper(const char *name)
{
    const char *hash = strrchr(name, '#');
    size_t n = hash ? (size_t)(hash - name) : 0;

    for (size_t i = 0; i < BP_COUNT_OF(files); i++) {
        size_t len = strlen(files[i].suffix);

        if (n > len && memcmp(name + n - len, files[i].suffix, len) == 0)
            return files[i].helper;
    }
    return NULL;
}

int bp_out_by_helper(struct bp_tool *t, const char *name, bool replace, const char **text)
{
    const char *helper = NULL, *base, *table;
    int i = server_of(name);

    *text = NULL;
    if (i >= 0) {
        BP_TRY(check_no_password(t, name));
        helper = servers[i].helper;
    } else if (!bp_remote_kind(name)) {
        helper = file_helper(name);
    }
    if (!helper)
        return 0;
    BP_TRY(cut_table(t, name, &base, &table));
    return command(t, helper, replace ? "replace" : "write", base, table, text);
}
