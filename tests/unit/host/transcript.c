/* SPDX-License-Identifier: Apache-2.0 */
#include "transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t append_hex(uint8_t **bytes, size_t len, const char *hex)
{
    const size_t more = strspn(hex, "0123456789abcdef") / 2;

    *bytes = realloc(*bytes, len + more);
    for (size_t i = 0; i < more; i++) {
        unsigned value;

        if (sscanf(hex + 2 * i, "%2x", &value) != 1)
            abort();
        (*bytes)[len + i] = (uint8_t)value;
    }
    return len + more;
}

struct transcript transcript_read(const char *name)
{
    struct transcript transcript = {0};
    char path[128];
    char *line = NULL;
    size_t size = 0;

    snprintf(path, sizeof(path), "../../data/transcripts/%s.jsonl", name);

    FILE *file = fopen(path, "re");

    if (file == NULL) {
        perror(path);
        abort();
    }
    while (getline(&line, &size, file) > 0) {
        const char *hex = strstr(line, "\"hex\":\"");

        if (hex == NULL)
            continue; /* a note */
        hex += strlen("\"hex\":\"");
        if (strstr(line, "\"h2d\"") != NULL)
            transcript.to_device_len =
                append_hex(&transcript.to_device, transcript.to_device_len, hex);
        else
            transcript.to_host_len = append_hex(&transcript.to_host, transcript.to_host_len, hex);
    }
    free(line);
    fclose(file);
    return transcript;
}

void transcript_free(struct transcript *transcript)
{
    free(transcript->to_device);
    free(transcript->to_host);
}
