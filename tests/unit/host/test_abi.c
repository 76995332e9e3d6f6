/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program that was compiled with the public headers has in it: where members are, and how
 * large structures are. Pinned for x86-64; new numbers do for what no release has yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosted/fault.h"
#include "hosted/source.h"
#include "hosted/update.h"

#define SIZE(type, bytes)       {"sizeof(struct " #type ")", sizeof(struct type), bytes}
#define AT(type, member, bytes) {#type "." #member, offsetof(struct type, member), bytes}

static const struct pin {
    const char *name;
    size_t is;
    size_t was;
} pins[] = {
    SIZE(hosted_fault, 544),
    AT(hosted_fault, status, 0),
    AT(hosted_fault, error, 4),
    AT(hosted_fault, offset, 8),
    AT(hosted_fault, device_code, 16),
    AT(hosted_fault, hint, 20),
    AT(hosted_fault, http_status, 24),
    AT(hosted_fault, text, 32),
    SIZE(hosted_event, 96),
    AT(hosted_event, kind, 0),
    AT(hosted_event, number, 4),
    AT(hosted_event, ssid, 8),
    AT(hosted_event, ssid_len, 48),
    AT(hosted_event, bssid, 56),
    AT(hosted_event, channel, 76),
    AT(hosted_event, encryption, 80),
    AT(hosted_event, reason, 84),
    AT(hosted_event, rssi, 88),
    SIZE(hosted_options, 56),
    AT(hosted_options, path, 0),
    AT(hosted_options, dialect, 8),
    AT(hosted_options, timeout_s, 12),
    AT(hosted_options, cancel, 16),
    AT(hosted_options, log, 24),
    AT(hosted_options, log_ctx, 32),
    AT(hosted_options, event, 40),
    AT(hosted_options, event_ctx, 48),
    SIZE(hosted_counters, 24),
    AT(hosted_counters, bytes, 0),
    AT(hosted_counters, messages, 8),
    AT(hosted_counters, events, 16),
    SIZE(hosted_identity, 104),
    AT(hosted_identity, known, 0),
    AT(hosted_identity, chip_id, 2),
    AT(hosted_identity, slot_bytes, 4),
    AT(hosted_identity, running_slot, 8),
    AT(hosted_identity, project, 25),
    AT(hosted_identity, version, 58),
    AT(hosted_identity, can_roll_back, 92),
    AT(hosted_identity, features, 96),
    AT(hosted_identity, on_trial, 100),
    SIZE(hosted_slot, 136),
    AT(hosted_slot, label, 0),
    AT(hosted_slot, bytes, 20),
    AT(hosted_slot, running, 24),
    AT(hosted_slot, boots_next, 25),
    AT(hosted_slot, update_next, 26),
    AT(hosted_slot, state, 28),
    AT(hosted_slot, has_image, 32),
    AT(hosted_slot, project, 33),
    AT(hosted_slot, version, 66),
    AT(hosted_slot, secure_version, 100),
    AT(hosted_slot, elf_sha256, 104),
    SIZE(hosted_slots, 2336),
    AT(hosted_slots, count, 0),
    AT(hosted_slots, slots, 8),
    AT(hosted_slots, session_next, 2320),
    AT(hosted_slots, trial_left_s, 2328),
    SIZE(hosted_ap, 80),
    AT(hosted_ap, ssid, 0),
    AT(hosted_ap, ssid_len, 40),
    AT(hosted_ap, bssid, 48),
    AT(hosted_ap, rssi, 68),
    AT(hosted_ap, channel, 72),
    AT(hosted_ap, encryption, 76),
    SIZE(hosted_network, 32),
    AT(hosted_network, ssid, 0),
    AT(hosted_network, password, 8),
    AT(hosted_network, bssid, 16),
    AT(hosted_network, wpa3, 24),
    AT(hosted_network, listen_interval, 28),
    SIZE(hosted_source_ops, 24),
    AT(hosted_source_ops, read, 0),
    AT(hosted_source_ops, rewind, 8),
    AT(hosted_source_ops, close, 16),
    SIZE(hosted_source, 32),
    AT(hosted_source, ops, 0),
    AT(hosted_source, name, 8),
    AT(hosted_source, size, 16),
    AT(hosted_source, whole, 24),
    SIZE(hosted_source_options, 72),
    AT(hosted_source_options, cancel, 0),
    AT(hosted_source_options, stall_timeout_s, 8),
    AT(hosted_source_options, retries, 12),
    AT(hosted_source_options, ca_file, 16),
    AT(hosted_source_options, cert_file, 24),
    AT(hosted_source_options, key_file, 32),
    AT(hosted_source_options, interface, 40),
    AT(hosted_source_options, proxy, 48),
    AT(hosted_source_options, log, 56),
    AT(hosted_source_options, log_ctx, 64),
    SIZE(hosted_image, 128),
    AT(hosted_image, chip_id, 0),
    AT(hosted_image, project, 2),
    AT(hosted_image, version, 35),
    AT(hosted_image, image_bytes, 72),
    AT(hosted_image, file_bytes, 80),
    AT(hosted_image, digest_appended, 88),
    AT(hosted_image, sha256, 89),
    AT(hosted_image, signature_ok, 121),
    AT(hosted_image, extension, 122),
    SIZE(hosted_update_options, 88),
    AT(hosted_update_options, chip, 0),
    AT(hosted_update_options, slot_bytes, 4),
    AT(hosted_update_options, progress, 8),
    AT(hosted_update_options, progress_ctx, 16),
    AT(hosted_update_options, reboot_timeout_s, 24),
    AT(hosted_update_options, reconnect, 32),
    AT(hosted_update_options, reconnect_ctx, 40),
    AT(hosted_update_options, allow_release_change, 48),
    AT(hosted_update_options, sha256, 56),
    AT(hosted_update_options, public_key, 64),
    AT(hosted_update_options, version_policy, 72),
    AT(hosted_update_options, allow_bluetooth, 76),
    AT(hosted_update_options, trial_s, 80),
    AT(hosted_update_options, no_trial, 84),
    AT(hosted_update_options, allow_rolled_back, 85),
    AT(hosted_update_options, clear_session, 86),
    SIZE(hosted_update_result, 104),
    AT(hosted_update_result, answered, 0),
    AT(hosted_update_result, verified, 1),
    AT(hosted_update_result, version, 2),
    AT(hosted_update_result, confirmed, 82),
    AT(hosted_update_result, unguarded, 83),
    AT(hosted_update_result, trial_missed, 84),
    AT(hosted_update_result, sent_bytes, 88),
    AT(hosted_update_result, kept_bytes, 96),
};

static void old_programs_find_what_they_were_compiled_for(void **state)
{
    unsigned moved = 0;

    (void)state;
#if !defined(__x86_64__) || !defined(__LP64__)
    skip();
#endif
    for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++)
        if (pins[i].is != pins[i].was) {
            print_error("%s is %zu and was %zu\n", pins[i].name, pins[i].is, pins[i].was);
            moved++;
        }
    if (moved > 0)
        fail_msg("an old program breaks: raise HOSTED_SONAME (host/host_common/library.cmake)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_programs_find_what_they_were_compiled_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
