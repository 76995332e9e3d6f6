/* SPDX-License-Identifier: Apache-2.0 */
#include "curl_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

static bool find_all(void *library, struct curl_api *api)
{
    bool all = true;

#define CURL_API_FIND(name)                                                                        \
    api->name = (__typeof__(api->name))dlsym(library, #name);                                      \
    all = all && api->name != NULL;
    CURL_API_FUNCTIONS(CURL_API_FIND)
#undef CURL_API_FIND
    return all && api->curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curl_api *curl_api_load(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    static struct curl_api api;
    static bool loaded;

    /* Never unloaded: TLS libraries leave handlers behind that run at the process's end. */
    for (size_t i = 0; !loaded && i < sizeof(names) / sizeof(names[0]); i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

        loaded = library != NULL && find_all(library, &api);
    }
    return loaded ? &api : NULL;
}
