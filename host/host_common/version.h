/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_VERSION_H
#define HOST_VERSION_H
/*
 * Which of two firmware versions is the newer one. Understood are
 *
 *   1.2.3        numbers with dots, as many as there are; those that are missing are 0; before
 *                them there may be a "v"
 *   1.2.3-rc.1   a pre-release, before 1.2.3, in the order of Semantic Versioning 2, but that
 *                numbers inside a word count as such: rc2 is before rc10; "1.2rc1" is "1.2-rc1"
 *   1.2.3+abc    what is built of 1.2.3, and the same version
 *   1.2.3-14-gabc1234, 1.2.3-dirty
 *                what `git describe` says of a commit behind 1.2.3: it is newer
 *   FG-1.0.0.0.0 a release of ESP-Hosted, to be compared with one of the same name only
 */

/*
 * 0, with *ret < 0 if `a` is older than `b`, > 0 if it is newer, 0 if they are the same version,
 * as equal texts always are; -EINVAL where nobody can tell: words, hashes, two commits equally far
 * behind one version.
 */
int version_compare(const char *a, const char *b, int *ret);

#endif
