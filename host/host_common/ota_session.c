/* SPDX-License-Identifier: Apache-2.0 */
#include "session_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "device_internal.h"
#include "fault.h"
#include "kept_dialect.h"

/* The erase of a slot: reported 1.4 to 12 s for 1.5 to 1.8 MB; slow flash chips take longer still.
 */
#define BEGIN_BASE_S       15
#define BEGIN_MS_PER_KIB   40
#define LARGEST_USUAL_SLOT (1792 * 1024) /* upstream's table for the ESP32 */

static unsigned begin_timeout_ms(const struct hosted_device *device, uint32_t slot_bytes)
{
    const uint32_t known = slot_bytes > 0 ? slot_bytes : device->identity.slot_bytes;
    const uint32_t slot = known > 0 ? known : LARGEST_USUAL_SLOT;
    const unsigned erase_s = BEGIN_BASE_S + slot / 1024 * BEGIN_MS_PER_KIB / 1000;

    return device_timeout_ms(device, erase_s > DEVICE_DEFAULT_TIMEOUT_S ? erase_s
                                                                        : DEVICE_DEFAULT_TIMEOUT_S);
}

static void set_offset(const struct hosted_session *session, struct hosted_fault *fault)
{
    if (fault != NULL)
        fault->offset = session->confirmed;
}

/* Who says no may do so because another update has just selected another firmware. */
static void say_not_begun(const struct hosted_device *device, int err, bool cleared,
                          struct hosted_fault *fault)
{
    if (err != -EREMOTEIO) {
        device_say_unchanged(device, fault);
        return;
    }
    fault_add(fault,
              "; no update was begun: if one has just ended, wait for the ESP32 to restart; if one "
              "was cut off before, restart the ESP32");
    if (!cleared) /* else that was not it */
        fault_hint(fault, HOSTED_HINT_CLEAR_SESSION, err);
}

/*
 * ESP-IDF 6.1 refuses a begin for as long as the session of an update is open that was cut off, and
 * stock firmware ends that only by `end`: refused, if bytes of the image lack, and else the image
 * boots.
 */
static int clear_session(struct hosted_device *device, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_OTA_END};
    struct ctrl_reply reply;
    int err;

    device_say(device, "begin was refused: ending the update that may have been cut off");
    kept_dialect_forget(device->path); /* what it ends may boot */
    err = device_call(device, &request, device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S), &reply,
                      fault);
    if (err == -EREMOTEIO)
        return 0;
    if (err < 0) {
        fault_add(fault, "; it may have selected the image that was cut off");
        return err;
    }
    device_forget(device);
    return fault_set(fault, HOSTED_NOT_UP, -EALREADY,
                     "%s: the update that was cut off was complete: the ESP32 has selected its "
                     "image and restarts in 5 s; update it again then",
                     device->path);
}

static int begin(struct hosted_session *session, uint32_t slot_bytes, bool clear,
                 const struct session_image *image, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_OTA_BEGIN};
    struct hosted_device *device = session->device;
    struct ctrl_reply reply;
    int err;

    if (session->extended) {
        err = session_extended_begin(session, image, fault);
        if (err < 0)
            device_say_unchanged(device, fault);
        return err;
    }
    err = device_call(device, &request, begin_timeout_ms(device, slot_bytes), &reply, fault);
    if (err == -EREMOTEIO && clear) {
        err = clear_session(device, fault);
        if (err < 0)
            return err;
        err = device_call(device, &request, begin_timeout_ms(device, slot_bytes), &reply, fault);
    }
    if (err < 0)
        say_not_begun(device, err, clear, fault);
    return err;
}

int session_open_identified(struct hosted_device *device, uint32_t slot_bytes, bool clear,
                            const struct session_image *image, struct hosted_session **ret,
                            struct hosted_fault *fault)
{
    struct hosted_session *session = calloc(1, sizeof(*session));

    if (session == NULL) {
        fault_errno(fault, HOSTED_LOCAL, ENOMEM, device->path);
        fault_add(fault, "; nothing was erased");
        return -ENOMEM;
    }
    session->device = device;
    session->extended = extended_can(device, HOSTED_CAN_SESSION);
    session_window_open(session);
    /* From here on a restart of the ESP32 is the end of the update. */
    device->client.restarted = false;
    device->client.restart_fatal = true;
    device->client.refused_late = false;

    const int err = begin(session, slot_bytes, clear, image, fault);

    if (err < 0) {
        session->state = SESSION_FAILED;
        session->ended = true; /* none is open that could be given up */
        hosted_session_close(session);
        return err;
    }
    *ret = session;
    return 0;
}

int hosted_session_open(struct hosted_device *device, uint32_t slot_bytes,
                        struct hosted_session **ret, struct hosted_fault *fault)
{
    const int err = device_identify(device, fault);

    return err < 0 ? err : session_open_identified(device, slot_bytes, false, NULL, ret, fault);
}

static int check_state(const struct hosted_session *session, const char *what,
                       struct hosted_fault *fault)
{
    if (session->state == SESSION_OPEN)
        return 0;
    fault_set(fault, HOSTED_USAGE, -EPROTO, "%s: no %s is possible after %s", session->device->path,
              what, session->state == SESSION_FAILED ? "a failed write" : "the end of the update");
    set_offset(session, fault);
    return -EPROTO;
}

