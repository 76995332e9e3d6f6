/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An update of firmware with the extension. Its messages say what they are about, so that any of
 * them may be repeated; where the ESP32 says what it wants next, that counts.
 */
#include <errno.h>
#include <stdlib.h>

#include "fault.h"
#include "session_internal.h"

#define ABORT_MS 1000

int session_extended_begin(struct hosted_session *session, const struct session_image *image,
                           struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_OTA_BEGIN};
    HostedExtension__Begin begin = HOSTED_EXTENSION__BEGIN__INIT;
    HostedExtension__Request what = HOSTED_EXTENSION__REQUEST__INIT;

    if (image != NULL) {
        begin.has_chip_id = image->chip_id >= 0;
        begin.chip_id = (uint32_t)image->chip_id;
        begin.project = (char *)image->project;
        begin.version = (char *)image->version;
        begin.has_secure_version = image->secure_version >= 0;
        begin.secure_version = (uint32_t)image->secure_version;
        begin.has_size = image->bytes >= 0;
        begin.size = (uint32_t)image->bytes;
        begin.has_sha256 = image->sha256 != NULL;
        begin.sha256.data = (uint8_t *)image->sha256;
        begin.sha256.len = EXTENSION_DIGEST_BYTES;
    }
    what.what_case = HOSTED_EXTENSION__REQUEST__WHAT_BEGIN;
    what.begin = &begin;
    return extended_call(session->device, &request, &what, NULL, NULL, fault);
}

int session_digests(struct hosted_session *session, uint64_t offset, uint32_t block, uint32_t count,
                    uint64_t end, struct extension_reply *ret, struct hosted_fault *fault)
{
    HostedExtension__Digests digests = HOSTED_EXTENSION__DIGESTS__INIT;
    HostedExtension__Request what = HOSTED_EXTENSION__REQUEST__INIT;

    digests.has_offset = true;
    digests.offset = (uint32_t)offset;
    digests.has_block = true;
    digests.block = block;
    digests.has_count = true;
    digests.count = count;
    digests.has_end = end > 0;
    digests.end = (uint32_t)end;
    what.what_case = HOSTED_EXTENSION__REQUEST__WHAT_DIGESTS;
    what.digests = &digests;
    return extended_ask(session->device, &what, "digests", ret, fault);
}

static int send_end(struct hosted_session *session, const struct session_end *end,
                    struct extension_reply *ret, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_OTA_END};
    HostedExtension__End message = HOSTED_EXTENSION__END__INIT;
    HostedExtension__Request what = HOSTED_EXTENSION__REQUEST__INIT;

    message.has_size = true;
    message.size = (uint32_t)session->confirmed;
    if (end != NULL) {
        message.has_sha256 = end->sha256 != NULL;
        message.sha256.data = (uint8_t *)end->sha256;
        message.sha256.len = EXTENSION_DIGEST_BYTES;
        message.has_trial_seconds = end->trial_s > 0;
        message.trial_seconds = end->trial_s;
        message.has_no_trial = message.no_trial = end->no_trial;
    }
    what.what_case = HOSTED_EXTENSION__REQUEST__WHAT_END;
    what.end = &message;
    return extended_call(session->device, &request, &what, NULL, ret, fault);
}

int session_extended_end(struct hosted_session *session, const struct session_end *end,
                         struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_OTA_END};
    const int64_t begun_ms = clock_ms();
    struct extension_reply reply = {0};
    int err = send_end(session, end, &reply, fault);

    if (err != -EREMOTEIO || reply.code != HOSTED_EXTENSION__CODE__NO_SESSION)
        return err;
    /* It has no memory of the update. Either an answer was lost, and it has restarted since. */
    if (clock_ms() - begun_ms >= EXTENDED_END_TRY_MS)
        return device_link_fault(session->device, &request, -ECONNRESET, 0, fault);
    /* Or there was silence for too long, and the image lies there: that its digest tells. */
    err = session_extended_begin(session, NULL, fault);
    return err < 0 ? err : send_end(session, end, &reply, fault);
}

void session_extended_abort(struct hosted_session *session)
{
    const HostedExtension__Request what = extended_plain(HOSTED_EXTENSION__REQUEST__WHAT_ABORT);
    struct ctrl_client *client = &session->device->client;
    struct hosted_cancel *cancel = client->cancel;
    struct extension_request packed;
    struct ctrl_request request = {.command = CTRL_GET_MODE};
    struct ctrl_reply reply;

    /* Who restarted knows of no update, and may be another firmware, which dies of a question. */
    if (client->dialect == NULL || client->restarted)
        return;
    extension_pack(&what, &packed);
    request.extension = packed.bytes;
    request.extension_len = packed.len;
    client->cancel = NULL; /* which is why this is given up */
    ctrl_client_call(client, &request, ABORT_MS, &reply);
    client->cancel = cancel;
}
