/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"
#include "chip.h"
#include "esp_attr.h"
#include "firmware.h"
#include "measure.h"
#include "stock.h"
#include "timers.h"

#define NO_OPERATION 0

static struct world s_world;
static uint64_t s_operations;
static uint64_t s_stop_before = NO_OPERATION;
static bool s_private; /* the flash is a copy of the shared one */
static bool s_forked;  /* this process only waits for its power cut */
static struct answer s_answer;

static void put_state(enum answer_kind kind)
{
    s_answer.kind = kind;
    s_answer.operations = (uint32_t)s_operations;
    s_answer.misuses = the_chip.flash.misuses;
    channel_answer(&s_answer);
}

static _Noreturn void end(enum answer_kind kind, uint32_t reason)
{
    if (s_private)
        memcpy(shared.flash, the_chip.flash.bytes, the_chip.flash.size);
    s_answer.reason = reason;
    put_state(kind);
    _exit(0);
}

/* RTC memory: the variables marked RTC_NOINIT_ATTR, if there are any. */
extern char __start_rtc_noinit[] __attribute__((weak));
extern char __stop_rtc_noinit[] __attribute__((weak));

static size_t rtc_bytes(void)
{
    const size_t bytes = (uintptr_t)__stop_rtc_noinit - (uintptr_t)__start_rtc_noinit;

    return bytes < WORLD_RTC_BYTES ? bytes : WORLD_RTC_BYTES;
}

/* The linker (--wrap) sends world_reset() and world_send_frame() here. */
_Noreturn void __wrap_world_reset(enum world_reset reason);
void __wrap_world_send_frame(const uint8_t *frame, size_t len);

static void save_rtc(void)
{
    if (rtc_bytes() > 0)
        memcpy(shared.rtc, __start_rtc_noinit, rtc_bytes());
}

_Noreturn void __wrap_world_reset(enum world_reset reason)
{
    save_rtc();
    end(ANSWER_RESET, reason);
}

void __wrap_world_send_frame(const uint8_t *frame, size_t len)
{
    uint8_t *const at = shared.replies + s_answer.replies;

    if (s_answer.replies + 2 + len > REPLIES_BYTES)
        abort();
    at[0] = (uint8_t)len;
    at[1] = (uint8_t)(len >> 8);
    memcpy(at + 2, frame, len);
    s_answer.replies += (uint32_t)(2 + len);
}

static void lose_power(void *ctx, uint64_t operation)
{
    (void)ctx;
    (void)operation;
    save_rtc(); /* a short cut may leave it as it was */
    end(ANSWER_POWER_CUT, 0);
}

static void set_cut(uint64_t operation, uint32_t how)
{
    the_chip.flash.cut_at = operation;
    the_chip.flash.cut = (enum flash_cut)how;
}

/* A copy of this device goes on to the next operation, and loses its power there. */
static bool fork_off(uint32_t how)
{
    const pid_t child = fork();
    int status = -1;

    if (child == 0) {
        s_forked = true;
        set_cut(s_operations + 1, how);
        return true;
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        s_answer.reason = (uint32_t)status;
        put_state(ANSWER_CRASHED);
    }
    return false;
}

static void stop_here(void)
{
    struct command command;

    put_state(ANSWER_STOPPED);
    while (channel_next(&command)) {
        if (command.verb == VERB_CONTINUE) {
            s_stop_before = command.a;
            return;
        }
        if (command.verb == VERB_FORK && fork_off(command.a))
            return;
        if (command.verb == VERB_OFF)
            end(ANSWER_OFF, 0);
    }
    _exit(0);
}

static void after_work(void *ctx, enum flash_work work, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    if (work != FLASH_READ && s_operations + 1 == s_stop_before && !s_forked &&
        the_chip.flash.cut_at != s_operations)
        stop_here();
}

static void make_world(const struct kind *kind, uint32_t flags)
{
    const bool keep_rtc = (flags & START_KEEP_RTC) != 0;

    world = &s_world;
    sim_clock_init(&world->clock, SIM_CLOCK_NONE);
    world->dialect = kind->dialect;
    world->bus_mhz = 10;
    memcpy(world->mac, "\x24\x0a\xc4\x11\x22\x33", sizeof(world->mac));
    world->reset = flags & START_RESET ? WORLD_RESET_SOFTWARE : WORLD_RESET_POWER_ON;
    world->events.file = -1;
    world->bus.client = -1;
    world->air.joined = AIR_NO_AP;
    if (rtc_bytes() > 0 && keep_rtc)
        memcpy(__start_rtc_noinit, shared.rtc, rtc_bytes());
    else if (rtc_bytes() > 0)
        memset(__start_rtc_noinit, 0xa5, rtc_bytes());
}

/* What has broken meanwhile. */
static void break_flash(void)
{
    static struct flash_fault s_faults[FAULTS_MAX];
    const uint32_t count = shared.faults->count < FAULTS_MAX ? shared.faults->count : FAULTS_MAX;

    for (uint32_t i = 0; i < count; i++)
        s_faults[i] = (struct flash_fault){.kind = (enum flash_fault_kind)shared.faults->of[i].kind,
                                           .at = shared.faults->of[i].at};
    flash_set_faults(&the_chip.flash, s_faults, count);
}

