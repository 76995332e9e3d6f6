/* SPDX-License-Identifier: Apache-2.0 */
#include "bad_boot.h"

#include <string.h>

#include "frame.h"
#include "world/timers.h"
#include "world/world.h"

#define WATCHDOG_US (9 * 1000 * 1000) /* the boot loader's RTC watchdog, ESP-IDF's default */

static const struct options *s_options;
static const struct program *s_program; /* the one that fails once it has answered */
static bool s_asked, s_failed;

static bool fails_at(const struct options *options, enum bad_stage stage)
{
    return options->bad_boot != BAD_BOOT_NONE && options->bad_stage == stage &&
           strcmp(options->bad_version, world->boot.version) == 0;
}

/* A program that fails at each start makes the chip go round for ever. The second time that a slot
 * fails in a row, it is left at that: nothing that the host sees would change. */
static bool goes_round(void)
{
    const bool again = world->failed_offset == world->boot.offset;

    world->failed_offset = world->boot.offset;
    return again;
}

static void bite(void *ctx)
{
    (void)ctx;
    world_reset(WORLD_RESET_WATCHDOG);
}

/* The CPU does nothing any more; the watchdog is no part of it. */
static void hang(const struct options *options)
{
    static struct sim_timer watchdog = {.fire = bite};

    sim_timers_stop();
    sim_timer_arm(&watchdog, SIM_TIMER_WORLD,
                  world_now_us() + (options->time == SIM_CLOCK_NONE ? 0 : WATCHDOG_US));
}

static void fail(const struct options *options)
{
    s_failed = true;
    if (options->bad_boot == BAD_BOOT_CRASH)
        world_reset(WORLD_RESET_PANIC);
    if (options->bad_boot == BAD_BOOT_HANG)
        hang(options);
    if (options->bad_boot == BAD_BOOT_MUTE)
        world_silence();
}

bool bad_boot_starts(const struct options *options)
{
    if (fails_at(options, BAD_STAGE_BOOT)) {
        if (!goes_round())
            fail(options);
        return false;
    }
    if (!fails_at(options, BAD_STAGE_START))
        world->failed_offset = 0;
    else if (options->bad_boot == BAD_BOOT_MUTE)
        fail(options); /* it says nothing in its start-up either */
    return true;
}

static void fail_now(void *ctx)
{
    (void)ctx;
    fail(s_options);
}

/* An answer is what is said on the control path after a question; it fails when it is done with the
 * question, not in the middle of sending. */
static void on_sent(const uint8_t *bytes, size_t len)
{
    static struct sim_timer timer = {.fire = fail_now};
    struct frame frame;

    if (!s_asked || s_failed || frame_parse(bytes, len, &frame) < 0 ||
        frame.interface_type != FRAME_SERIAL || (frame.flags & FRAME_FLAG_MORE_FRAGMENT) != 0)
        return;
    sim_timer_arm(&timer, SIM_TIMER_WORLD, world_now_us());
}

static void on_frame(const uint8_t *bytes, size_t len)
{
    struct frame frame;

    if (s_failed)
        return;
    if (frame_parse(bytes, len, &frame) >= 0 && frame.interface_type == FRAME_SERIAL)
        s_asked = true;
    s_program->on_frame(bytes, len);
}

static void send_init(void)
{
    if (!s_failed)
        s_program->send_init();
}

static bool takes_frames(void)
{
    return s_failed || s_program->takes_frames == NULL || s_program->takes_frames();
}

static const struct program *watch(const struct options *options, const struct program *program)
{
    static const struct program watched = {
        .send_init = send_init, .on_frame = on_frame, .takes_frames = takes_frames};

    s_options = options;
    s_program = program;
    world_watch_sent(on_sent);
    return &watched;
}

const struct program *bad_boot_wrap(const struct options *options, const struct program *program)
{
    if (fails_at(options, BAD_STAGE_ANSWER))
        return watch(options, program);
    if (!fails_at(options, BAD_STAGE_START))
        return program;
    if (options->bad_boot == BAD_BOOT_MUTE) /* and it runs: its timers do */
        return NULL;
    sim_timers_stop();
    if (!goes_round())
        fail(options);
    return NULL;
}
