/* SPDX-License-Identifier: Apache-2.0 */
#include "extension.h"

#include <errno.h>
#include <string.h>

#include "text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

void extension_pack(const HostedExtension__Request *request, struct extension_request *ret)
{
    const size_t len = hosted_extension__request__get_packed_size(request);

    /* Texts are cut where they come from. */
    ret->len = len <= sizeof(ret->bytes) ? hosted_extension__request__pack(request, ret->bytes) : 0;
}

static void read_text(char *out, size_t size, const char *in)
{
    if (in == NULL)
        in = "";
    text_printable(out, size, in, strlen(in));
}

static int unpack(const struct ctrl_reply *reply, HostedExtension__Reply **ret)
{
    if (reply->extension_len == 0)
        return -ENOENT;
    *ret = hosted_extension__reply__unpack(NULL, reply->extension_len, reply->extension);
    return *ret != NULL ? 0 : -EBADMSG;
}

int extension_read(const struct ctrl_reply *reply, struct extension_reply *ret)
{
    HostedExtension__Reply *in = NULL;
    const int err = unpack(reply, &in);

    if (err < 0)
        return err;
    *ret = (struct extension_reply){
        .code = in->has_code ? (int32_t)in->code : 0,
        .esp_err = in->esp_err,
        .has_address = in->has_address,
        .address = in->address,
        .has_next = in->has_next,
        .next = in->next,
        .digest_count = in->digests.len / EXTENSION_DIGEST_BYTES,
    };
    if (ret->digest_count > EXTENSION_DIGESTS_MAX)
        ret->digest_count = EXTENSION_DIGESTS_MAX;
    if (ret->digest_count > 0)
        memcpy(ret->digests, in->digests.data, ret->digest_count * EXTENSION_DIGEST_BYTES);
    read_text(ret->text, sizeof(ret->text), in->text);
    hosted_extension__reply__free_unpacked(in, NULL);
    return 0;
}

static void read_slot(const HostedExtension__Slot *in, struct hosted_slot *out)
{
    *out = (struct hosted_slot){
        .bytes = in->size,
        .running = in->running,
        .boots_next = in->boots_next,
        .update_next = in->update_next,
        .state = (enum hosted_slot_state)in->state,
        .has_image = in->version != NULL,
        .secure_version = in->secure_version,
    };
    read_text(out->label, sizeof(out->label), in->label);
    read_text(out->project, sizeof(out->project), in->project);
    read_text(out->version, sizeof(out->version), in->version);
    if (in->elf_sha256.len == sizeof(out->elf_sha256))
        memcpy(out->elf_sha256, in->elf_sha256.data, sizeof(out->elf_sha256));
}

int extension_read_status(const struct ctrl_reply *reply, struct hosted_slots *ret)
{
    HostedExtension__Reply *in = NULL;
    int err = unpack(reply, &in);

    if (err < 0)
        return err;
    if (in->status != NULL) {
        const HostedExtension__Status *status = in->status;

        ret->session_next = status->has_session_next ? (int64_t)status->session_next : -1;
        ret->trial_left_s = status->has_trial_left ? (int)(status->trial_left & INT32_MAX) : -1;
        ret->count = status->n_slots < HOSTED_SLOTS_MAX ? status->n_slots : HOSTED_SLOTS_MAX;
        for (size_t i = 0; i < ret->count; i++)
            read_slot(status->slots[i], &ret->slots[i]);
    } else {
        err = -EBADMSG;
    }
    hosted_extension__reply__free_unpacked(in, NULL);
    return err;
}

const char *extension_code_words(int32_t code)
{
    static const char *const words[] = {
        [HOSTED_EXTENSION__CODE__NOT_UNDERSTOOD] = "it does not understand that",
        [HOSTED_EXTENSION__CODE__IN_PROGRESS] = "update in progress",
        [HOSTED_EXTENSION__CODE__NO_SLOT] = "its partition table has no slot for updates",
        [HOSTED_EXTENSION__CODE__TOO_LARGE] = "too large for the slot",
        [HOSTED_EXTENSION__CODE__WRONG_CHIP] = "wrong chip",
        [HOSTED_EXTENSION__CODE__OLD_SECURE_VERSION] =
            "its secure version is below the one in eFuse, or of what runs",
        [HOSTED_EXTENSION__CODE__NOT_CONFIRMED] =
            "the running firmware is on trial and not confirmed",
        [HOSTED_EXTENSION__CODE__VETO] = "the application forbids it",
        [HOSTED_EXTENSION__CODE__RESTARTING] = "it is about to restart with another firmware",
        [HOSTED_EXTENSION__CODE__NO_SESSION] = "no update is open",
        [HOSTED_EXTENSION__CODE__WRONG_OFFSET] = "wrong offset",
        [HOSTED_EXTENSION__CODE__NOT_AN_IMAGE] = "not an image",
        [HOSTED_EXTENSION__CODE__ERASE_FAILED] = "the flash could not be erased",
        [HOSTED_EXTENSION__CODE__PROGRAM_FAILED] = "the flash could not be programmed",
        [HOSTED_EXTENSION__CODE__FLASH_DIFFERS] = "the flash does not hold what was written",
        [HOSTED_EXTENSION__CODE__READ_FAILED] = "the flash could not be read",
        [HOSTED_EXTENSION__CODE__WRONG_DIGEST] = "the flash does not hold what was sent",
        [HOSTED_EXTENSION__CODE__INVALID_IMAGE] = "the image did not verify",
        [HOSTED_EXTENSION__CODE__SELECT_FAILED] = "the boot selection could not be written",
        [HOSTED_EXTENSION__CODE__WRONG_VERSION] = "it runs another version",
        [HOSTED_EXTENSION__CODE__NO_ROLLBACK] = "there is no valid firmware to go back to",
        [HOSTED_EXTENSION__CODE__TOO_SHORT] = "bytes of the image lack",
    };

    return code > 0 && (size_t)code < COUNT_OF(words) ? words[code] : NULL;
}
