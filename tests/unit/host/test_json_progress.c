/* SPDX-License-Identifier: Apache-2.0 */
/* esp-ota update --json: its lines while it goes on. */
#include "json_progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct hosted_image image = {
    .chip_id = 5,
    .project = "app",
    .version = "2.0\x1b[31m",
    .file_bytes = 1000000,
};

/* Runs `report` with stdout in a file, and returns what was written there. */
static const char *said(void (*report)(struct json_progress *progress),
                        struct json_progress *progress)
{
    static char text[4096];
    FILE *file = tmpfile();
    const int saved = dup(STDOUT_FILENO);

    if (file == NULL || saved < 0)
        abort();
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    report(progress);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    fseek(file, 0, SEEK_SET);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void report_stages(struct json_progress *progress)
{
    for (unsigned stage = HOSTED_STAGE_CHECK; stage <= HOSTED_STAGE_REBOOT; stage++) {
        json_progress_report(progress, (enum hosted_stage)stage, &image, 0, 1000000);
        json_progress_report(progress, (enum hosted_stage)stage, &image, 4000, 1000000);
    }
}

static void each_stage_is_said_once(void **state)
{
    (void)state;
    struct json_progress progress = {0};

    assert_string_equal(
        said(report_stages, &progress),
        "{\"event\":\"stage\",\"stage\":\"check\"}\n"
        "{\"event\":\"stage\",\"stage\":\"begin\",\"chip\":\"ESP32-C3\",\"project\":"
        "\"app\",\"version\":\"2.0\\\\x1b[31m\",\"file_bytes\":1000000}\n"
        "{\"event\":\"stage\",\"stage\":\"write\"}\n"
        "{\"event\":\"stage\",\"stage\":\"end\"}\n"
        "{\"event\":\"stage\",\"stage\":\"reboot\"}\n");
}

static void quiet_is_quiet(void **state)
{
    (void)state;
    struct json_progress progress = {.quiet = true};

    assert_string_equal(said(report_stages, &progress), "");
}

static uint64_t total;

/* As if a long time went by between the two. */
static void report_write(struct json_progress *progress)
{
    json_progress_report(progress, HOSTED_STAGE_WRITE, &image, 0, total);
    json_progress_report(progress, HOSTED_STAGE_WRITE, &image, 4000, total);
    progress->last_line_s -= 2;
    progress->rate.samples[0].at_s -= 100;
    json_progress_report(progress, HOSTED_STAGE_WRITE, &image, 500000, total);
    json_progress_report(progress, HOSTED_STAGE_WRITE, &image, 504000, total);
}

static double number_of(const char *text, const char *key)
{
    const char *found = strstr(text, key);

    assert_non_null(found);
    return strtod(found + strlen(key), NULL);
}

static void a_long_write_says_how_far_it_is(void **state)
{
    (void)state;
    struct json_progress progress = {0};

    total = 1000000;

    const char *text = said(report_write, &progress);

    assert_non_null(strstr(text, "{\"event\":\"progress\",\"stage\":\"write\",\"done\":500000,"
                                 "\"total\":1000000,\"bytes_per_second\":"));
    assert_null(strstr(text, "504000"));
    /* 100 s, and what the machine took: at most a few more. */
    assert_in_range((unsigned)number_of(text, "\"bytes_per_second\":"), 3000, 5000);
    assert_in_range((unsigned)number_of(text, "\"seconds_left\":"), 100, 160);
}

static void what_nobody_knows_is_null(void **state)
{
    (void)state;
    struct json_progress progress = {0};

    total = 0;

    const char *text = said(report_write, &progress);

    assert_non_null(strstr(text, "\"done\":500000,\"total\":null,\"bytes_per_second\":"));
    assert_non_null(strstr(text, "\"seconds_left\":null}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_is_said_once),
        cmocka_unit_test(quiet_is_quiet),
        cmocka_unit_test(a_long_write_says_how_far_it_is),
        cmocka_unit_test(what_nobody_knows_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
