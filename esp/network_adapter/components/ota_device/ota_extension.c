/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_extension.h"

#include <string.h>

#include "esp_ota_ops.h"
#include "hosted_extension.pb-c.h"
#include "proto_arena.h"
#include "sdkconfig.h"

#define SAME(ours, theirs)                                                                         \
    _Static_assert((int)(OTA_DEVICE_##ours) == (int)(HOSTED_EXTENSION__##theirs), #ours)
#define SAME_CODE(name)  SAME(name, CODE__##name)
#define SAME_STATE(name) SAME(STATE_##name, SLOT_STATE__STATE_##name)

SAME_CODE(DONE);
SAME_CODE(NOT_UNDERSTOOD);
SAME_CODE(IN_PROGRESS);
SAME_CODE(NO_SLOT);
SAME_CODE(TOO_LARGE);
SAME_CODE(WRONG_CHIP);
SAME_CODE(OLD_SECURE_VERSION);
SAME_CODE(NOT_CONFIRMED);
SAME_CODE(VETO);
SAME_CODE(RESTARTING);
SAME_CODE(NO_SESSION);
SAME_CODE(WRONG_OFFSET);
SAME_CODE(NOT_AN_IMAGE);
SAME_CODE(ERASE_FAILED);
SAME_CODE(PROGRAM_FAILED);
SAME_CODE(FLASH_DIFFERS);
SAME_CODE(READ_FAILED);
SAME_CODE(WRONG_DIGEST);
SAME_CODE(INVALID_IMAGE);
SAME_CODE(SELECT_FAILED);
SAME_CODE(WRONG_VERSION);
SAME_CODE(NO_ROLLBACK);
SAME_CODE(TOO_SHORT);
SAME_STATE(NONE);
SAME_STATE(NEW);
SAME_STATE(PENDING);
SAME_STATE(VALID);
SAME_STATE(INVALID);
SAME_STATE(ABORTED);
SAME_STATE(UNDEFINED);
/* A Request with its longest submessage and texts, and some fields that nobody knows. */
#define ARENA_BYTES 1024

/* A veto's words are the application's, and may be long. */
#define TEXT_BYTES 120

#define LABEL_BYTES 17 /* of a partition, with its NUL */
#define APP_TEXT    33 /* of a descriptor, with the NUL that it may lack */

/* Tells a host that has only the file what this firmware understands: it looks for these bytes. */
static const char s_marker[] = "esp-hosted-ota-ext-1";

static _Alignas(max_align_t) uint8_t s_arena_bytes[ARENA_BYTES];
static struct proto_arena s_arena = {.bytes = s_arena_bytes, .size = ARENA_BYTES};

/* NULL: not understood. Valid until the next call. */
static const HostedExtension__Request *unpack(const uint8_t *bytes, size_t len)
{
    return hosted_extension__request__unpack(proto_arena_fresh(&s_arena), len, bytes);
}

/* One reply at a time is made. */
static char s_text[TEXT_BYTES];
static uint8_t s_digests[OTA_DEVICE_MAX_DIGESTS * OTA_DEVICE_DIGEST_BYTES];
static struct {
    HostedExtension__Status message;
    HostedExtension__Slot slots[OTA_DEVICE_MAX_SLOTS];
    HostedExtension__Slot *list[OTA_DEVICE_MAX_SLOTS];
    char labels[OTA_DEVICE_MAX_SLOTS][LABEL_BYTES];
    char projects[OTA_DEVICE_MAX_SLOTS][APP_TEXT];
    char versions[OTA_DEVICE_MAX_SLOTS][APP_TEXT];
    uint8_t elf_sha256[OTA_DEVICE_MAX_SLOTS][OTA_DEVICE_DIGEST_BYTES];
} s_status;

/* A text from flash with a NUL behind it. What is no UTF-8 goes as it is: bytes are bytes here. */
static char *take_text(char *to, size_t size, const char *from, size_t from_size)
{
    const size_t len = strnlen(from, from_size < size - 1 ? from_size : size - 1);

    memcpy(to, from, len);
    to[len] = '\0';
    return to;
}

static bool take_digest(bool given, const ProtobufCBinaryData *from, const uint8_t **ret)
{
    *ret = given ? from->data : NULL;
    return !given || from->len == OTA_DEVICE_DIGEST_BYTES;
}

static enum ota_device_code begin(const HostedExtension__Begin *from)
{
    struct ota_device_image image = {
        .chip_id_known = from->has_chip_id,
        .chip_id = from->chip_id,
        .secure_version_known = from->has_secure_version,
        .secure_version = from->secure_version,
        .size = from->size,
    };

    if (!take_digest(from->has_sha256, &from->sha256, &image.sha256))
        return OTA_DEVICE_NOT_UNDERSTOOD;
    return ota_device_begin(&image);
}

static enum ota_device_code write(const HostedExtension__Write *from,
                                  const struct ota_extension_request *request)
{
    if (!from->has_offset)
        return OTA_DEVICE_NOT_UNDERSTOOD;
    return ota_device_write(from->offset, from->run_end, request->data, request->data_len);
}

static enum ota_device_code end(const HostedExtension__End *from)
{
    struct ota_device_end end = {
        .size = from->size,
        .trial_seconds = from->trial_seconds,
        .no_trial = from->no_trial,
    };

    if (!take_digest(from->has_sha256, &from->sha256, &end.sha256))
        return OTA_DEVICE_NOT_UNDERSTOOD;
    return ota_device_end(&end);
}

static enum ota_device_code digests(const HostedExtension__Digests *from,
                                    HostedExtension__Reply *reply)
{
    size_t count = 0;
    const enum ota_device_code code =
        ota_device_digests(from->offset, from->block, from->count, from->end, s_digests, &count);

    if (code == OTA_DEVICE_DONE) {
        reply->has_digests = true;
        reply->digests.data = s_digests;
        reply->digests.len = count * OTA_DEVICE_DIGEST_BYTES;
    }
    return code;
}

static void fill_app(unsigned n, const esp_app_desc_t *app)
{
    HostedExtension__Slot *const to = &s_status.slots[n];

    to->project =
        take_text(s_status.projects[n], APP_TEXT, app->project_name, sizeof(app->project_name));
    to->version = take_text(s_status.versions[n], APP_TEXT, app->version, sizeof(app->version));
    to->has_secure_version = true;
    to->secure_version = app->secure_version;
    memcpy(s_status.elf_sha256[n], app->app_elf_sha256, OTA_DEVICE_DIGEST_BYTES);
    to->has_elf_sha256 = true;
    to->elf_sha256.data = s_status.elf_sha256[n];
    to->elf_sha256.len = OTA_DEVICE_DIGEST_BYTES;
}

static void fill_slot(unsigned n, const struct ota_device_slot_status *from)
{
    HostedExtension__Slot *const to = &s_status.slots[n];

    hosted_extension__slot__init(to);
    to->label = take_text(s_status.labels[n], LABEL_BYTES, from->partition->label,
                          sizeof(from->partition->label));
    to->has_size = to->has_running = to->has_boots_next = to->has_update_next = true;
    to->size = from->partition->size;
    to->running = from->running;
    to->boots_next = from->boots_next;
    to->update_next = from->update_next;
    to->has_state = true;
    to->state = (HostedExtension__SlotState)from->state;
    if (from->has_image)
        fill_app(n, &from->app);
}

static enum ota_device_code status(HostedExtension__Reply *reply)
{
    struct ota_device_slot_status slot;
    HostedExtension__Status *const to = &s_status.message;
    const int32_t left = ota_device_trial_left();

    hosted_extension__status__init(to);
    to->slots = s_status.list;
    while (to->n_slots < OTA_DEVICE_MAX_SLOTS &&
           ota_device_slot_status((unsigned)to->n_slots, &slot)) {
        fill_slot((unsigned)to->n_slots, &slot);
        s_status.list[to->n_slots] = &s_status.slots[to->n_slots];
        to->n_slots++;
    }
    to->has_session_next = ota_device_is_open();
    to->session_next = ota_device_next();
    to->has_trial_left = left >= 0;
    to->trial_left = left >= 0 ? (uint32_t)left : 0;
    reply->status = to;
    return OTA_DEVICE_DONE;
}

static enum ota_device_code abort_update(void)
{
    ota_device_abort();
    return OTA_DEVICE_DONE;
}

/* Of those that come on the Wi-Fi mode request. */
static enum ota_device_code handle_other(const HostedExtension__Request *from,
                                         HostedExtension__Reply *reply)
{
    switch (from->what_case) {
    case HOSTED_EXTENSION__REQUEST__WHAT_STATUS:
        return status(reply);
    case HOSTED_EXTENSION__REQUEST__WHAT_DIGESTS:
        return digests(from->digests, reply);
    case HOSTED_EXTENSION__REQUEST__WHAT_ABORT:
        return abort_update();
    case HOSTED_EXTENSION__REQUEST__WHAT_CONFIRM:
        return ota_device_confirm_version(from->confirm->version);
    case HOSTED_EXTENSION__REQUEST__WHAT_ROLLBACK:
        return ota_device_rollback();
    default:
        return OTA_DEVICE_NOT_UNDERSTOOD;
    }
}

static enum ota_device_code handle(const struct ota_extension_request *request,
                                   HostedExtension__Reply *reply)
{
    const HostedExtension__Request *from = unpack(request->bytes, request->len);
    const int what = from != NULL ? (int)from->what_case : 0;

    if (request->carrier == OTA_EXTENSION_ON_BEGIN && what == HOSTED_EXTENSION__REQUEST__WHAT_BEGIN)
        return begin(from->begin);
    if (request->carrier == OTA_EXTENSION_ON_WRITE && what == HOSTED_EXTENSION__REQUEST__WHAT_WRITE)
        return write(from->write, request);
    if (request->carrier == OTA_EXTENSION_ON_END && what == HOSTED_EXTENSION__REQUEST__WHAT_END)
        return end(from->end);
    if (request->carrier == OTA_EXTENSION_ON_MODE && from != NULL)
        return handle_other(from, reply);
    return OTA_DEVICE_NOT_UNDERSTOOD;
}

/* More about a refusal: the engine's, when it was the engine that refused. */
static void fill_fault(HostedExtension__Reply *reply, enum ota_device_code code)
{
    const struct ota_device_fault *fault = ota_device_last_fault();

    if (code == OTA_DEVICE_DONE || code != fault->code)
        return;
    reply->has_esp_err = fault->esp_err != ESP_OK;
    reply->esp_err = fault->esp_err;
    reply->has_address = fault->address != 0;
    reply->address = fault->address;
    if (fault->text != NULL)
        reply->text = take_text(s_text, sizeof(s_text), fault->text, sizeof(s_text));
}

static uint32_t s_window = 1;

void ota_extension_grant_window(uint32_t writes)
{
    s_window = writes > 1 ? writes : 1;
}

uint32_t ota_extension_window(void)
{
    return s_window;
}

uint32_t ota_extension_features(void)
{
    const uint32_t always = HOSTED_EXTENSION__FEATURE__FEATURE_SESSION |
                            HOSTED_EXTENSION__FEATURE__FEATURE_DIGESTS |
                            HOSTED_EXTENSION__FEATURE__FEATURE_TRIAL;

    return s_window > 1 ? always | HOSTED_EXTENSION__FEATURE__FEATURE_WINDOW : always;
}

static size_t pack(const HostedExtension__Reply *reply, uint8_t *buf, size_t size)
{
    if (hosted_extension__reply__get_packed_size(reply) > size)
        return 0;
    return hosted_extension__reply__pack(reply, buf);
}

size_t ota_extension_handle(const struct ota_extension_request *request, uint8_t *reply,
                            size_t size, enum ota_device_code *ret_code)
{
    HostedExtension__Reply message = HOSTED_EXTENSION__REPLY__INIT;

    ota_device_forget_fault();

    const enum ota_device_code code = handle(request, &message);

    /* Nobody reads the marker here, and the linker drops what nobody refers to (--gc-sections,
     * which heeds no attribute "used"): so this refers to it. */
    __asm__ volatile("" : : "r"(s_marker));
    message.has_code = true;
    message.code = (HostedExtension__Code)code;
    fill_fault(&message, code);
    message.has_next = ota_device_is_open();
    message.next = ota_device_next();
    *ret_code = code;
    return pack(&message, reply, size);
}

size_t ota_extension_refuse(enum ota_device_code code, const char *text, uint8_t *reply,
                            size_t size)
{
    HostedExtension__Reply message = HOSTED_EXTENSION__REPLY__INIT;

    message.has_code = true;
    message.code = (HostedExtension__Code)code;
    if (text != NULL)
        message.text = take_text(s_text, sizeof(s_text), text, sizeof(s_text));
    return pack(&message, reply, size);
}

size_t ota_extension_identity(uint8_t *buf, size_t size)
{
    const esp_partition_t *slot = ota_device_slot();
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_app_desc_t *app = esp_app_get_description();
    char project[APP_TEXT], version[APP_TEXT];
    bool can_roll_back = false;
    HostedExtension__Identity identity = HOSTED_EXTENSION__IDENTITY__INIT;

    identity.has_chip_id = identity.has_slot_size = identity.has_features = true;
    identity.chip_id = CONFIG_IDF_FIRMWARE_CHIP_ID;
    identity.slot_size = slot != NULL ? slot->size : 0;
    identity.running_slot = (char *)running->label;
    identity.project = take_text(project, APP_TEXT, app->project_name, sizeof(app->project_name));
    identity.version = take_text(version, APP_TEXT, app->version, sizeof(app->version));
    identity.has_can_roll_back = ota_device_can_roll_back(&can_roll_back);
    identity.can_roll_back = can_roll_back;
    identity.features = ota_extension_features();
    identity.has_window = s_window > 1;
    identity.window = s_window;
    identity.has_on_trial = true;
    identity.on_trial = ota_device_on_trial();
    if (hosted_extension__identity__get_packed_size(&identity) > size)
        return 0;
    return hosted_extension__identity__pack(&identity, buf);
}

/* The length in front of the bytes, as unknown fields have it: 0 when it is none. */
static size_t length_prefix(const uint8_t *at, size_t room, size_t *ret_len)
{
    size_t len = 0;

    for (size_t i = 0; i < room && i < 4; i++) {
        len |= (size_t)(at[i] & 0x7f) << (7 * i);
        if ((at[i] & 0x80) == 0) {
            *ret_len = len;
            return len == room - i - 1 ? i + 1 : 0;
        }
    }
    return 0;
}

bool ota_extension_find(const struct ProtobufCMessage *message, uint32_t tag,
                        const uint8_t **ret_bytes, size_t *ret_len)
{
    /* The last one counts, as with any field of protobuf. */
    for (unsigned i = message != NULL ? message->n_unknown_fields : 0; i-- > 0;) {
        const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];
        const size_t head =
            field->tag == tag && field->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED
                ? length_prefix(field->data, field->len, ret_len)
                : 0;

        if (head > 0) {
            *ret_bytes = field->data + head;
            return true;
        }
    }
    return false;
}

static ProtobufCMessageUnknownField s_attached[OTA_EXTENSION_MAX_FIELDS];

/* The length takes two bytes, also where one would do: so the bytes have a fixed place. */
static void fill_field(ProtobufCMessageUnknownField *to, const struct ota_extension_field *from)
{
    from->packed[0] = (uint8_t)(0x80 | (from->len & 0x7f));
    from->packed[1] = (uint8_t)(from->len >> 7);
    to->tag = from->tag;
    to->wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    to->len = from->len + OTA_EXTENSION_HEAD_BYTES;
    to->data = from->packed;
}

bool ota_extension_attach(struct ProtobufCMessage *message,
                          const struct ota_extension_field *fields, size_t count)
{
    if (count == 0 || count > OTA_EXTENSION_MAX_FIELDS)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].len > OTA_EXTENSION_REPLY_BYTES)
            return false;
    }
    for (size_t i = 0; i < count; i++)
        fill_field(&s_attached[i], &fields[i]);
    message->n_unknown_fields = (unsigned)count;
    message->unknown_fields = s_attached;
    return true;
}

void ota_extension_detach(struct ProtobufCMessage *message)
{
    message->n_unknown_fields = 0;
    message->unknown_fields = NULL;
}
