/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware that speaks classic. The input is in device.h. */
#include "device.h"
#include "peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const restore[] = {
        "080e",                                                      /* DisconnectAp */
        "0804 72 02 0801",                                           /* SetMode: station */
        "0816 8202 15 0a11 32343a30613a63343a31313a32323a3333 1001", /* SetMac */
        "0804 72 02 0800", /* SetMode: none, as after the start */
        NULL,
    };
    static const struct device_dialect classic = {
        .endpoint = "control",
        .start = peer_start_firmware,
        .restore = restore,
    };

    device_run(&classic, data, size);
    return 0;
}
