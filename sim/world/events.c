/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 640 /* two escaped 32-byte strings and the rest */

int events_open(struct events *events, const char *path)
{
    events->file = -1;
    if (path == NULL)
        return 0;
    events->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    return events->file < 0 ? -errno : 0;
}

__attribute__((format(printf, 3, 4))) static void put_line(const struct events *events,
                                                           int64_t now_us, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;

    if (events->file < 0)
        return;

    int len = snprintf(line, sizeof(line), "{\"t\": %" PRId64 ".%06" PRId64 ", ", now_us / 1000000,
                       now_us % 1000000);

    va_start(args, format);
    len += vsnprintf(line + len, sizeof(line) - (size_t)len, format, args);
    va_end(args);
    len += snprintf(line + len, sizeof(line) - (size_t)len, "}\n");
    /* A full disk must not change what the chip does. */
    if (write(events->file, line, (size_t)len) < 0)
        perror("esp32-sim: events");
}

/* A version string is whatever the image holds: everything but printable ASCII is escaped. */
static void quote(const char *text, char *buf, size_t size)
{
    size_t at = 0;

    buf[at++] = '"';
    for (; *text != '\0' && at + 8 < size; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            at += (size_t)snprintf(buf + at, size - at, "\\u%04x", c);
        else
            buf[at++] = (char)c;
    }
    buf[at++] = '"';
    buf[at] = '\0';
}

void boot_report_json(const struct boot_report *boot, char *buf, unsigned size)
{
    char slot[112], version[208], project[208];

    if (boot->slot[0] == '\0') {
        snprintf(buf, size,
                 "\"slot\": null, \"offset\": null, \"version\": null, \"project\": null, "
                 "\"state\": \"none\"");
        return;
    }
    quote(boot->slot, slot, sizeof(slot));
    quote(boot->version, version, sizeof(version));
    quote(boot->project, project, sizeof(project));
    snprintf(buf, size,
             "\"slot\": %s, \"offset\": %" PRIu32 ", \"version\": %s, \"project\": %s, "
             "\"state\": \"%s\"",
             slot, boot->offset, version, project, boot->state);
}

void events_boot(const struct events *events, int64_t now_us, const struct boot_report *boot)
{
    char members[LINE_BYTES - 80];

    boot_report_json(boot, members, sizeof(members));
    put_line(events, now_us, "\"event\": \"boot\", %s", members);
}

void events_begin(const struct events *events, int64_t now_us, const char *slot)
{
    char quoted[112];

    quote(slot, quoted, sizeof(quoted));
    put_line(events, now_us, "\"event\": \"begin\", \"slot\": %s", quoted);
}

void events_write(const struct events *events, int64_t now_us, uint32_t offset, uint32_t length)
{
    put_line(events, now_us, "\"event\": \"write\", \"offset\": %" PRIu32 ", \"length\": %" PRIu32,
             offset, length);
}

void events_end(const struct events *events, int64_t now_us, int result)
{
    put_line(events, now_us, "\"event\": \"end\", \"result\": %d", result);
}

void events_time(const struct events *events, int64_t now_us, int64_t total_us,
                 const int64_t spent_us[SPENT_KINDS])
{
    static const char *const names[] = {
        [SPENT_ERASE] = "erase", [SPENT_PROGRAM] = "program", [SPENT_READ] = "read",
        [SPENT_HASH] = "hash",   [SPENT_CPU] = "cpu",         [SPENT_BUS] = "bus",
        [SPENT_HOST] = "host",   [SPENT_SLEEP] = "sleep",
    };
    char members[LINE_BYTES - 80];
    size_t len = 0;

    for (int i = 0; i < SPENT_KINDS; i++)
        len += (size_t)snprintf(members + len, sizeof(members) - len, ", \"%s\": %.6f", names[i],
                                (double)spent_us[i] / 1e6);
    put_line(events, now_us, "\"event\": \"time\", \"total\": %.6f%s", (double)total_us / 1e6,
             members);
}

void events_reset(const struct events *events, int64_t now_us, const char *reason)
{
    put_line(events, now_us, "\"event\": \"reset\", \"reason\": \"%s\"", reason);
}

void events_power_cut(const struct events *events, int64_t now_us, uint64_t operation)
{
    put_line(events, now_us, "\"event\": \"power_cut\", \"operation\": %" PRIu64, operation);
}

void events_misuse(const struct events *events, int64_t now_us, uint32_t address)
{
    put_line(events, now_us, "\"event\": \"misuse\", \"address\": %" PRIu32, address);
}
