/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_STOCK_CLASSIC_H
#define SIM_STOCK_CLASSIC_H
/*
 * Upstream's firmware of October 2021. Its control task returns at the first request that it cannot
 * handle, and FreeRTOS panics when a task returns: that is a stock_panic() here.
 */
#include "hosted_classic.pb-c.h"
#include "stock.h"

/* What a handler did with its request. */
enum stock_outcome {
    STOCK_REPLIES,
    STOCK_REPLIES_LATER, /* it waits, and with it the control task: the reply comes by itself */
    STOCK_FAILS,         /* no reply, and the end of the control task */
};

/* Sends the reply that STOCK_REPLIES_LATER left open. */
void stock_classic_finish(HostedClassic__Message *reply);

/* Handlers; `reply` has its number already. Submessages are static: one request at a time. */
typedef enum stock_outcome stock_classic_handler(const HostedClassic__Message *request,
                                                 HostedClassic__Message *reply);

stock_classic_handler stock_classic_get_mac, stock_classic_set_mac;
stock_classic_handler stock_classic_get_mode, stock_classic_set_mode;
stock_classic_handler stock_classic_scan, stock_classic_get_ap;
stock_classic_handler stock_classic_connect_ap, stock_classic_disconnect_ap;
stock_classic_handler stock_classic_ota_begin, stock_classic_ota_write, stock_classic_ota_end;

/* What the firmware believes; it learns of a lost connection only when it asks the driver. */
bool stock_classic_is_connected(void);

#endif
