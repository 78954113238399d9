/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz entry over files: every file of the directories, and every file,
 * in argv. A crash is the failure; with a sanitizer so is what that finds.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int n_files;

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    struct stat st;
    int bad = 1;

    if (f && stat(path, &st) == 0) {
        data = malloc(st.st_size ? (size_t)st.st_size : 1); /* exact: over-reads show */
        if (data && fread(data, 1, (size_t)st.st_size, f) == (size_t)st.st_size) {
            LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
            n_files++;
            bad = 0;
        }
    }
    if (bad)
        perror(path);
    free(data);
    if (f)
        fclose(f);
    return bad;
}

static int run_path(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    char name[4096];
    int bad = 0;

    if (!d)
        return run_file(path);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        if ((size_t)snprintf(name, sizeof name, "%s/%s", path, e->d_name) >= sizeof name)
            bad = 1;
        else
            bad |= run_path(name);
    }
    closedir(d);
    return bad;
}

int main(int argc, char **argv)
{
    int bad = 0;

    for (int i = 1; i < argc; i++)
        bad |= run_path(argv[i]);
    printf("%sok 1 - %d inputs are replayed without a crash\n1..1\n", bad || !n_files ? "not " : "",
           n_files);
    return bad || !n_files;
}
