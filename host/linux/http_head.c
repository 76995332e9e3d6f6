/* SPDX-License-Identifier: Apache-2.0 */
#include "http_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hosted/source.h"

/* A copy of at most size - 1 characters. What is longer is left out altogether, and what has
 * control characters too: it may become a line of the next request. */
static void copy_value(char *ret, size_t size, const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)value[i] < ' ' && value[i] != '\t') || value[i] == 0x7f)
            len = 0;
    if (len >= size)
        len = 0;
    memcpy(ret, value, len);
    ret[len] = '\0';
}

/* strtoull() takes signs and spaces; a header may have neither. */
static bool take_number(const char **at, uint64_t *ret)
{
    char *end;

    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *ret = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0;
}

static bool take_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* "bytes 100-199/200", "bytes 100-199/" and a star. */
static void take_range(struct http_head *head, const char *value)
{
    uint64_t first, last, total = HOSTED_SIZE_UNKNOWN;

    if (strncasecmp(value, "bytes ", strlen("bytes ")) != 0)
        return;
    value += strlen("bytes ");
    if (!take_number(&value, &first) || !take_char(&value, '-') || !take_number(&value, &last) ||
        !take_char(&value, '/'))
        return;
    if (!take_char(&value, '*') && !take_number(&value, &total))
        return;
    if (*value != '\0' || first > last || last >= total)
        return;
    head->has_range = true;
    head->range_first = first;
    head->range_last = last;
    head->range_total = total;
}

static void take_field(struct http_head *head, const char *name, size_t name_len, const char *value)
{
    const struct {
        const char *name;
        char *text;
        size_t size;
    } texts[] = {
        {"Content-Type", head->type, sizeof(head->type)},
        {"ETag", head->etag, sizeof(head->etag)},
        {"Last-Modified", head->modified, sizeof(head->modified)},
        {"Date", head->date, sizeof(head->date)},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strlen(texts[i].name) == name_len && strncasecmp(texts[i].name, name, name_len) == 0)
            copy_value(texts[i].text, texts[i].size, value, strlen(value));
    head->type[strcspn(head->type, "; \t")] = '\0';

    if (name_len == strlen("Content-Encoding") &&
        strncasecmp(name, "Content-Encoding", name_len) == 0)
        head->encoded = *value != '\0' && strcasecmp(value, "identity") != 0;
    if (name_len == strlen("Content-Range") && strncasecmp(name, "Content-Range", name_len) == 0)
        take_range(head, value);
}

void http_head_line(struct http_head *head, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    char value[1024];

    if (len >= strlen("HTTP/") && strncasecmp(line, "HTTP/", strlen("HTTP/")) == 0) {
        *head = (struct http_head){0}; /* also of another answer, behind a redirect */
        return;
    }
    if (colon == NULL)
        return;

    const char *first = colon + 1;
    const char *end = line + len;

    while (first < end && (*first == ' ' || *first == '\t'))
        first++;
    while (end > first && strchr(" \t\r\n", end[-1]) != NULL)
        end--;
    copy_value(value, sizeof(value), first, (size_t)(end - first));
    take_field(head, line, (size_t)(colon - line), value);
}

bool http_head_is_page(const struct http_head *head)
{
    return strcasecmp(head->type, "text/html") == 0 ||
           strcasecmp(head->type, "application/xhtml+xml") == 0;
}

const char *http_head_validator(const struct http_head *head, int64_t (*parse_date)(const char *))
{
    if (head->encoded)
        return "";
    /* With a weak tag ("W/...") a date must not be used either. */
    if (head->etag[0] != '\0')
        return head->etag[0] == '"' ? head->etag : "";
    if (head->modified[0] == '\0' || head->date[0] == '\0')
        return "";

    const int64_t modified = parse_date(head->modified);
    const int64_t date = parse_date(head->date);

    /* What changed in the very second of the answer may have changed once more in it. */
    return modified >= 0 && date > modified ? head->modified : "";
}

bool http_head_continues(const struct http_head *head, uint64_t from, uint64_t size,
                         const char *validator)
{
    if (head->encoded || !head->has_range || head->range_first != from ||
        head->range_total == HOSTED_SIZE_UNKNOWN)
        return false;
    if (size != HOSTED_SIZE_UNKNOWN && head->range_total != size)
        return false;
    /* Beside a tag, which every 206 has to repeat, the date is better left out. */
    if (validator[0] == '"')
        return strcmp(head->etag, validator) == 0;
    return head->modified[0] == '\0' || strcmp(head->modified, validator) == 0;
}
