/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several writes on their way over a link that loses, doubles and holds back whatever it likes, in
 * both directions. What lies in the slot in the end is the image, or the update has failed: no
 * order of events has a write that was lost pass for a sector that is left as it is.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "extended_esp32.h"
#include "noise.h"
#include "session_internal.h"

#define SECTOR      4096u
#define PER_BLOCK   16u
#define BLOCKS      3u
#define SECTORS     (BLOCKS * PER_BLOCK)
#define LEN         (SECTORS * SECTOR - 1000)
#define ROUNDS      1500
#define PENDING_MAX 64

static uint32_t s_noise;
static uint8_t s_image[SECTORS * SECTOR];

static bool one_in(uint32_t n)
{
    return noise_below(&s_noise, n) == 0;
}

/* The link: requests that are on their way, before the made device's own. */

static const struct link_ops *s_inner;
static bool s_bad;
static uint32_t s_badness; /* one in so many messages fares ill */

static struct {
    uint8_t bytes[4200];
    size_t len;
} s_pending[PENDING_MAX];
static size_t s_pending_count;

static int send_later(struct link *link, const void *message, size_t len, int64_t deadline_ms)
{
    (void)link;
    (void)deadline_ms;
    if (s_pending_count >= PENDING_MAX || len > sizeof(s_pending[0].bytes)) {
        fail_msg("more than any window has");
        return -ENOBUFS;
    }
    memcpy(s_pending[s_pending_count].bytes, message, len);
    s_pending[s_pending_count++].len = len;
    return 0;
}

/* The first of them gets there, or not, or twice. */
static void deliver(struct link *link)
{
    int times = 1;

    if (s_bad && one_in(s_badness))
        times = one_in(2) ? 0 : 2;
    for (; times > 0; times--)
        assert_int_equal(s_inner->send(link, s_pending[0].bytes, s_pending[0].len, 0), 0);
    memmove(s_pending, s_pending + 1, --s_pending_count * sizeof(s_pending[0]));
}

static ssize_t receive(struct link *link, void *buf, size_t size, int64_t deadline_ms,
                       const struct hosted_cancel *cancel)
{
    const struct extended_esp32 *fake = (struct extended_esp32 *)link;

    if (s_bad && one_in(4 * s_badness)) /* all that is on its way comes later than is waited for */
        return clock_wait(cancel, deadline_ms);
    while (s_pending_count > 0 && (fake->queued == 0 || one_in(2)))
        deliver(link);
    return s_inner->receive(link, buf, size, deadline_ms, cancel);
}

static ssize_t take(struct link *link, void *buf, size_t size)
{
    return s_inner->take(link, buf, size);
}

static void close_link(struct link *link)
{
    s_inner->close(link);
}

static int answer(struct extended_esp32 *fake, const HostedExtension__Request *request,
                  HostedExtension__Reply *reply)
{
    (void)fake;
    (void)request;
    (void)reply;
    if (!s_bad || !one_in(s_badness))
        return 1;
    return one_in(2) ? 0 : 2;
}

static struct extended_esp32 *make_device(bool ctrl)
{
    static const struct link_ops ops = {send_later, receive, take, close_link};
    struct extended_esp32 *fake = extended_new();

    fake->ctrl = ctrl;
    fake->features |= HOSTED_CAN_WINDOW;
    fake->window = 1 + noise_below(&s_noise, 4);
    fake->on = answer;
    s_inner = fake->link.ops;
    fake->link.ops = &ops;
    s_badness = 3 + noise_below(&s_noise, 40);
    return fake;
}

/* The sectors that the slot has, in runs; the others hold something else. */
static void fill(struct extended_esp32 *fake, bool there[SECTORS])
{
    const uint32_t change = 1 + noise_below(&s_noise, 8);

    memset(fake->slot, 0x5a, sizeof(fake->slot));
    there[0] = one_in(2);
    for (size_t i = 1; i < SECTORS; i++)
        there[i] = one_in(change) ? !there[i - 1] : there[i - 1];
    for (size_t i = 0; i < SECTORS; i++) {
        if (there[i])
            memcpy(fake->slot + i * SECTOR, s_image + i * SECTOR, SECTOR);
    }
}

static size_t sector_len(size_t i)
{
    return i < SECTORS - 1 ? SECTOR : LEN % SECTOR;
}

static int pump_to(struct hosted_session *session, uint64_t offset, struct hosted_fault *fault)
{
    int err = 0;

    while (err == 0 && session->confirmed < offset)
        err = session_pump(session, fault);
    return err;
}

/* As an update does it: see update_resume.c. */
static int update(struct hosted_session *session, const bool there[SECTORS],
                  struct hosted_fault *fault)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < SECTORS;) {
        const size_t from = i, end = (i / PER_BLOCK + 1) * PER_BLOCK;
        size_t len = 0;

        if (i % PER_BLOCK == 0 &&
            i >= 2 * PER_BLOCK) /* its buffer is that of the one before last */
            err = pump_to(session, (i - PER_BLOCK) * SECTOR, fault);
        for (; i < end && there[i] == there[from]; i++)
            len += sector_len(i);
        if (err == 0 && there[from])
            session_skip(session, len);
        else if (err == 0)
            session_put(session, s_image + from * SECTOR, len, 0);
        while (err == 0 && !session_is_sent(session))
            err = session_pump(session, fault);
    }
    return err < 0 ? err : pump_to(session, LEN, fault);
}

/* Whether the update came to its end. */
static bool play(bool ctrl)
{
    struct extended_esp32 *fake = make_device(ctrl);
    struct hosted_device *device = extended_device(fake);
    struct hosted_session *session = NULL;
    struct hosted_fault fault = {0};
    bool there[SECTORS];
    int err;

    fill(fake, there);
    assert_int_equal(hosted_session_open(device, 0, &session, &fault), 0);
    s_bad = true;
    err = update(session, there, &fault);
    s_bad = false;
    while (err == 0 && s_pending_count > 0) /* what comes late does no harm */
        deliver(&fake->link);
    if (err == 0)
        assert_memory_equal(fake->slot, s_image, LEN);
    s_pending_count = 0;
    hosted_session_close(session);
    hosted_close(device);
    extended_free(fake);
    return err == 0;
}

static void the_image_arrives_or_the_update_fails(bool ctrl)
{
    unsigned done = 0;

    s_noise = 7;
    for (size_t i = 0; i < sizeof(s_image); i++)
        s_image[i] = (uint8_t)noise_next(&s_noise);
    for (unsigned i = 0; i < ROUNDS; i++)
        done += play(ctrl);
    assert_true(done > ROUNDS / 2);
}

static void in_classic(void **state)
{
    (void)state;
    the_image_arrives_or_the_update_fails(false);
}

static void in_ctrl(void **state)
{
    (void)state;
    the_image_arrives_or_the_update_fails(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_classic),
        cmocka_unit_test(in_ctrl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
