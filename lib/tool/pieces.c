/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/pieces.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "codec/codec.h"
#include "fmt/parquet/parquet.h"
#include "ipc/ipc.h"
#include "stage/hive.h"
#include "stage/manifest.h"
#include "sys/dir.h"
#include "sys/remote.h"

#define AWAKE_FILES 16 /* others are put to rest until they are read */

struct finding {
    struct bp_tool *t;
    const struct bp_open *o;
    struct bp_pieces *out;
    /* of the directory operand at hand */
    int depth;
    struct bp_manifest list; /* of its _SUCCESS, if that is ours */
    const char *schema_text;
    const char *all_text;     /* all columns, those of its directories behind the files' */
    struct bp_constant *hive; /* what the names on the way down tell */
    int n_hive;
};

static int add_operand(struct finding *f, const char *name);

static struct bp_piece *new_piece(struct finding *f, const char *path)
{
    struct bp_pieces *out = f->out;
    struct bp_piece *grown, *p;

    if (out->n % 64 == 0) {
        grown = bp_mem_grow(out->items, (size_t)out->n + 64, sizeof *grown, &f->t->err);
        if (!grown)
            return NULL;
        out->items = grown;
    }
    p = &out->items[out->n];
    memset(p, 0, sizeof *p);
    p->in.fd = -1;
    p->range.first = -1;
    p->hive = f->hive;
    p->n_hive = f->n_hive;
    p->schema_text = f->schema_text;
    p->path = bp_arena_str(f->t->arena, path, &f->t->err);
    if (!p->path)
        return NULL;
    out->n++;
    return p;
}

void bp_pieces_release(struct bp_pieces *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->items[i].in.name)
            bp_input_close(&p->items[i].in);
    bp_mem_free(p->items);
    memset(p, 0, sizeof *p);
}

/* ---- a file: by its first bytes, then by its name ---- */

