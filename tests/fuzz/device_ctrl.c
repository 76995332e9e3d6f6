/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware that speaks ctrl. The input is in device.h. */
#include "device.h"
#include "peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const restore[] = {
        "107a d207 04 0801 1001",                                    /* SetFeature: Wi-Fi on */
        "1079 ca07 00",                                              /* SetHeartbeat: off */
        "106c",                                                      /* DisconnectAp */
        "1068 c206 02 0801",                                         /* SetMode: station */
        "1066 b206 15 0a11 32343a30613a63343a31313a32323a3333 1001", /* SetMac */
        NULL,
    };
    static const struct device_dialect ctrl = {
        .endpoint = "ctrlResp",
        .start = peer_start_ctrl_firmware,
        .restore = restore,
    };

    device_run(&ctrl, data, size);
    return 0;
}