static int write_chunk(struct hosted_session *session, const uint8_t *data, size_t len,
                       struct hosted_fault *fault)
{
    struct hosted_device *device = session->device;
    const struct ctrl_request request = {
        .command = CTRL_OTA_WRITE,
        .write = {.data = data, .len = len, .offset = session->confirmed},
    };
    struct ctrl_reply reply;
    const int err = device_call(device, &request,
                                device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S), &reply, fault);

    if (err == 0)
        session->confirmed += len;
    return err;
}

static int after_write(struct hosted_session *session, int err, struct hosted_fault *fault)
{
    if (err < 0) {
        session->state = SESSION_FAILED;
        device_say_unchanged(session->device, fault);
        set_offset(session, fault);
    }
    return err;
}

int session_pump(struct hosted_session *session, struct hosted_fault *fault)
{
    const int err = check_state(session, "write", fault);

    return err < 0 ? err : after_write(session, session_window_step(session, fault), fault);
}

static int write_extended(struct hosted_session *session, const uint8_t *data, size_t len,
                          struct hosted_fault *fault)
{
    int err = 0;

    session_put(session, data, len, 0);
    while (err == 0 && session->confirmed < session_position(session))
        err = session_pump(session, fault);
    return err;
}

static int write_stock(struct hosted_session *session, const uint8_t *data, size_t len,
                       struct hosted_fault *fault)
{
    int err = 0;

    while (err == 0 && len > 0) {
        const size_t chunk = len < HOSTED_CHUNK_BYTES ? len : HOSTED_CHUNK_BYTES;

        err = write_chunk(session, data, chunk, fault);
        data += chunk;
        len -= chunk;
    }
    return after_write(session, err, fault);
}

int hosted_session_write(struct hosted_session *session, const void *data, size_t len,
                         struct hosted_fault *fault)
{
    const int err = check_state(session, "write", fault);

    if (err < 0)
        return err;
    return session->extended ? write_extended(session, data, len, fault)
                             : write_stock(session, data, len, fault);
}

/* After an `end` that was sent but not answered nobody can tell what boots. */
static void say_what_boots(const struct hosted_session *session, int err,
                           struct hosted_fault *fault)
{
    if (err == -EREMOTEIO || err == -ECANCELED)
        device_say_unchanged(session->device, fault);
    else
        fault_add(fault, "; it may have selected the new firmware all the same");
    set_offset(session, fault);
}

/*
 * Where replies have no numbers, a doubled one may have stood for that of the next write, whose own
 * is then still to come: perhaps a refusal. The reply to a question comes behind them all.
 */
static int settle_writes(struct hosted_session *session, struct hosted_fault *fault)
{
    struct hosted_device *device = session->device;
    const struct ctrl_client *client = &device->client;
    const struct ctrl_request write = {
        .command = CTRL_OTA_WRITE,
        .write = {.offset = session->confirmed},
    };
    int err = 0;

    if (!client->dialect->has_uids || client->numberless)
        err = device_identify(device, fault);
    if (err == 0 && client->refused_late)
        err = device_refusal(device, &write, -1, fault);
    if (err < 0)
        device_say_unchanged(device, fault);
    return err;
}

static int end(struct hosted_session *session, const struct session_end *end,
               struct hosted_fault *fault)
{
    struct hosted_device *device = session->device;
    const struct ctrl_request request = {.command = CTRL_OTA_END};
    struct ctrl_reply reply;

    if (session->extended)
        return session_extended_end(session, end, fault);
    return device_call(device, &request, device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S),
                       &reply, fault);
}

int session_finish(struct hosted_session *session, const struct session_end *how,
                   struct hosted_fault *fault)
{
    struct hosted_device *device = session->device;
    int err = check_state(session, "end", fault);

    if (err < 0)
        return err;
    if (!session->extended) /* else `end` says how many bytes there must be, and which */
        err = settle_writes(session, fault);
    if (err < 0) {
        session->state = SESSION_FAILED;
        session->ended = true;
        set_offset(session, fault);
        return err;
    }
    session->state = SESSION_FINISHED;
    /* Before, not after: whatever becomes of this process, the new firmware may speak otherwise. */
    kept_dialect_forget(device->path);
    device->mark.text[0] = '\0'; /* that this changes the node is our doing */
    err = end(session, how, fault);
    device->client.restart_fatal = false;
    if (err < 0) {
        say_what_boots(session, err, fault);
        return err;
    }
    device_forget(device); /* what it said of itself ends with its restart */
    return 0;
}

int hosted_session_finish(struct hosted_session *session, struct hosted_fault *fault)
{
    return session_finish(session, NULL, fault);
}

uint64_t hosted_session_confirmed(const struct hosted_session *session)
{
    return session->confirmed;
}

void hosted_session_close(struct hosted_session *session)
{
    if (session == NULL)
        return;
    if (session->extended && session->state != SESSION_FINISHED && !session->ended)
        session_extended_abort(session);
    session->device->client.restart_fatal = false;
    ctrl_client_settled(&session->device->client);
    free(session);
}
