/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which dialect does the firmware speak?
 *
 * Classic firmware of late 2021 loses its control task, and with it the whole chip, over a frame
 * for an endpoint that it does not know; all others only log one. So classic is asked first, twice,
 * and anything else only after a silence that is longer than classic firmware takes when it is
 * busy, or when a frame has named another dialect.
 */
#include <errno.h>

#include "device_internal.h"
#include "fault.h"
#include "kept_dialect.h"

/* Twice, in case one is lost. The second wait alone is longer than 3 s, the longest that an answer
 * of a classic firmware was late, and both together than the first answer. Not shortened by the
 * caller's timeout: it is not patience that counts here, but certainty. */
#define CLASSIC_FIRST_MS  1400
#define CLASSIC_SECOND_MS 3200

#define CTRL_TRIES   2
#define ROUNDS       3 /* classic firmware that is heard while another is asked begins a new one */
#define CTRL_WAIT_MS 2000
#define MCU_WAIT_MS  2000

static const struct ctrl_request get_mode = {.command = CTRL_GET_MODE};

/* Waits that the caller may shorten. */
static unsigned patience_ms(const struct hosted_device *device, unsigned wait_ms)
{
    const unsigned longest_ms = device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S);

    return longest_ms < wait_ms ? longest_ms : wait_ms;
}

static int ask(struct hosted_device *device, const struct dialect *dialect, unsigned wait_ms,
               struct ctrl_reply *ret)
{
    device->client.dialect = dialect;
    return ctrl_client_call(&device->client, &get_mode, wait_ms, ret);
}

/* Asks on `control`; -EPROTOTYPE as soon as another dialect is heard. */
static int ask_classic(struct hosted_device *device, struct ctrl_reply *ret)
{
    struct ctrl_client *client = &device->client;
    int err;

    client->dialect = &dialect_classic;
    err = ctrl_client_drain(client, clock_ms() + CLASSIC_FIRST_MS);
    /* What lay in the queue may be of a firmware that has gone. */
    client->heard = NULL;
    if (err == 0)
        err = ask(device, &dialect_classic, CLASSIC_FIRST_MS, ret);
    if (err == -ETIMEDOUT)
        err = ask(device, &dialect_classic, CLASSIC_SECOND_MS, ret);
    return err;
}

static int ask_ctrl(struct hosted_device *device, struct ctrl_reply *ret)
{
    int err = -ETIMEDOUT;

    for (int i = 0; i < CTRL_TRIES && err == -ETIMEDOUT; i++)
        err = ask(device, &dialect_ctrl, patience_ms(device, CTRL_WAIT_MS), ret);
    return err;
}

/* One time through all dialects. -EPROTOTYPE: classic firmware was heard on the way. */
static int search_round(struct hosted_device *device, struct ctrl_reply *ret)
{
    const struct dialect *heard;
    int err = ask_classic(device, ret);

    heard = device->client.heard;
    if (err == -ETIMEDOUT && heard == &dialect_classic)
        return -EPROTOTYPE; /* it is there, and slow */
    if (err == -EPROTOTYPE)
        device->client.heard = NULL;
    if (err == -ETIMEDOUT || (err == -EPROTOTYPE && heard == &dialect_ctrl))
        err = ask_ctrl(device, ret);
    if (err == -ETIMEDOUT || (err == -EPROTOTYPE && heard == &dialect_mcu))
        err = ask(device, &dialect_mcu, patience_ms(device, MCU_WAIT_MS), ret);
    return err;
}

static int search(struct hosted_device *device, struct ctrl_reply *ret)
{
    int err = -EPROTOTYPE;

    device->client.curious = true;
    for (int i = 0; i < ROUNDS && err == -EPROTOTYPE; i++)
        err = search_round(device, ret);
    device->client.curious = false;
    return err == -EPROTOTYPE ? -ETIMEDOUT : err;
}

static int no_answer(const struct hosted_device *device, int64_t begun_ms,
                     struct hosted_fault *fault)
{
    return fault_set(fault, HOSTED_NO_ANSWER, -ETIMEDOUT,
                     "%s: no answer to get_mode for %u s, asked on the endpoints control, ctrlResp "
                     "and RPCRsp",
                     device->path, (unsigned)((clock_ms() - begun_ms + 500) / 1000));
}

/* The kept answer, if it is still right: once, because a wrong one does its harm with each
 * question. */
static int try_kept(struct hosted_device *device, struct ctrl_reply *ret)
{
    int err;

    device_take_mark(device);
    if (!kept_dialect_is_ctrl(device->path))
        return -ETIMEDOUT;
    err = ask(device, &dialect_ctrl, patience_ms(device, CTRL_WAIT_MS), ret);
    if (err == 0) {
        device_say(device, "dialect ctrl, as it was found out before");
    } else if (err == -ETIMEDOUT) {
        kept_dialect_forget(device->path);
        device_say(device, "forgot that the dialect was ctrl: no answer");
    }
    return err;
}

void device_take_mark(struct hosted_device *device)
{
    device->outdated = false;
    kept_dialect_mark(device->path, &device->mark);
}

void device_keep(struct hosted_device *device)
{
    if (device->dialect != HOSTED_DIALECT_AUTO || hosted_dialect(device) != HOSTED_DIALECT_CTRL)
        return;
    device->outdated = false;
    kept_dialect_keep_ctrl(device->path, &device->mark);
}

int detect_dialect(struct hosted_device *device, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int64_t begun_ms = clock_ms();
    int err = try_kept(device, ret);

    if (err == 0)
        return 0;
    device_take_mark(device);
    if (err == -ETIMEDOUT) {
        err = search(device, ret);
    }
    if (err == 0) {
        device_say(device, "dialect %s, found out in %d ms",
                   hosted_dialect_name(hosted_dialect(device)), (int)(clock_ms() - begun_ms));
        device_keep(device);
        return 0;
    }
    device->client.dialect = NULL;
    if (err == -ETIMEDOUT)
        return no_answer(device, begun_ms, fault);
    return device_link_fault(device, &get_mode, err, 0, fault);
}
