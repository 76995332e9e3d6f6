/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writes of an update with the extension. So many are out as the ESP32 keeps; what it says it
 * wants next confirms all that lies before it, so that a lost answer is made good by the next one.
 * Where something does not fit, one question stands behind all that was sent: its answer is the
 * last, and from what the ESP32 wanted then everything is sent again.
 */
#include <errno.h>
#include <string.h>

#include "fault.h"
#include "session_internal.h"

/* Answers that do not fit which are put up with before more of the image has been taken than ever:
 * else an ESP32 that goes back again and again would hold an update for ever. */
#define CORRECTIONS_MAX 3

#define SECTOR_BYTES 4096

static struct ctrl_client *client_of(const struct hosted_session *session)
{
    return &session->device->client;
}

void session_window_open(struct hosted_session *session)
{
    const struct hosted_device *device = session->device;
    const unsigned granted = extended_can(device, HOSTED_CAN_WINDOW) ? device->window : 1;

    session->window.size = granted < 1                    ? 1
                           : granted < SESSION_WINDOW_MAX ? granted
                                                          : SESSION_WINDOW_MAX;
}

/* The image up to there is in the slot, or is left as it is. */
static void advance(struct hosted_session *session, uint64_t confirmed)
{
    session->confirmed = confirmed;
    if (confirmed > session->furthest)
        session->furthest = confirmed;
}

static uint64_t end_of(const struct session_run *run)
{
    return run->base + run->len;
}

void session_put(struct hosted_session *session, const uint8_t *data, size_t len,
                 uint64_t erase_end)
{
    struct session_window *window = &session->window;
    struct session_run run = {.base = window->end, .data = data, .len = len};

    if (len == 0)
        return;
    window->end = end_of(&run);
    run.erase_end = erase_end > window->end ? erase_end : window->end;
    window->runs[window->run_count++] = run;
}

void session_skip(struct hosted_session *session, size_t len)
{
    struct session_window *window = &session->window;

    window->end += len;
    if (window->run_count == 0)
        advance(session, window->end);
}

uint64_t session_position(const struct hosted_session *session)
{
    return session->window.end;
}

/* The run that is to be sent next; NULL: all was. */
static const struct session_run *next_run(const struct session_window *window)
{
    for (size_t i = 0; i < window->run_count; i++)
        if (end_of(&window->runs[i]) > window->sent)
            return &window->runs[i];
    return NULL;
}

bool session_is_sent(const struct hosted_session *session)
{
    return next_run(&session->window) == NULL;
}

static uint64_t next_offset(const struct session_window *window, const struct session_run *run)
{
    return window->sent > run->base ? window->sent : run->base;
}

/*
 * A write that begins a sector is taken also if the ESP32 still wants an earlier sector: it leaves
 * those between as they are. It must not go out while that could come of writes that were lost.
 */
static bool could_leave_out(const struct hosted_session *session, uint64_t offset)
{
    const struct session_window *window = &session->window;

    if (offset % SECTOR_BYTES != 0)
        return false;
    if (session->confirmed % SECTOR_BYTES == 0)
        return true;
    for (size_t i = 0; i < window->out_count; i++)
        if (window->out[i].end != offset && window->out[i].end % SECTOR_BYTES == 0)
            return true;
    return false;
}

static bool may_send(const struct hosted_session *session)
{
    const struct session_window *window = &session->window;
    const struct session_run *run = next_run(window);

    if (run == NULL || window->out_count == 0)
        return run != NULL;
    /* Whether anybody listens shows one write as well as many. */
    return window->out_count < (window->silent_ms > 0 ? 1 : window->size) &&
           !could_leave_out(session, next_offset(window, run));
}

static void remove_first(void *list, size_t *count, size_t n, size_t size)
{
    *count -= n;
    memmove(list, (char *)list + n * size, *count * size);
}

/* Nothing is out any more, and what the ESP32 has not taken is to be sent again. */
static void go_back(struct hosted_session *session)
{
    session->window.out_count = 0;
    session->window.sent = session->confirmed;
    ctrl_client_settled(client_of(session));
}

static unsigned patience_ms(const struct hosted_session *session)
{
    return device_timeout_ms(session->device, DEVICE_DEFAULT_TIMEOUT_S);
}

static unsigned try_ms(const struct hosted_session *session)
{
    const unsigned left_ms = patience_ms(session) - session->window.silent_ms;

    return left_ms < EXTENDED_TRY_MS ? left_ms : EXTENDED_TRY_MS;
}