static void make_chip(const struct kind *kind, const struct command *start)
{
    uint8_t *bytes = shared.flash;

    s_private = (start->a & START_PRIVATE) != 0;
    if (s_private) {
        bytes = malloc(kind->flash_bytes);
        if (bytes == NULL)
            abort();
        memcpy(bytes, shared.flash, kind->flash_bytes);
    }
    the_chip = (struct chip){
        .model = chip_model_find(0),
        .rollback = kind->rollback,
        .application_rollback = !kind->stock,
        .flash = {.bytes = bytes,
                  .size = kind->flash_bytes,
                  .operations = &s_operations,
                  .power_cut = lose_power,
                  .spent = after_work},
    };
    break_flash();
    set_cut(start->b, start->c);
    s_stop_before = start->d;
}

static void boot(void)
{
    struct boot_result result;

    if (s_stop_before == 1)
        stop_here();
    boot_run(&the_chip, &result);
    if (result.partition == NULL || !result.runs)
        end(ANSWER_NOTHING_BOOTS, 0);
    s_answer.running = result.partition->offset;
    s_answer.has_state = result.has_state;
    s_answer.state = result.state;
    memcpy(s_answer.version, result.version, sizeof(s_answer.version));
}

static const struct program *choose_program(const struct kind *kind)
{
    if (!kind->stock)
        return &firmware_program;
    return kind->dialect == DIALECT_CTRL ? &stock_ctrl_program : &stock_classic_program;
}

/* What happens by itself, as in the simulator's own loop under --time none: the radio, and the
 * restart after an update. */
static void run_timers(bool restart_too)
{
    struct sim_timer *timer;

    while ((timer = sim_timers_next(SIM_TIMER_WORLD)) != NULL ||
           (restart_too && (timer = sim_timers_next(SIM_TIMER_RESTART)) != NULL)) {
        sim_clock_move_to(&world->clock, timer->due_us);
        sim_timer_fire(timer);
    }
}

static void pass_time(int64_t us)
{
    const int64_t until_us = world_now_us() + us;
    struct sim_timer *timer;

    run_timers(true);
    while ((timer = sim_timers_next(SIM_TIMER_FIRMWARE | SIM_TIMER_RESTART)) != NULL &&
           timer->due_us <= until_us) {
        sim_clock_move_to(&world->clock, timer->due_us);
        sim_timer_fire(timer);
        run_timers(true);
    }
    sim_clock_move_to(&world->clock, until_us);
}

/* One frame from the bus, which hands over a buffer of its own. */
struct delivery {
    const struct program *program;
    size_t len;
    uint8_t bytes[UINT16_MAX];
};

static void deliver(void *arg)
{
    const struct delivery *const frame = arg;

    frame->program->on_frame(frame->bytes, frame->len);
}

static void take_larger(uint32_t *most, uint32_t value)
{
    if (value > *most)
        *most = value;
}

static void deliver_measured(struct delivery *frame)
{
    struct measured measured;

    measure_run(deliver, frame, &measured);
    take_larger(&s_answer.stack_bytes, measured.stack_bytes);
    take_larger(&s_answer.heap_bytes, measured.heap_bytes);
    s_answer.heap_calls += measured.heap_calls;
}

static void feed(const struct program *program, const struct command *command)
{
    static struct delivery s_frame;
    const bool hold_restart = (command->c & FEED_HOLD_RESTART) != 0;

    s_frame.program = program;
    if (s_operations + 1 == s_stop_before)
        stop_here();
    for (uint32_t at = command->a; at < command->b;) {
        const size_t len = shared.frames[at] | (size_t)shared.frames[at + 1] << 8;

        s_frame.len = len;
        memcpy(s_frame.bytes, shared.frames + at + 2, len);
        if ((command->c & FEED_MEASURE) != 0)
            deliver_measured(&s_frame);
        else
            deliver(&s_frame);
        run_timers(!hold_restart);
        at += (uint32_t)(2 + len);
    }
}

static void obey(const struct program *program, const struct command *command)
{
    break_flash();
    s_answer.replies = 0;
    s_answer.stack_bytes = s_answer.heap_calls = s_answer.heap_bytes = 0;
    switch (command->verb) {
    case VERB_FEED:
        feed(program, command);
        break;
    case VERB_TIME:
        pass_time((int64_t)((uint64_t)command->b << 32 | command->a));
        break;
    case VERB_RESET:
        world_reset(WORLD_RESET_WATCHDOG);
    case VERB_OFF:
        end(ANSWER_OFF, 0);
    default:
        abort();
    }
}

_Noreturn void life_run(const struct kind *kind, const struct command *start)
{
    const struct program *const program = choose_program(kind);
    struct command command;

    make_world(kind, start->a);
    make_chip(kind, start);
    boot();
    world->boot_us = world_now_us();
    if (program->start() < 0)
        abort();
    run_timers(true);
    program->send_init();
    for (;;) {
        if (s_forked)
            end(ANSWER_OFF, 0); /* the next operation is not of this command */
        put_state(ANSWER_DONE);
        if (!channel_next(&command))
            _exit(0);
        obey(program, &command);
    }
}
