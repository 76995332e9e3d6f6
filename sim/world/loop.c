/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <poll.h>

#include "command.h"
#include "frame.h"
#include "stop.h"
#include "timers.h"
#include "world.h"

#define ALL_TIMERS (SIM_TIMER_FIRMWARE | SIM_TIMER_WORLD | SIM_TIMER_RESTART)

/* How often to look whether the client has taken its reply, which nothing tells. */
#define DRAIN_POLL_US 1000

#define FRAMES_AT_A_TIME 64

enum slot {
    BUS_LISTENER,
    BUS_CLIENT,
    CTL_LISTENER,
    CTL_CLIENTS,
    TAPS = CTL_CLIENTS + CTL_MAX_CLIENTS,
    SLOTS = TAPS + AIR_MAX_APS,
};

static const struct program *s_program;

static bool is_real(void)
{
    return world->clock.mode == SIM_CLOCK_REAL;
}

/* The restart after an update comes by itself, but not before the host has its reply. */
static bool restart_waits(void)
{
    return !is_real() && sim_timers_next(SIM_TIMER_RESTART) != NULL;
}

static void move_to(int64_t us)
{
    sim_clock_move_to(&world->clock, us);
    bus_time_not_before(&world->bus_time, world_now_us());
}

/* The timer whose time it is, or NULL. */
static struct sim_timer *due_timer(void)
{
    struct sim_timer *const first = sim_timers_next(ALL_TIMERS);
    struct sim_timer *const by_itself = sim_timers_next(SIM_TIMER_WORLD);

    if (first == NULL)
        return NULL;
    if (is_real())
        return first->due_us <= world_now_us() ? first : NULL;
    if (by_itself != NULL)
        return by_itself;
    if (restart_waits() && bus_is_drained(&world->bus))
        return sim_timers_next(SIM_TIMER_RESTART);
    return world->advancing && first->due_us <= world->advance_to_us ? first : NULL;
}

static void run_timers(void)
{
    struct sim_timer *timer;

    while (!stop_requested() && (timer = due_timer()) != NULL) {
        move_to(timer->due_us);
        sim_timer_fire(timer);
    }
    if (world->advancing)
        command_finish_advance();
}

static void run_commands(void)
{
    char line[CTL_LINE_BYTES];
    int client;

    while ((client = ctl_next_line(&world->ctl, line)) >= 0) {
        command_run(client, line);
        run_timers(); /* an `advance` is finished before the next line is looked at */
    }
}

static int64_t timeout_us(void)
{
    const struct sim_timer *const first = sim_timers_next(ALL_TIMERS);

    if (restart_waits())
        return DRAIN_POLL_US;
    if (first == NULL || !is_real())
        return -1;

    const int64_t left_us = first->due_us - world_now_us();

    return left_us > 0 ? left_us : 0;
}

static bool takes_frames(void)
{
    if (restart_waits() || stop_requested())
        return false;
    return s_program == NULL || s_program->takes_frames == NULL || s_program->takes_frames();
}

static void fill(struct pollfd polls[SLOTS])
{
    const bool room = bus_has_room(&world->bus);

    for (int i = 0; i < SLOTS; i++)
        polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    polls[BUS_LISTENER].fd = world->bus.listener;
    polls[BUS_CLIENT].fd = takes_frames() || !room ? world->bus.client : -1;
    polls[BUS_CLIENT].events = (short)((takes_frames() ? POLLIN : 0) | (room ? 0 : POLLOUT));
    polls[CTL_LISTENER].fd = world->ctl.listener;
    for (int i = 0; i < CTL_MAX_CLIENTS; i++)
        polls[CTL_CLIENTS + i].fd = world->ctl.clients[i].fd;
    for (int i = 0; room && i < world->air.count; i++)
        polls[TAPS + i].fd = world->air.aps[i].tap;
}

/* Some at a time: a client that floods the bus must not keep the others waiting. */
static void take_frames(void)
{
    uint8_t frame[FRAME_MAX_BYTES];

    for (int i = 0; i < FRAMES_AT_A_TIME && takes_frames(); i++) {
        const int len = bus_receive(&world->bus, frame, sizeof(frame));

        if (len < 0)
            return;
        if (len > 0 && s_program != NULL) {
            world_await_frame(frame, (size_t)len);
            s_program->on_frame(frame, (size_t)len);
            run_timers();
        }
    }
}

static void dispatch(const struct pollfd polls[SLOTS])
{
    if (polls[BUS_CLIENT].revents & ~POLLOUT)
        take_frames();
    if (polls[BUS_LISTENER].revents && bus_accept(&world->bus) && s_program != NULL)
        s_program->send_init();
    if (polls[CTL_LISTENER].revents)
        ctl_accept(&world->ctl);
    for (int i = 0; i < CTL_MAX_CLIENTS; i++) {
        if (polls[CTL_CLIENTS + i].revents)
            ctl_read(&world->ctl, i);
    }
    for (int i = 0; i < world->air.count; i++) {
        if (polls[TAPS + i].revents)
            air_receive(&world->air, i);
    }
}

void loop_run(const struct program *program)
{
    struct pollfd polls[SLOTS];

    s_program = program;
    while (!stop_requested()) {
        run_timers();
        run_commands();
        fill(polls);
        if (stop_poll(polls, SLOTS, timeout_us()) > 0)
            dispatch(polls);
    }
}