static int send_next(struct hosted_session *session, struct hosted_fault *fault)
{
    struct session_window *window = &session->window;
    const struct session_run *run = next_run(window);
    const uint64_t offset = next_offset(window, run);
    const uint64_t left = end_of(run) - offset;
    const size_t len = left < HOSTED_CHUNK_BYTES ? (size_t)left : HOSTED_CHUNK_BYTES;
    const struct ctrl_request request = {
        .command = CTRL_OTA_WRITE,
        .write = {.data = run->data + (offset - run->base), .len = len, .offset = offset},
    };
    HostedExtension__Write write = HOSTED_EXTENSION__WRITE__INIT;
    HostedExtension__Request what = HOSTED_EXTENSION__REQUEST__INIT;
    int err;

    write.has_offset = write.has_run_end = true;
    write.offset = (uint32_t)offset;
    write.run_end = (uint32_t)run->erase_end;
    what.what_case = HOSTED_EXTENSION__REQUEST__WHAT_WRITE;
    what.write = &write;
    if (offset + len > window->reached) /* also if it only seems not to have gone out */
        window->reached = offset + len;
    err = extended_send(session->device, &request, &what, try_ms(session), fault);
    if (err < 0)
        return err;
    window->sent = offset + len;
    window->out[window->out_count++] =
        (struct session_out){.uid = client_of(session)->uid, .offset = offset, .end = window->sent};
    return 0;
}

/* Whether the ESP32 has the update still open after a write that failed: then it must be told. */
static int fail(struct hosted_session *session, int err, int32_t code)
{
    const bool open = err == -EREMOTEIO ? code == HOSTED_EXTENSION__CODE__WRONG_OFFSET ||
                                              code == HOSTED_EXTENSION__CODE__NOT_UNDERSTOOD
                                        : err == -ECANCELED || err == -EPROTO;

    session->ended = !open;
    return err;
}

/* For messages. */
static struct ctrl_request write_at(uint64_t offset)
{
    return (struct ctrl_request){.command = CTRL_OTA_WRITE, .write = {.offset = offset}};
}

/* Nothing was heard of it. The oldest write goes out again, alone. */
static int on_silence(struct hosted_session *session, unsigned waited_ms,
                      struct hosted_fault *fault)
{
    struct hosted_device *device = session->device;
    struct session_window *window = &session->window;
    const struct ctrl_request oldest = write_at(session->confirmed);

    window->silent_ms += waited_ms;
    window->asked_again = true;
    go_back(session);
    if (window->silent_ms >= patience_ms(session)) {
        device_silent(device);
        return fail(session,
                    device_link_fault(device, &oldest, -ETIMEDOUT, patience_ms(session), fault), 0);
    }
    device->answered = true; /* silent for a while is no reason to ask who is there */
    device_say(device, "no answer to write: asked again");
    return 0;
}

/* Also of those that are not known to be out any more. */
static bool ends_a_write(const struct session_window *window, uint64_t next)
{
    for (size_t i = 0; i < window->run_count; i++) {
        const struct session_run *run = &window->runs[i];

        if (next > run->base && next <= end_of(run))
            return next == end_of(run) || (next - run->base) % HOSTED_CHUNK_BYTES == 0;
    }
    return false;
}

/* Takes what the ESP32 wants next, if that can be true. Parts of writes are no progress that would
 * have it corrected for ever. */
static bool believe(struct hosted_session *session, uint64_t next)
{
    struct session_window *window = &session->window;
    size_t done = 0;

    if (next < window->floor || next > window->reached || window->run_count == 0)
        return false;
    if (next > session->furthest && ends_a_write(window, next))
        window->corrections = 0;
    while (done < window->run_count && end_of(&window->runs[done]) <= next)
        window->floor = end_of(&window->runs[done++]);
    remove_first(window->runs, &window->run_count, done, sizeof(window->runs[0]));
    if (window->run_count == 0)
        next = window->end;
    else if (next < window->runs[0].base) /* what lies between is left as it is */
        next = window->runs[0].base;
    advance(session, next);
    if (window->sent < next)
        window->sent = next;
    return true;
}

/* What came in while the question was asked. */
struct late {
    bool has_next, refused;
    uint64_t next;
    struct extension_reply refusal; /* with DONE it came without content, */
    int32_t code;                   /* but for this one */
};

static void on_late(void *ctx, const struct ctrl_reply *reply)
{
    struct late *late = ctx;
    struct extension_reply said;
    const bool understood = extension_read(reply, &said) == 0;

    if (understood && said.has_next &&
        (said.code == HOSTED_EXTENSION__CODE__DONE ||
         said.code == HOSTED_EXTENSION__CODE__WRONG_OFFSET)) {
        late->has_next = true;
        late->next = said.next;
    } else if (!late->refused && ((understood && said.code != HOSTED_EXTENSION__CODE__DONE) ||
                                  reply->outcome != CTRL_OK)) {
        late->refused = true;
        late->code = reply->code;
        if (understood)
            late->refusal = said;
    }
}

