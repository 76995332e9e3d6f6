/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <stdio.h>

void json_add_text(cJSON *object, const char *name, const char *text)
{
    if (*text == '\0')
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, text);
}

int json_print(cJSON *object, int status)
{
    char *text = cJSON_PrintUnformatted(object);

    cJSON_Delete(object);
    if (text == NULL) {
        fputs("esp-ota: no memory for the result\n", stderr);
        return HOSTED_LOCAL;
    }
    puts(text);
    cJSON_free(text);
    return status;
}

static const char *error_name(enum hosted_status status)
{
    static const char *const names[] = {
        [HOSTED_DONE] = "none",     [HOSTED_LOCAL] = "local",         [HOSTED_USAGE] = "usage",
        [HOSTED_IMAGE] = "image",   [HOSTED_NO_ANSWER] = "no_answer", [HOSTED_REFUSED] = "refused",
        [HOSTED_NOT_UP] = "not_up", [HOSTED_BUSY] = "busy",           [HOSTED_NOTHING] = "nothing",
    };

    return names[status];
}

int json_fail(const struct hosted_fault *fault)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "status", fault->status);
    cJSON_AddStringToObject(object, "error", error_name(fault->status));
    json_add_text(object, "message", fault->text);
    return json_print(object, (int)fault->status);
}
