/* SPDX-License-Identifier: Apache-2.0 */
/* Objects with URLs as directories show them: what dir.h asks of a path. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sys/remote.h"

/* An http URL is taken for a file; opening it tells. So is what cannot be looked at. */
enum bp_path_kind bp_remote_path_kind(const char *url)
{
    struct bp_remote_look look;
    struct bp_err err = {0};

    if (bp_remote_kind(url) == BP_REMOTE_HTTP || bp_remote_look(url, &look, &err) < 0)
        return BP_PATH_FILE;
    if (look.kind == 'n')
        return BP_PATH_NONE;
    return look.kind == 'd' ? BP_PATH_DIR : BP_PATH_FILE;
}

int bp_remote_mtime(const char *url, int64_t *out, struct bp_err *err)
{
    struct bp_remote_look look;
    char shown[1024];

    BP_TRY(bp_remote_look(url, &look, err));
    if (look.kind == 'n')
        return bp_fail(err, BP_ESYS, "cannot read '%s': there is no such object",
                       bp_remote_shown(url, shown, sizeof shown));
    *out = look.mtime_ns;
    return 0;
}

/* DIR/ and, below it, name; to be freed. */
static char *below(const char *dir, const char *name, struct bp_err *err)
{
    struct bp_buf b = {0};
    size_t n = strlen(dir);

    if (bp_buf_printf(&b, err, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name) < 0 ||
        !bp_buf_str(&b, err))
        bp_buf_release(&b);
    return (char *)b.data;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int bp_remote_dir_list(const char *dir, bool hidden, struct bp_names *out, struct bp_err *err)
{
    char *prefix = below(dir, "", err);
    int kept = 0, rc = prefix ? bp_remote_list(prefix, false, out, err) : err->code;

    bp_mem_free(prefix);
    BP_TRY(rc);
    for (int i = 0; i < out->n; i++) {
        char *name = out->names[i];
        size_t n = strlen(name);

        if (n && name[n - 1] == '/')
            name[n - 1] = '\0';
        if (!name[0] || (!hidden && (name[0] == '.' || name[0] == '_')))
            bp_mem_free(name);
        else
            out->names[kept++] = name;
    }
    out->n = kept;
    if (kept)
        qsort(out->names, (size_t)kept, sizeof *out->names, by_bytes);
    return 0;
}

int bp_remote_size(const char *url, int64_t *out, struct bp_err *err)
{
    struct bp_remote_look look;
    struct bp_names l = {0};
    char *prefix = NULL;
    int rc;

    *out = 0;
    BP_TRY(bp_remote_look(url, &look, err));
    if (look.kind != 'd') {
        *out = look.size_bytes > 0 ? look.size_bytes : 0;
        return 0;
    }
    prefix = below(url, "", err);
    BP_GO(prefix ? bp_remote_list(prefix, true, &l, err) : err->code);
    for (int i = 0; i < l.n; i++) {
        char *one = below(url, l.names[i], err);

        rc = one ? bp_remote_look(one, &look, err) : err->code;
        bp_mem_free(one);
        BP_GO(rc);
        *out += look.size_bytes > 0 ? look.size_bytes : 0;
    }
out:
    bp_names_release(&l);
    bp_mem_free(prefix);
    return rc;
}
