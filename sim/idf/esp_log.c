/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "esp_timer.h"
#include "sim_log.h"

#define MAX_TAGS 8

static struct {
    const char *tag;
    esp_log_level_t level;
} s_levels[MAX_TAGS];
static esp_log_level_t s_level = ESP_LOG_INFO; /* of all tags without one of their own */

static bool s_verbose;

void sim_log_enable(bool verbose)
{
    s_verbose = verbose;
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    if (strcmp(tag, "*") == 0) {
        memset(s_levels, 0, sizeof(s_levels));
        s_level = level;
        return;
    }
    for (int i = 0; i < MAX_TAGS; i++) {
        if (s_levels[i].tag == NULL || strcmp(s_levels[i].tag, tag) == 0) {
            s_levels[i].tag = tag;
            s_levels[i].level = level;
            return;
        }
    }
}

static esp_log_level_t level_of(const char *tag)
{
    for (int i = 0; i < MAX_TAGS && s_levels[i].tag != NULL; i++) {
        if (strcmp(s_levels[i].tag, tag) == 0)
            return s_levels[i].level;
    }
    return s_level;
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    static const char letters[] = "-EWIDV";
    va_list args;

    if (!s_verbose || level > level_of(tag))
        return;
    fprintf(stderr, "%c (%" PRId64 ") %s: ", letters[level], esp_timer_get_time() / 1000, tag);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
