/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl stock firmware: the messages of an update. Whatever went wrong, -1 is all that is told. */
#include "stock_ctrl.h"

static HostedCtrl__RespOnly *payload(esp_err_t rc)
{
    static HostedCtrl__RespOnly resp;

    hosted_ctrl__resp_only__init(&resp);
    resp.resp = rc == ESP_OK ? STOCK_SUCCESS : STOCK_FAILURE;
    return &resp;
}

bool stock_ctrl_ota_begin(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    (void)request;
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_OTA_BEGIN;
    reply->resp_ota_begin = payload(stock_ota_begin());
    return true;
}

bool stock_ctrl_ota_write(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    if (request->payload_case != HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_OTA_WRITE)
        stock_panic("OTA write: the payload is not looked for before it is read");

    const ProtobufCBinaryData *const data = &request->req_ota_write->data;

    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_OTA_WRITE;
    reply->resp_ota_write = payload(stock_ota_write(data->data, data->len));
    return true;
}

bool stock_ctrl_ota_end(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    (void)request;
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_OTA_END;
    reply->resp_ota_end = payload(stock_ota_end());
    return true;
}