static int refused_late(struct hosted_session *session, const struct late *late,
                        struct hosted_fault *fault)
{
    const struct hosted_device *device = session->device;
    const struct ctrl_request oldest = write_at(session->confirmed);
    const int err = late->refusal.code != HOSTED_EXTENSION__CODE__DONE
                        ? extended_refusal(device, &oldest, NULL, &late->refusal, fault)
                        : device_refusal(device, &oldest, late->code, fault);

    return fail(session, err, late->refusal.code);
}

/* Who is there: behind the answer to that no other is left. */
static int settle(struct hosted_session *session, struct hosted_fault *fault)
{
    struct hosted_device *device = session->device;
    struct late late = {0};
    int err;

    device->client.late = on_late;
    device->client.late_ctx = &late;
    err = device_identify(device, fault);
    device->client.late = NULL;
    if (err == 0 && late.has_next)
        believe(session, late.next);
    go_back(session);
    session->window.asked_again = false;
    if (err < 0) {
        session->ended = err != -ECANCELED;
        return err;
    }
    return late.refused ? refused_late(session, &late, fault) : 0;
}

/* The ESP32 wants something else than what follows on what is confirmed. */
static int correct(struct hosted_session *session, uint64_t next, struct hosted_fault *fault)
{
    int err;

    believe(session, next);
    session->window.corrections++;
    err = settle(session, fault);
    if (err < 0 || session->window.corrections < CORRECTIONS_MAX)
        return err;
    err = fault_set(fault, HOSTED_NO_ANSWER, -EPROTO, "%s: the ESP32 does not say what it wants",
                    session->device->path);
    return fail(session, err, 0);
}

/* To which write it is, as far as can be told. */
static struct session_out find_out(const struct session_window *window, int32_t uid)
{
    for (size_t i = 0; uid != 0 && i < window->out_count; i++)
        if (window->out[i].uid == uid)
            return window->out[i];
    return window->out[0];
}

static void drop_out(struct hosted_session *session)
{
    struct session_window *window = &session->window;
    size_t done = 0;

    while (done < window->out_count && window->out[done].end <= session->confirmed)
        done++;
    remove_first(window->out, &window->out_count, done, sizeof(window->out[0]));
    if (window->out_count == 0)
        ctrl_client_settled(client_of(session));
}

/* `next` is what is wanted behind a write that was taken. */
static int on_taken(struct hosted_session *session, const struct session_out *write, int32_t uid,
                    uint64_t next, struct hosted_fault *fault)
{
    struct session_window *window = &session->window;

    /* Without a number it may be of an earlier write, come twice. */
    if (next < write->end || next <= session->confirmed || !believe(session, next))
        return correct(session, next, fault);
    drop_out(session);
    if (window->asked_again && uid == 0)
        return settle(session, fault);
    window->asked_again = false;
    return 0;
}

static int take_reply(struct hosted_session *session, struct hosted_fault *fault)
{
    struct session_window *window = &session->window;
    struct hosted_device *device = session->device;
    const struct ctrl_request oldest = write_at(window->out[0].offset);
    const unsigned wait_ms = try_ms(session);
    struct extension_reply said = {0};
    struct ctrl_reply reply;
    int err = device_take(device, &oldest, wait_ms, &reply, fault);

    if (err == -ETIMEDOUT)
        return on_silence(session, wait_ms, fault);
    if (err < 0)
        return fail(session, err, 0);
    window->silent_ms = 0;

    const struct session_out write = find_out(window, reply.uid);
    const struct ctrl_request request = write_at(write.offset);

    err = extended_judge(device, &request, NULL, &reply, &said, fault);
    if (err == 0)
        return on_taken(session, &write, reply.uid, said.has_next ? said.next : write.end, fault);
    if (err == -EREMOTEIO && said.code == HOSTED_EXTENSION__CODE__WRONG_OFFSET && said.has_next &&
        said.next >= window->floor)
        return correct(session, said.next, fault);
    return fail(session, err, said.code);
}

int session_window_step(struct hosted_session *session, struct hosted_fault *fault)
{
    int err;

    if (!may_send(session))
        return session->window.out_count > 0 ? take_reply(session, fault) : 0;
    err = send_next(session, fault);
    if (err == -ETIMEDOUT)
        return on_silence(session, try_ms(session), fault);
    return err < 0 ? fail(session, err, 0) : 0;
}
