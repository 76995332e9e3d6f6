/* SPDX-License-Identifier: Apache-2.0 */
#include "curl_api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static struct curl_api api;
static bool loaded;

static bool find_all(void *library)
{
    bool all = true;

#define CURL_API_FIND(name)                                                                        \
    api.name = (__typeof__(api.name))dlsym(library, #name);                                        \
    all = all && api.name != NULL;
    CURL_API_FUNCTIONS(CURL_API_FIND)
#undef CURL_API_FIND
    return all && api.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static void load(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

    /* Never unloaded: TLS libraries leave handlers behind that run at the process's end. */
    for (size_t i = 0; !loaded && i < sizeof(names) / sizeof(names[0]); i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

        loaded = library != NULL && find_all(library);
    }
}

const struct curl_api *curl_api_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load);
    return loaded ? &api : NULL;
}
