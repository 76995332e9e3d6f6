/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "extended.h"
#include "fault.h"
#include "reboot.h"

int hosted_rollback(struct hosted_device *device, const struct hosted_update_options *options,
                    struct hosted_update_result *ret, struct hosted_fault *fault)
{
    const HostedExtension__Request what = extended_plain(HOSTED_EXTENSION__REQUEST__WHAT_ROLLBACK);
    struct hosted_update_result result = {0};
    struct reboot_before before;
    int err = extended_need(
        device, HOSTED_CAN_TRIAL,
        "the firmware has no rollback: an update with the older image goes back", fault);

    if (err < 0)
        return err;
    if (options == NULL)
        options = &hosted_update_defaults;
    reboot_remember(device, &before);
    device->client.restarted = false;
    device->client.restart_fatal = true; /* who is there then was not asked */
    kept_dialect_forget(device->path);
    err = extended_ask(device, &what, "rollback", NULL, fault);
    device->client.restart_fatal = false;
    if (err == -EREMOTEIO) {
        device_say_unchanged(device, fault);
        return err;
    }
    /* Its answer may have been lost: who runs then is better than a guess. */
    if (err < 0 && (err == -ECANCELED || options->reboot_timeout_s == 0)) {
        fault_add(fault, "; it may go back all the same");
        return err;
    }
    err = 0;
    device_forget(device);
    if (options->reboot_timeout_s > 0)
        err = reboot_wait(device, &before, NULL, options, clock_ms(), &result, fault);
    if (err == 0 && ret != NULL)
        *ret = result;
    return err;
}
