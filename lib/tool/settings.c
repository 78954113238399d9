/* SPDX-License-Identifier: Apache-2.0 */
/* What options and environment say about threads, memory and the task. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/thread.h"
#include "tool/internal.h"

#define DEFAULT_MEM_BYTES ((int64_t)256 << 20)
#define DEFAULT_BATCH_ROWS 8192
#define TIGHT_BYTES ((int64_t)64 << 20) /* with less memory, batches are smaller */
#define TIGHT_BATCH_ROWS 2048
/* What a process needs beside its operators: readers, the output, free blocks kept. */
#define RESERVE_BYTES ((int64_t)4 << 20)
#define RESERVE_SHARE 8
#define MAX_TASKS 1000000

static int whole_number(struct bp_tool *t, const char *what, const char *text, int64_t min,
                        int64_t max, int64_t *out)
{
    char *end;
    long long v = strtoll(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || v < min || v > max)
        return bp_fail(&t->err, BP_EUSAGE, "%s: '%s' is not a whole number from %lld to %lld", what,
                       text, (long long)min, (long long)max);
    *out = v;
    return 0;
}

static int64_t physical_bytes(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
}

int bp_tool_size(struct bp_tool *t, const char *what, const char *text, int64_t *out)
{
    static const char units[] = "KMGT";
    char *end;
    double v = strtod(text, &end);
    const char *u = *end ? strchr(units, *end & ~0x20) : NULL;

    if (end == text || !(v > 0))
        goto bad;
    if (*end == '%' && !end[1]) {
        v = v / 100 * (double)physical_bytes();
    } else if (u) {
        for (const char *p = units; p <= u; p++)
            v *= 1024;
        end++;
        if (*end == 'i')
            end++;
        if (*end == 'B')
            end++;
        if (*end)
            goto bad;
    } else if (*end) {
        goto bad;
    }
    *out = v > 1e18 ? INT64_MAX : (int64_t)v;
    return 0;
bad:
    return bp_fail(&t->err, BP_EUSAGE, "%s: '%s' is not a size: 64M, 2G or 25%%", what, text);
}

static int memory(struct bp_tool *t, const char *what, const char *text, int64_t *out)
{
    BP_TRY(bp_tool_size(t, what, text, out));
    if (*out < (int64_t)16 << 20)
        return bp_fail(&t->err, BP_EUSAGE, "%s: '%s' is too little: 16M at least", what, text);
    return 0;
}

static int task_of(struct bp_tool *t, const char *what, const char *text)
{
    char i_text[16] = "";
    const char *slash = strchr(text, '/');
    int64_t i, n;

    if (!slash || (size_t)(slash - text) >= sizeof i_text)
        return bp_fail(&t->err, BP_EUSAGE, "%s: '%s' is not I/N, such as 0/8", what, text);
    memcpy(i_text, text, (size_t)(slash - text));
    BP_TRY(whole_number(t, what, slash + 1, 1, MAX_TASKS, &n));
    BP_TRY(whole_number(t, what, i_text, 0, n - 1, &i));
    t->task = (struct bp_share){.i = (int32_t)i, .n = (int32_t)n};
    return 0;
}

/* -T: BP_TASK=I/N, or a scheduler's index with N from BP_TASKS, never guessed. */
static int task_from_env(struct bp_tool *t)
{
    static const char *const indexes[] = {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"};
    const char *text = getenv("BP_TASK"), *tasks = getenv("BP_TASKS");
    int64_t i, n;

    if (text && *text)
        return task_of(t, "BP_TASK", text);
    for (size_t k = 0; k < BP_COUNT_OF(indexes); k++) {
        text = getenv(indexes[k]);
        if (!text || !*text)
            continue;
        if (!tasks || !*tasks)
            return bp_fail(&t->err, BP_EUSAGE,
                           "-T: %s=%s is set, but BP_TASKS is not: say how many tasks there are",
                           indexes[k], text);
        BP_TRY(whole_number(t, "BP_TASKS", tasks, 1, MAX_TASKS, &n));
        BP_TRY(whole_number(t, indexes[k], text, 0, n - 1, &i));
        t->task = (struct bp_share){.i = (int32_t)i, .n = (int32_t)n};
        return 0;
    }
    return bp_fail(&t->err, BP_EUSAGE,
                   "-T: which task is this? set BP_TASK=I/N, such as BP_TASK=0/8");
}

static void bound_memory(struct bp_tool *t)
{
    int64_t limit = t->ctx.budget.limit_bytes;

    bp_mem_bound(limit);
    (void)bp_budget_take(&t->ctx.budget, RESERVE_BYTES + limit / RESERVE_SHARE);
    t->ctx.batch_rows = limit < TIGHT_BYTES ? TIGHT_BATCH_ROWS : DEFAULT_BATCH_ROWS;
}

int bp_tool_check_memory(struct bp_tool *t, const struct bp_source *src)
{
    bp_budget_least(&t->ctx.budget, bp_least_batch_bytes(&src->schema));
    return bp_budget_check(&t->ctx.budget, RESERVE_SHARE, &t->err);
}

int bp_tool_settings(struct bp_tool *t)
{
    const char *jobs = getenv("BP_JOBS"), *mem = getenv("BP_MEM"), *rows = getenv("BP_BATCH_ROWS");
    int64_t v;

    /* what reads s3:// asks the environment, and its own program is started with it */
    if (t->endpoint && setenv("AWS_ENDPOINT_URL_S3", t->endpoint, 1) < 0)
        return bp_fail_oom(&t->err, strlen(t->endpoint));
    if (t->task_text)
        BP_TRY(task_of(t, "--task", t->task_text));
    else if (t->task_from_env)
        BP_TRY(task_from_env(t));
    t->ctx.n_threads = t->task.n ? 1 : bp_cpu_count();
    if (jobs && *jobs) {
        BP_TRY(whole_number(t, "BP_JOBS", jobs, 1, 1024, &v));
        t->ctx.n_threads = (int)v;
    }
    if (t->jobs < 0 || t->jobs > 1024)
        return bp_fail(&t->err, BP_EUSAGE, "-j: from 1 to 1024 threads");
    if (t->jobs)
        t->ctx.n_threads = (int)t->jobs;
    t->ctx.budget.limit_bytes = DEFAULT_MEM_BYTES;
    if (t->mem_text)
        BP_TRY(memory(t, "--mem", t->mem_text, &t->ctx.budget.limit_bytes));
    else if (mem && *mem)
        BP_TRY(memory(t, "BP_MEM", mem, &t->ctx.budget.limit_bytes));
    bound_memory(t);
    if (rows && *rows)
        BP_TRY(whole_number(t, "BP_BATCH_ROWS", rows, 1, 65536, &t->ctx.batch_rows));
    return 0;
}
