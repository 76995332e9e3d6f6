/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANDED_OVER "ESP32_SIM_WORLD" /* environment: the number of the memfd */

/* What the CPU has to do with a message of the control path: three checksums, copies, decoding, the
 * answer, some switches of tasks. */
#define MESSAGE_US 500

struct world *world;

static char *const *s_argv;
static int s_memfd;

static bool s_silent;
static void (*s_on_sent)(const uint8_t *frame, size_t len);

static int map(int memfd)
{
    void *const at = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);

    if (at == MAP_FAILED)
        return -errno;
    world = at;
    s_memfd = memfd;
    return 0;
}

/* Calls `apply` for each descriptor that is handed over at a reset. */
static void for_each_descriptor(void (*apply)(int fd))
{
    const int single[] = {s_memfd,           world->events.file,  world->bus.listener,
                          world->bus.client, world->ctl.listener, world->flash};

    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
        apply(single[i]);
    for (int i = 0; i < CTL_MAX_CLIENTS; i++)
        apply(world->ctl.clients[i].fd);
    for (int i = 0; i < world->air.count; i++)
        apply(world->air.aps[i].tap);
}

static void keep_over_exec(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, 0);
}

static void close_on_exec(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Variables marked RTC_NOINIT_ATTR lie in a section of their own, which exists only if there are
 * any; sections named like an identifier get these symbols from the linker. */
extern char __start_rtc_noinit[] __attribute__((weak));
extern char __stop_rtc_noinit[] __attribute__((weak));

static size_t rtc_bytes(void)
{
    const size_t bytes = (uintptr_t)__stop_rtc_noinit - (uintptr_t)__start_rtc_noinit;

    return bytes < WORLD_RTC_BYTES ? bytes : WORLD_RTC_BYTES;
}

/* What memory holds that has just got its power: anything but zeros. The same each time, so that a
 * run can be repeated. */
static void fill_with_garbage(uint8_t *bytes, size_t len)
{
    uint32_t noise = 0x9e3779b9;

    for (size_t i = 0; i < len; i++) {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        bytes[i] = (uint8_t)(noise >> 24);
    }
}

static void save_rtc(void)
{
    if (rtc_bytes() > 0)
        memcpy(world->rtc, __start_rtc_noinit, rtc_bytes());
}

static void restore_rtc(void)
{
    if (rtc_bytes() > 0)
        memcpy(__start_rtc_noinit, world->rtc, rtc_bytes());
}

static int make_new(void)
{
    const int memfd = memfd_create("esp32-sim", MFD_CLOEXEC);

    if (memfd < 0)
        return -errno;
    if (ftruncate(memfd, sizeof(*world)) < 0)
        return -errno;

    const int rc = map(memfd);

    if (rc < 0)
        return rc;
    world->bytes = sizeof(*world);
    fill_with_garbage(world->rtc, sizeof(world->rtc));
    restore_rtc();
    return 1;
}

int world_open(char *const *argv)
{
    const char *const handed_over = getenv(HANDED_OVER);
    struct stat status;

    s_argv = argv;
    if (handed_over == NULL)
        return make_new();

    const int memfd = (int)strtol(handed_over, NULL, 10);

    unsetenv(HANDED_OVER);
    if (fstat(memfd, &status) < 0 || status.st_size != sizeof(*world))
        return make_new();

    const int rc = map(memfd);

    if (rc < 0)
        return rc;
    if (world->bytes != sizeof(*world))
        return -EBADMSG;
    for_each_descriptor(close_on_exec);
    restore_rtc();
    return 0;
}

_Noreturn void world_reset(enum world_reset reason)
{
    char number[16];

    events_reset(&world->events, world_now_us(), world_reset_name(reason));
    world->reset = reason;
    if (reason == WORLD_RESET_EXTERNAL) /* EN cuts the power of RTC memory, too */
        fill_with_garbage(world->rtc, sizeof(world->rtc));
    else
        save_rtc();
    for_each_descriptor(keep_over_exec);
    snprintf(number, sizeof(number), "%d", s_memfd);
    setenv(HANDED_OVER, number, 1);
    execv("/proc/self/exe", s_argv);
    perror("esp32-sim: reset");
    exit(1);
}

const char *world_reset_name(enum world_reset reason)
{
    static const char *const names[] = {
        [WORLD_RESET_POWER_ON] = "power_on", [WORLD_RESET_EXTERNAL] = "external",
        [WORLD_RESET_SOFTWARE] = "software", [WORLD_RESET_PANIC] = "panic",
        [WORLD_RESET_WATCHDOG] = "watchdog",
    };

    return names[reason];
}

/* Of the time from `from_us` on, the first is the bus's: the answer had to get to the host. */
static void spend_waiting(int64_t from_us, int64_t until_us)
{
    const struct bus_time *const bus = &world->bus_time;
    const int64_t host_from = from_us > bus->answered_us ? from_us : bus->answered_us;
    const int64_t host_until = until_us < bus->left_us ? until_us : bus->left_us;
    const int64_t host_us = host_until > host_from ? host_until - host_from : 0;

    sim_clock_spend_us(&world->clock, SPENT_HOST, host_us);
    sim_clock_spend_us(&world->clock, SPENT_BUS, until_us - from_us - host_us);
}

void world_await_frame(const uint8_t *frame, size_t len)
{
    const int64_t now_us = world_now_us();
    struct bus_frame seen;
    bool whole;
    int64_t arrives_us;

    if (world->clock.mode == SIM_CLOCK_NONE)
        return;
    whole = peek_frame(&world->peek, world->dialect, frame, len, &seen);
    if (seen.begins)
        update_time_request(&world->update_time, &world->clock);
    arrives_us = bus_time_receive(&world->bus_time, &seen, now_us);
    if (arrives_us > now_us)
        spend_waiting(now_us, arrives_us);
    if (whole)
        sim_clock_spend_us(&world->clock, SPENT_CPU, MESSAGE_US);
}

void world_send_frame(const uint8_t *frame, size_t len)
{
    if (world->bus.client < 0 || s_silent)
        return;
    if (world->clock.mode != SIM_CLOCK_NONE)
        bus_time_send(&world->bus_time, len, world_now_us());
    bus_send(&world->bus, frame, len);
    if (s_on_sent != NULL)
        s_on_sent(frame, len);
}

void world_silence(void)
{
    s_silent = true;
}

void world_watch_sent(void (*on_sent)(const uint8_t *frame, size_t len))
{
    s_on_sent = on_sent;
}
