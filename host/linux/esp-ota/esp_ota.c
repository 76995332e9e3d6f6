/* SPDX-License-Identifier: Apache-2.0 */
/* esp-ota: firmware update of the ESP32, and what belongs to it. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "fw_image.h"
#include "text.h"

static int verify(struct cli_context *context)
{
    char version[4 * sizeof(((struct hosted_image *)NULL)->version)], number[TEXT_NUMBER_BYTES];
    struct hosted_options *options = &context->options.device;
    struct hosted_source *source = NULL;
    struct hosted_image image;
    struct hosted_fault fault;
    int err = cli_catch_signals(&options->cancel, &fault);

    if (err == 0)
        err = hosted_source_open(context->argument, options->cancel, &source, &fault);
    if (err == 0)
        err = hosted_verify(source, &context->options.update, &image, &fault);
    if (err == 0 && !context->options.quiet)
        printf("%s: valid: %s, %s, %s bytes, %s\n", source->name, fw_chip_name(image.chip_id),
               text_printable(version, sizeof(version), image.version, strlen(image.version)),
               text_number(number, image.image_bytes),
               image.digest_appended ? "digest ok" : "checksum ok (no digest)");
    hosted_source_close(source);
    return err < 0 ? cli_fail(context, &fault) : HOSTED_DONE;
}

static const struct cli_command commands[] = {
    {"update", "IMAGE_OR_URL", "update the ESP32's firmware; '-' reads standard input", cli_update},
    {"verify", "IMAGE_OR_URL", "check an image, without an ESP32", verify},
    {NULL, NULL, NULL, NULL},
};

static const struct cli_program program = {
    .name = "esp-ota",
    .purpose = "Updates the firmware of an ESP32 that runs ESP-Hosted.",
    .commands = commands,
};

int main(int argc, char **argv)
{
    return cli_main(&program, argc, argv);
}
