/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole update, with progress; Enter stops it.
 *   cc update.c $(pkg-config --cflags --libs hosted-ota) -pthread -o update
 */
#include <pthread.h>
#include <stdio.h>

#include <hosted/update.h>

/* It may be said from any thread, and stays said. */
static void *stop_at_enter(void *cancel)
{
    if (getchar() != EOF)
        hosted_cancel_request(cancel);
    return NULL;
}

static int show(void *ctx, enum hosted_stage stage, const struct hosted_image *image, uint64_t done,
                uint64_t total)
{
    static const char *const stages[] = {"check", "begin", "write", "end", "reboot"};

    (void)ctx;
    printf("%s: %llu of %llu (%s, %s)\n", stages[stage], (unsigned long long)done,
           (unsigned long long)total, hosted_chip_name(image->chip_id), image->version);
    fflush(stdout);
    return 0; /* another value would stop it, too */
}

int main(int argc, char **argv)
{
    struct hosted_update_options update = hosted_update_defaults;
    struct hosted_source_options from = {0};
    struct hosted_options options = {0}; /* path NULL: $ESP_HOSTED_DEVICE, else /dev/esps0 */
    struct hosted_device *device = NULL;
    struct hosted_source *source = NULL;
    struct hosted_update_result result;
    struct hosted_fault fault = {0};
    pthread_t thread;

    if (argc != 2)
        return HOSTED_USAGE;
    if (hosted_cancel_new(&options.cancel) < 0 ||
        pthread_create(&thread, NULL, stop_at_enter, options.cancel) != 0)
        return HOSTED_LOCAL;
    from.cancel = options.cancel; /* not freed: the thread has it until the process ends */
    update.progress = show;

    if (hosted_open(&options, &device, &fault) == 0 &&
        hosted_source_open(argv[1], &from, &source, &fault) == 0 &&
        hosted_update(device, source, &update, &result, &fault) == 0)
        printf("%s %s\n", result.verified ? "runs" : "answers; says it is", result.version);
    else
        fprintf(stderr, "%s\n", fault.text);
    hosted_source_close(source);
    hosted_close(device);
    return fault.status; /* 0 unless something failed: as the tools end */
}
