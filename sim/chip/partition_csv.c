/* SPDX-License-Identifier: Apache-2.0 */
/* Partition tables as people write them: the rules of ESP-IDF's gen_esp32part.py. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "partition_table.h"

#define FIRST_OFFSET 0x9000u /* behind the table's own sector */
#define APP_ALIGN    0x10000u
#define SECTOR       0x1000u

enum { COLUMNS = 6 };

struct name {
    const char *name;
    uint8_t value;
};

static const struct name types[] = {{"app", 0}, {"data", 1}, {NULL, 0}};

static const struct name app_subtypes[] = {{"factory", 0x00}, {"test", 0x20}, {NULL, 0}};

static const struct name data_subtypes[] = {
    {"ota", 0x00},   {"phy", 0x01},      {"nvs", 0x02},    {"coredump", 0x03},
    {"nvs_keys", 4}, {"efuse", 0x05},    {"", 0x06},       {"undefined", 0x06},
    {"fat", 0x81},   {"esphttpd", 0x80}, {"spiffs", 0x82}, {"littlefs", 0x83},
    {NULL, 0},
};

/* Where the reader is, and what went wrong there. */
struct csv {
    struct partition_table table;
    uint32_t next; /* offset behind the last partition */
    unsigned line;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct csv *csv, const char *format, ...)
{
    va_list args;
    const int n = snprintf(csv->why, csv->why_size, "line %u: ", csv->line);

    va_start(args, format);
    if (n > 0 && (size_t)n < csv->why_size)
        vsnprintf(csv->why + n, csv->why_size - (size_t)n, format, args);
    va_end(args);
    return -EINVAL;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
        *--end = '\0';
    return text;
}

/* Decimal or 0x, with K or M behind it. May be negative: a size that ends at an address. */
static int take_number(const char *text, int64_t *ret)
{
    char *end;
    int64_t value = strtoll(text, &end, 0);

    if (end == text)
        return -EINVAL;
    if (strcasecmp(end, "k") == 0)
        value *= 1024;
    else if (strcasecmp(end, "m") == 0)
        value *= 1024 * 1024;
    else if (*end != '\0')
        return -EINVAL;
    if (value > UINT32_MAX || value < -(int64_t)UINT32_MAX)
        return -EINVAL;
    *ret = value;
    return 0;
}

static int take_name(const struct name *names, const char *text, uint8_t *ret)
{
    int64_t value;

    for (; names->name != NULL; names++) {
        if (strcasecmp(names->name, text) == 0) {
            *ret = names->value;
            return 0;
        }
    }
    if (take_number(text, &value) < 0 || value < 0 || value > 0xff)
        return -EINVAL;
    *ret = (uint8_t)value;
    return 0;
}

static int take_slot(const char *text, uint8_t *ret)
{
    char *end;
    unsigned long slot;

    if (strncmp(text, "ota_", 4) != 0 || !isdigit((unsigned char)text[4]))
        return -EINVAL;
    slot = strtoul(text + 4, &end, 10);
    if (*end != '\0' || slot > 15)
        return -EINVAL;
    *ret = (uint8_t)(PARTITION_APP_OTA_0 + slot);
    return 0;
}

static int take_subtype(uint8_t type, const char *text, uint8_t *ret)
{
    if (type == PARTITION_APP && take_slot(text, ret) == 0)
        return 0;
    return take_name(type == PARTITION_APP ? app_subtypes : data_subtypes, text, ret);
}

static int take_flags(struct csv *csv, char *text, uint32_t *ret)
{
    char *rest;

    for (char *flag = strtok_r(text, ":", &rest); flag != NULL; flag = strtok_r(NULL, ":", &rest)) {
        if (strcmp(trim(flag), "encrypted") == 0)
            *ret |= PARTITION_FLAG_ENCRYPTED;
        else if (strcmp(trim(flag), "readonly") == 0)
            *ret |= PARTITION_FLAG_READONLY;
        else
            return refuse(csv, "flag \"%s\" is unknown", flag);
    }
    return 0;
}