static bool ends_in(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* Is s a name with this suffix, or that of a compressed file? */
static bool is_named(const char *s, const char *suffix)
{
    static const char *const packed[] = {".gz", ".zst", ".lz4", ".bz2", ".xz"};
    size_t n = strlen(s), k = strlen(suffix);

    for (size_t i = 0; i < BP_COUNT_OF(packed); i++)
        if (ends_in(s, packed[i])) {
            n -= strlen(packed[i]);
            break;
        }
    return n >= k && memcmp(s + n - k, suffix, k) == 0;
}

static int unreadable_format(struct finding *f, const char *path, const uint8_t *head, size_t n)
{
    const char *what = NULL;

    if (n >= 4 && memcmp(head, "PARE", 4) == 0)
        what = "encrypted Parquet";
    if (!what)
        return 0;
    return bp_fail(&f->t->err, BP_EDATA,
                   "'%s' is %s, which this version does not read (CSV, TSV, JSON Lines, Arrow and "
                   "Parquet are)",
                   path, what);
}

static int by_format_option(struct finding *f, const char *path, struct bp_piece *p, bool *told)
{
    const char *format = f->o->format;

    *told = true;
    if (!format) {
        *told = false;
    } else if (strcmp(format, "csv") == 0) {
        p->kind = BP_PIECE_CSV;
    } else if (strcmp(format, "tsv") == 0) {
        p->kind = BP_PIECE_TSV;
    } else if (strcmp(format, "jsonl") == 0) {
        p->kind = BP_PIECE_JSONL;
    } else if (strcmp(format, "arrow") == 0 || strcmp(format, "parquet") == 0) {
        *told = false;
    } else {
        return bp_fail(&f->t->err, BP_EUSAGE,
                       "-f %s: the formats are csv, tsv, jsonl, arrow and parquet", format);
    }
    (void)path;
    return 0;
}

/* An object where a first line would be, unless the name says that it is CSV. */
static bool is_jsonl(const char *path, const uint8_t *head, size_t n)
{
    size_t i = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    if (is_named(path, ".jsonl") || is_named(path, ".ndjson") || is_named(path, ".json"))
        return true;
    if (is_named(path, ".csv") || is_named(path, ".tsv") || is_named(path, ".tab"))
        return false;
    while (i < n && strchr(" \t\r\n", head[i]) && head[i])
        i++;
    if (i == n || head[i++] != '{')
        return false;
    while (i < n && (head[i] == ' ' || head[i] == '\t'))
        i++;
    return i < n && (head[i] == '"' || head[i] == '}');
}

static int tell_text(struct finding *f, struct bp_piece *p, const uint8_t *head, size_t got)
{
    const char *path = p->path;
    bool is_stdin = strcmp(path, "-") == 0;

    if (f->o->format && strcmp(f->o->format, "arrow") == 0)
        return bp_fail(&f->t->err, BP_EDATA, "'%s' is neither an Arrow stream nor an Arrow file",
                       p->in.name);
    if (f->o->format && strcmp(f->o->format, "parquet") == 0)
        return bp_fail(&f->t->err, BP_EDATA, "'%s' is not a Parquet file", p->in.name);
    if (is_stdin && !f->o->text_on_stdin) {
        if (got == 0)
            return bp_fail(&f->t->err, BP_EUPSTREAM,
                           "stdin is empty: its producer failed or wrote nothing");
        return bp_fail(&f->t->err, BP_EDATA,
                       "stdin is not an Arrow stream (it begins with '%.*s'): for text put "
                       "bp-read in front",
                       (int)BP_MIN(got, strcspn((const char *)head, "\n")), (const char *)head);
    }
    BP_TRY(unreadable_format(f, path, head, got));
    if (is_jsonl(path, head, got))
        p->kind = BP_PIECE_JSONL;
    else
        p->kind = is_named(path, ".tsv") || is_named(path, ".tab") ? BP_PIECE_TSV : BP_PIECE_CSV;
    return 0;
}

/* --from: its {} is the name, as one word of the shell. */
static int command_for(struct finding *f, const char *name, struct bp_buf *out)
{
    struct bp_err *err = &f->t->err;
    const char *from = f->o->from;

    if (!strstr(from, "{}"))
        return bp_fail(err, BP_EUSAGE, "--from '%s': {} says where the name of the input goes",
                       from);
    for (const char *at; (at = strstr(from, "{}")); from = at + 2) {
        BP_TRY(bp_buf_append(out, from, (size_t)(at - from), err));
        BP_TRY(bp_buf_puts(out, "'", err));
        for (const char *s = name; *s; s++)
            BP_TRY(*s == '\'' ? bp_buf_puts(out, "'\\''", err) : bp_buf_append(out, s, 1, err));
        BP_TRY(bp_buf_puts(out, "'", err));
    }
    return bp_buf_puts(out, from, err);
}

static int open_input(struct bp_tool *t, const struct bp_open *o, const struct bp_piece *p,
                      struct bp_input *in)
{
    struct finding f = {.t = t, .o = o};
    struct bp_buf text = {0};
    int rc;

    if (p->command)
        return bp_input_from_command(in, p->path, p->command, &t->err);
    if (!o || !o->from)
        return bp_input_open(in, p->path, &t->err);
    BP_GO(command_for(&f, p->path, &text));
    if (!bp_buf_str(&text, &t->err))
        BP_GO(t->err.code);
    rc = bp_input_from_command(in, p->path, (const char *)text.data, &t->err);
out:
    bp_buf_release(&text);
    return rc;
}

int bp_piece_reopen(struct bp_tool *t, const struct bp_open *o, struct bp_piece *p)
{
    BP_TRY(open_input(t, o, p, &p->in));
    if (p->in.size_bytes != p->size_bytes || p->in.mtime_ns != p->mtime_ns ||
        strcmp(p->in.version, p->version) != 0)
        return bp_fail(&t->err, BP_EDATA, "'%s' was replaced while it was read: run this again",
                       p->path);
    return bp_codec_detect(&p->in, &t->err);
}

/* Which content of its name p stands for, as its input tells. */
static void remember(struct bp_piece *p)
{
    p->size_bytes = p->in.size_bytes;
    p->mtime_ns = p->in.mtime_ns;
    memcpy(p->version, p->in.version, sizeof p->version);
}

static int add_file(struct finding *f, const char *path)
{
    struct bp_piece *p = new_piece(f, path);
    struct bp_err *err = &f->t->err;
    uint8_t head[33] = {0};
    const uint8_t *ahead;
    size_t got;
    bool told, by_helper;

    if (!p)
        return err->code;
    BP_TRY(open_input(f->t, f->o, p, &p->in));
    remember(p);
    BP_TRY(bp_codec_detect(&p->in, err));
    BP_TRY(bp_input_peek(&p->in, sizeof head - 1, &ahead, &got, err));
    if (got)
        memcpy(head, ahead, got);
    if (f->out->n > AWAKE_FILES)
        bp_input_rest(&p->in);
    BP_TRY(by_format_option(f, path, p, &told));
    if (told)
        return 0;
    BP_TRY(bp_piece_by_helper(f->t, p, "", head, got, &by_helper));
    if (by_helper)
        remember(p);
    if (by_helper || bp_ipc_is_stream(head, got))
        p->kind = BP_PIECE_STREAM;
    else if (bp_ipc_is_file(head, got) && p->in.is_file)
        p->kind = BP_PIECE_ARROW;
    else if (bp_parquet_is_file(head, got) && p->in.is_file)
        p->kind = BP_PIECE_PARQUET;
    else if (bp_ipc_is_file(head, got) || bp_parquet_is_file(head, got))
        return bp_fail(err, BP_EDATA,
                       "'%s' is %s file, which must be a plain file: unpack it first", path,
                       bp_ipc_is_file(head, got) ? "an Arrow" : "a Parquet");
    else
        return tell_text(f, p, head, got);
    return 0;
}

/* FILE#TABLE of a database. */
static int add_table(struct finding *f, const char *name, const char *file, const char *table)
{
    struct bp_piece *p = new_piece(f, file);
    uint8_t head[32] = {0};
    const uint8_t *ahead;
    bool is_one;
    size_t got;

    if (!p)
        return f->t->err.code;
    BP_TRY(bp_input_open(&p->in, file, &f->t->err));
    BP_TRY(bp_input_peek(&p->in, sizeof head, &ahead, &got, &f->t->err));
    if (got)
        memcpy(head, ahead, got);
    BP_TRY(bp_piece_by_helper(f->t, p, table, head, got, &is_one));
    if (!is_one)
        return bp_fail(
            &f->t->err, BP_EDATA,
            "cannot open '%s': it is not there, and '%s' is neither a stage nor a database", name,
            file);
    p->kind = BP_PIECE_STREAM;
    p->path = bp_arena_str(f->t->arena, name, &f->t->err);
    return p->path ? 0 : f->t->err.code;
}

/* postgresql://...#TABLE */
static int add_database(struct finding *f, const char *name)
{
    struct bp_piece *p = new_piece(f, name);

    if (!p)
        return f->t->err.code;
    BP_TRY(bp_piece_of_database(f->t, p));
    p->kind = BP_PIECE_STREAM;
    remember(p);
    return 0;
}

/* ---- a directory ---- */

/* An output directory is a table only with all of its tasks. */
static int check_tasks(struct finding *f, const char *dir, int *n_tasks)
{
    struct bp_err *err = &f->t->err;
    uint8_t *committed = NULL;
    int n = 0, missing = -1, n_missing = 0;

    BP_TRY(bp_task_dir_scan(dir, &n, &committed, err));
    for (int i = n - 1; i >= 0; i--)
        if (!committed[i]) {
            missing = i;
            n_missing++;
        }
    bp_mem_free(committed);
    *n_tasks = n;
    if (n_missing)
        return bp_fail(err, BP_EDATA,
                       "'%s' is not complete: %d of %d tasks are missing, the first is %d/%d; "
                       "run them again (bp-todo -n %d '%s' lists them)",
                       dir, n_missing, n, missing, n, n, dir);
    return 0;
}

/* The list of an output by value: it holds, and tells the types. */
static int read_list(struct finding *f, const char *dir)
{
    struct bp_err *err = &f->t->err;
    struct bp_buf text = {0};
    bool present;
    int rc;

    BP_TRY(bp_manifest_read(&f->list, dir, &present, err));
    if (!present)
        return 0;
    BP_GO(bp_manifest_check(&f->list, dir, err));
    BP_GO(bp_schema_print(&f->list.columns, false, &text, err));
    if (!text.len)
        goto out;
    f->schema_text = bp_arena_strn(f->t->arena, (const char *)text.data, text.len, err);
    BP_GO(f->schema_text ? 0 : err->code);
    f->all_text = f->schema_text;
    if (!f->list.by.n_fields)
        goto out;
    BP_GO(bp_buf_puts(&text, ", ", err));
    BP_GO(bp_schema_print(&f->list.by, false, &text, err));
    f->all_text = bp_arena_strn(f->t->arena, (const char *)text.data, text.len, err);
    rc = f->all_text ? 0 : err->code;
out:
    bp_buf_release(&text);
    return rc;
}

/* COLUMN=VALUE: one more constant for the files below. */
static int push_hive(struct finding *f, const char *name, bool *pushed)
{
    struct bp_err *err = &f->t->err;
    struct bp_buf column = {0}, value = {0};
    struct bp_constant *c;
    bool is_null;
    int rc, at;

    BP_GO(bp_hive_parse(name, &column, &value, pushed, &is_null, err));
    if (!*pushed)
        goto out;
    c = bp_arena_alloc(f->t->arena, (size_t)(f->n_hive + 1) * sizeof *c, err);
    BP_GO(c ? 0 : err->code);
    if (f->n_hive)
        memcpy(c, f->hive, (size_t)f->n_hive * sizeof *c);
    f->hive = c;
    c += f->n_hive;
    c->type = BP_TYPE(BP_TEXT);
    c->name = bp_arena_strn(f->t->arena, (const char *)column.data, column.len, err);
    c->n_bytes = value.len;
    if (!is_null)
        c->text =
            bp_arena_strn(f->t->arena, value.len ? (const char *)value.data : "", value.len, err);
    BP_GO(err->code);
    at = bp_schema_find(&f->list.by, c->name);
    if (at >= 0)
        c->type = f->list.by.fields[at].type;
    f->n_hive++;
out:
    bp_buf_release(&column);
    bp_buf_release(&value);
    return rc;
}

static int add_dir(struct finding *f, const char *dir);

/* What a task wrote by value: a directory I-of-N with a list of its own. */
static int add_task_dir(struct finding *f, const char *dir)
{
    int rc;

    bp_manifest_release(&f->list);
    f->schema_text = NULL;
    BP_TRY(read_list(f, dir));
    if (!f->schema_text)
        return bp_fail(
            &f->t->err, BP_EDATA,
            "'%s' is not complete: it has no list of its files (_SUCCESS); run that task "
            "again",
            dir);
    f->depth++;
    rc = add_dir(f, dir);
    f->depth--;
    return rc;
}

static int add_entry(struct finding *f, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    struct bp_constant *hive = f->hive;
    bool pushed = false;
    const char *suffix;
    int rc, task, n_tasks;
    char *path = bp_arena_printf(f->t->arena, &f->t->err, "%s%s%s", dir,
                                 n && dir[n - 1] == '/' ? "" : "/", name);

    if (!path)
        return f->t->err.code;
    if (bp_path_kind(path) != BP_PATH_DIR)
        return add_file(f, path);
    if (f->depth == 0 && bp_task_parse(name, &task, &n_tasks, &suffix) && !*suffix)
        return add_task_dir(f, path);
    BP_TRY(push_hive(f, name, &pushed));
    f->depth++;
    rc = add_dir(f, path);
    f->depth--;
    f->n_hive -= pushed;
    f->hive = hive;
    return rc;
}

/* No file, but a list that tells the columns. */
static int add_empty(struct finding *f, const char *dir)
{
    struct bp_piece *p = new_piece(f, dir);

    if (!p)
        return f->t->err.code;
    p->kind = BP_PIECE_EMPTY;
    p->schema_text = f->all_text;
    return 0;
}

static int list_dir(struct finding *f, const char *dir)
{
    struct bp_err *err = &f->t->err;
    struct bp_names l;
    struct bp_piece *p;
    int rc = 0, before = f->out->n, n_tasks;
    bool is_stage;

    BP_TRY(bp_stage_look(dir, &is_stage, err));
    if (is_stage) {
        p = new_piece(f, dir);
        if (!p)
            return err->code;
        p->kind = BP_PIECE_STAGE;
        return 0;
    }
    if (f->depth == 0)
        BP_TRY(read_list(f, dir));
    BP_TRY(check_tasks(f, dir, &n_tasks));
    BP_TRY(bp_dir_list(dir, false, &l, err));
    for (int i = 0; i < l.n && rc == 0; i++)
        rc = add_entry(f, dir, l.names[i]);
    bp_names_release(&l);
    for (int i = before; n_tasks && i < f->out->n; i++)
        f->out->items[i].unite = true;
    if (f->depth == 0) {
        if (rc == 0 && f->out->n == before && f->all_text)
            rc = add_empty(f, dir);
        bp_manifest_release(&f->list);
        f->schema_text = f->all_text = NULL;
    }
    if (rc == 0 && f->depth == 0 && n_tasks > 1)
        rc = bp_pieces_check_ledgers(f->t, f->out, before, dir, n_tasks);
    if (rc == 0 && f->out->n == before && !f->schema_text)
        rc = bp_fail(err, BP_EDATA, "'%s' is an empty directory", dir);
    return rc;
}

/* What is written as a whole is replaced by another directory: its files are then none of the
 * list's that was read. */
static int add_dir(struct finding *f, const char *dir)
{
    uint64_t was[2], is[2];

    BP_TRY(bp_dir_id(dir, was, &f->t->err));
    BP_TRY(list_dir(f, dir));
    BP_TRY(bp_dir_id(dir, is, &f->t->err));
    if (was[0] != is[0] || was[1] != is[1])
        return bp_fail(&f->t->err, BP_EDATA,
                       "'%s' was replaced while it was opened: run this again", dir);
    return 0;
}

/* ---- DIR#3, DIR#0-7, --part ---- */

static int parse_range(struct finding *f, const char *text, struct bp_stage_range *r)
{
    char *end;

    r->first = strtoll(text, &end, 10);
    r->last = r->first;
    if (end != text && *end == '-' && end[1])
        r->last = strtoll(end + 1, &end, 10);
    if (end == text || *end || text[0] < '0' || text[0] > '9' || r->last < r->first)
        return bp_fail(&f->t->err, BP_EUSAGE, "'%s' names no partitions: 3, or 0-7", text);
    return 0;
}

static int add_range(struct finding *f, const char *dir, const char *range)
{
    struct bp_piece *p;
    bool is_stage;

    BP_TRY(bp_stage_look(dir, &is_stage, &f->t->err));
    if (!is_stage)
        return bp_fail(&f->t->err, BP_EDATA, "'%s' is not a stage: it has no partitions", dir);
    p = new_piece(f, dir);
    if (!p)
        return f->t->err.code;
    p->kind = BP_PIECE_STAGE;
    return parse_range(f, range, &p->range);
}

static int add_remote_glob(struct finding *f, const char *pattern)
{
    struct bp_names l;
    size_t n = strcspn(pattern, "*?[");
    char *dir;
    int rc;

    while (n && pattern[n - 1] != '/')
        n--;
    dir = bp_arena_strn(f->t->arena, pattern, n, &f->t->err);
    BP_TRY(dir ? bp_manifest_finished(dir, &f->t->err) : f->t->err.code);
    BP_TRY(bp_remote_glob(pattern, &l, &f->t->err));
    rc = l.n ? 0 : bp_fail(&f->t->err, BP_EDATA, "nothing matches '%s'", pattern);
    for (int i = 0; i < l.n && rc == 0; i++)
        rc = add_operand(f, l.names[i]);
    bp_names_release(&l);
    return rc;
}

static int add_glob(struct finding *f, const char *pattern)
{
    glob_t g;
    int rc = glob(pattern, GLOB_ERR, NULL, &g);

    if (rc == GLOB_NOMATCH || (rc == GLOB_ABORTED && errno == ENOENT))
        return bp_fail(&f->t->err, BP_EDATA, "nothing matches '%s'", pattern);
    if (rc == GLOB_NOSPACE)
        return bp_fail_oom(&f->t->err, strlen(pattern));
    if (rc != 0)
        return bp_fail_errno(&f->t->err, errno, "cannot expand '%s'", pattern);
    for (size_t i = 0; i < g.gl_pathc && rc == 0; i++)
        rc = add_operand(f, g.gl_pathv[i]);
    globfree(&g);
    return rc;
}

static int add_operand(struct finding *f, const char *name)
{
    enum bp_path_kind kind = bp_path_kind(name);
    const char *hash = strrchr(name, '#');
    char *dir;

    if (strcmp(name, "-") == 0)
        return add_file(f, name);
    if (bp_is_database_name(name))
        return add_database(f, name);
    if (f->t->part && kind == BP_PATH_DIR)
        return add_range(f, name, f->t->part);
    if (f->t->part)
        return bp_fail(&f->t->err, BP_EUSAGE, "--part is for stages, and '%s' is none", name);
    if (kind == BP_PATH_DIR)
        return add_dir(f, name);
    if (kind != BP_PATH_NONE)
        return add_file(f, name);
    if (hash) {
        dir = bp_arena_strn(f->t->arena, name, (size_t)(hash - name), &f->t->err);
        if (!dir)
            return f->t->err.code;
        if (bp_path_kind(dir) == BP_PATH_DIR)
            return add_range(f, dir, hash + 1);
        if (bp_path_kind(dir) == BP_PATH_FILE)
            return add_table(f, name, dir, hash + 1);
    }
    if (strpbrk(name, "*?["))
        return bp_remote_kind(name) ? add_remote_glob(f, name) : add_glob(f, name);
    return add_file(f, name); /* says that it is not there */
}

int bp_pieces_find(struct bp_tool *t, char *const *names, int n, const struct bp_open *o,
                   struct bp_pieces *out)
{
    struct finding f = {.t = t, .o = o, .out = out};

    if (o->from && n == 0)
        return bp_fail(&t->err, BP_EUSAGE, "--from wants the names of inputs to put for {}");
    if (n == 0 && isatty(STDIN_FILENO))
        return bp_fail(&t->err, BP_EUSAGE, "no input: name a table or pipe one in");
    if (n == 0)
        return add_operand(&f, "-");
    for (int i = 0; i < n; i++)
        if ((o->from ? add_file(&f, names[i]) : add_operand(&f, names[i])) < 0) {
            bp_manifest_release(&f.list);
            return t->err.code;
        }
    return 0;
}
