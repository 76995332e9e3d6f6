/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzzing target without libFuzzer: feeds it the files that are named, and all files of folders.
 * Its compiler need not be clang, and what it once found stays found. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    struct stat status;

    if (file == NULL || fstat(fileno(file), &status) < 0) {
        perror(path);
        exit(2);
    }

    const size_t size = (size_t)status.st_size;
    uint8_t *data = malloc(size); /* not a byte more: the sanitizer watches its end */

    if ((data == NULL && size > 0) || fread(data, 1, size, file) != size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    printf("%s\n", path);
    fflush(stdout); /* the last one is it */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int is_no_dotfile(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay(const char *path)
{
    struct dirent **entries;
    struct stat status;
    int replayed = 0;

    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return replay_file(path);

    const int count = scandir(path, &entries, is_no_dotfile, alphasort);

    if (count < 0) {
        perror(path);
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        char inner[4096];

        snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
        replayed += replay_file(inner);
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    int replayed = 0;

    LLVMFuzzerTestOneInput((const uint8_t *)"", 0); /* as libFuzzer begins */
    for (int i = 1; i < argc; i++)
        replayed += replay(argv[i]);
    printf("%d inputs\n", replayed);
    return replayed > 0 ? 0 : 2; /* a corpus that is not there tests nothing */
}