/* Offset and size; a blank offset is the next free one that fits the type. */
static int take_place(struct csv *csv, const char *offset, const char *size, struct partition *ret)
{
    const uint32_t align = ret->type == PARTITION_APP ? APP_ALIGN : SECTOR;
    int64_t at = (csv->next + (int64_t)align - 1) / align * align;
    int64_t len;

    if (*offset != '\0' && take_number(offset, &at) < 0)
        return refuse(csv, "offset \"%s\" is no number", offset);
    if (take_number(size, &len) < 0)
        return refuse(csv, "size \"%s\" is no number", size);
    if (len < 0)
        len = -len - at;
    if (at % align != 0)
        return refuse(csv, "offset 0x%llx is not a multiple of 0x%x", (long long)at, align);
    if (len <= 0 || len % SECTOR != 0)
        return refuse(csv, "size 0x%llx is not a multiple of 0x%x", (long long)len, SECTOR);
    if (at < FIRST_OFFSET)
        return refuse(csv, "offset 0x%llx lies in the partition table", (long long)at);
    if (at + len > UINT32_MAX)
        return refuse(csv, "the partition ends beyond any flash");
    ret->offset = (uint32_t)at;
    ret->size = (uint32_t)len;
    return 0;
}

static int check_against_others(struct csv *csv, const struct partition *entry)
{
    const bool is_otadata = entry->type == PARTITION_DATA && entry->subtype == PARTITION_DATA_OTA;

    if (is_otadata && entry->size != 0x2000)
        return refuse(csv, "an ota data partition is 0x2000 bytes");
    for (size_t i = 0; i < csv->table.count; i++) {
        const struct partition *other = &csv->table.entries[i];

        if (strcmp(other->label, entry->label) == 0)
            return refuse(csv, "there is a partition \"%s\" already", entry->label);
        if (entry->offset < other->offset + other->size &&
            other->offset < entry->offset + entry->size)
            return refuse(csv, "\"%s\" overlaps \"%s\"", entry->label, other->label);
        if (is_otadata && other->type == PARTITION_DATA && other->subtype == PARTITION_DATA_OTA)
            return refuse(csv, "a second ota data partition");
    }
    return 0;
}

static int take_line(struct csv *csv, char *line)
{
    char no_flags[] = ""; /* the one column that a line may leave out */
    char *columns[COLUMNS] = {[COLUMNS - 1] = no_flags};
    struct partition entry = {0};
    int n = 0;
    int rc;

    for (char *rest = line, *column; n < COLUMNS && (column = strsep(&rest, ",")) != NULL; n++)
        columns[n] = trim(column);
    if (n < 5)
        return refuse(csv, "a partition has a name, type, subtype, offset and size");
    if (columns[0][0] == '\0' || strlen(columns[0]) > 16)
        return refuse(csv, "the name \"%s\" has not 1 to 16 characters", columns[0]);
    strcpy(entry.label, columns[0]);
    if (take_name(types, columns[1], &entry.type) < 0)
        return refuse(csv, "type \"%s\" is unknown", columns[1]);
    if (take_subtype(entry.type, columns[2], &entry.subtype) < 0)
        return refuse(csv, "subtype \"%s\" is unknown", columns[2]);
    rc = take_flags(csv, columns[5], &entry.flags);
    if (rc == 0)
        rc = take_place(csv, columns[3], columns[4], &entry);
    if (rc == 0)
        rc = check_against_others(csv, &entry);
    if (rc < 0)
        return rc;
    if (csv->table.count == PARTITION_TABLE_MAX - 1) /* the MD5 takes a record, too */
        return refuse(csv, "too many partitions");
    csv->table.entries[csv->table.count++] = entry;
    csv->next = entry.offset + entry.size;
    return 0;
}

int partition_table_parse_csv(const char *text, struct partition_table *ret, char *why,
                              size_t why_size)
{
    struct csv csv = {.next = FIRST_OFFSET, .why = why, .why_size = why_size};
    char *copy = strdup(text);
    char *rest = copy;
    int rc = copy != NULL ? 0 : -ENOMEM;

    for (char *line; rc == 0 && (line = strsep(&rest, "\n")) != NULL;) {
        csv.line++;
        line[strcspn(line, "#")] = '\0';
        line = trim(line);
        if (*line != '\0')
            rc = take_line(&csv, line);
    }
    free(copy);
    if (rc == 0 && csv.table.count == 0)
        rc = refuse(&csv, "no partition in the file");
    if (rc < 0)
        return rc;
    csv.table.has_md5 = true;
    *ret = csv.table;
    return 0;
}
