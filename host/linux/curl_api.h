/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_CURL_API_H
#define HOST_CURL_API_H
/*
 * libcurl, loaded at the first URL: linked, it would cost every start of every tool some 7 ms and
 * 7 MB.
 */
#define CURL_DISABLE_TYPECHECK /* its macros do not work on pointers to the functions */
#include <curl/curl.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define CURL_API_FUNCTIONS(X)                                                                      \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_pause)                                                                             \
    X(curl_easy_strerror)                                                                          \
    X(curl_easy_cleanup)                                                                           \
    X(curl_multi_init)                                                                             \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_perform)                                                                          \
    X(curl_multi_poll)                                                                             \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_cleanup)                                                                          \
    X(curl_url)                                                                                    \
    X(curl_url_set)                                                                                \
    X(curl_url_get)                                                                                \
    X(curl_url_cleanup)                                                                            \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_getdate)                                                                                \
    X(curl_free)

struct curl_api {
#define CURL_API_MEMBER(name) __typeof__(name) *(name);
    CURL_API_FUNCTIONS(CURL_API_MEMBER)
#undef CURL_API_MEMBER
};

/* The same one every time; NULL if there is no usable libcurl. For any thread. */
const struct curl_api *curl_api_load(void);

#endif
