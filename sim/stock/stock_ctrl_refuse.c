/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ctrl stock firmware: commands outside what is modelled here (soft-AP, power save, vendor
 * elements, transmit power, country, DHCP, custom calls). They fail, as several do on the real one
 * as long as no soft-AP runs.
 */
#include "stock_ctrl.h"

#define SET_TX_POWER 119
#define SET_COUNTRY  124

/* Submessages of these commands are not in our .proto: they are kept as unknown fields. */
static bool has_submessage(const HostedCtrl__Message *request)
{
    for (size_t i = 0; i < request->base.n_unknown_fields; i++) {
        if (request->base.unknown_fields[i].tag == (uint32_t)request->id)
            return true;
    }
    return false;
}

bool stock_ctrl_refuse(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RefusalAt1 at_1 = HOSTED_CTRL__REFUSAL_AT1__INIT;
    static HostedCtrl__RefusalAt2 at_2 = HOSTED_CTRL__REFUSAL_AT2__INIT;
    static HostedCtrl__RefusalAt3 at_3 = HOSTED_CTRL__REFUSAL_AT3__INIT;
    static HostedCtrl__RefusalAt8 at_8 = HOSTED_CTRL__REFUSAL_AT8__INIT;

    if ((request->id == SET_TX_POWER || request->id == SET_COUNTRY) && !has_submessage(request))
        stock_panic("a command's payload is not looked for before it is read");
    at_1.resp = at_2.resp = at_3.resp = at_8.resp = STOCK_FAILURE;
    reply->payload_case = (HostedCtrl__Message__PayloadCase)reply->id;
    switch (reply->payload_case) {
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_SOFT_AP:
        reply->resp_get_soft_ap = &at_8;
        break;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_STATIONS:
        reply->resp_get_stations = &at_3;
        break;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_POWER_SAVE:
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_TX_POWER:
        reply->resp_get_power_save = &at_2;
        break;
    default:
        reply->resp_set_vendor_element = &at_1;
        break;
    }
    return true;
}
