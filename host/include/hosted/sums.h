/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_SUMS_H
#define HOSTED_SUMS_H
/* The SHA-256 that whoever published an image has put beside it. */
#include <stdint.h>

#include "hosted/fault.h"
#include "hosted/source.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Looks for the SHA-256 of the image at `where`, a path or URL as of hosted_source_open(), first in
 * the file WHERE.sha256, and if there is no such file in SHA256SUMS in the same folder; a URL's
 * query and fragment stay at the end. Both are asked for with `options`, which may be NULL. They
 * are what sha256sum writes ("HEX  NAME", "HEX *NAME", "SHA256 (NAME) = HEX"), WHERE.sha256 may
 * also be the bare HEX. Entries of other files are passed over, and so are names with a backslash
 * or a newline, which sha256sum escapes.
 *
 * 0 with the digest in ret_sha256, for struct hosted_update_options. On failure it is untouched:
 *   -EINVAL  `where` is standard input or names no file               HOSTED_USAGE
 *   -ENOENT  neither file is there, or it has no entry of this name   HOSTED_IMAGE
 *   -EBADMSG several entries of this name, which differ               HOSTED_IMAGE
 *   -EFBIG   more than 1 MiB: no list of digests                      HOSTED_IMAGE
 * and those of hosted_source_open() and of reading.
 */
int hosted_sums_find(const char *where, const struct hosted_source_options *options,
                     uint8_t ret_sha256[32], struct hosted_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
