/* SPDX-License-Identifier: Apache-2.0 */
/* What is demanded of an image beyond being one: its file's SHA-256, and a signature. */
#include "image_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "fake_esp32.h"
#include "image_check.h"
#include "signature_maker.h"
#include "test_image.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_BYTES    ((size_t)3 * 4096)

enum kind { RSA_KEY, P256_KEY, KINDS };

static EVP_PKEY *s_keys[KINDS][2]; /* [][1] is somebody else's */
static char s_key_path[KINDS][64]; /* of the public key of the first */

/* A file: an image, up to the next multiple of 4096 what an erased flash holds, three blocks. */
struct file {
    uint8_t bytes[MAX_BYTES];
    size_t len;
    size_t signed_len;
};

static struct file s_file;

static void sha256(const uint8_t *bytes, size_t len, uint8_t ret[32])
{
    assert_int_equal(EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL), 1);
}

static uint8_t *block_of(struct file *file, int number)
{
    return file->bytes + file->signed_len + (size_t)number * BLOCK_BYTES;
}

/* Signs it with up to three keys; NULL leaves a block empty. */
static void sign(struct file *file, EVP_PKEY *first, EVP_PKEY *second, EVP_PKEY *third)
{
    EVP_PKEY *const keys[] = {first, second, third};
    uint8_t digest[32];

    file->len = file->signed_len + SECTOR_BYTES;
    sha256(file->bytes, file->signed_len, digest);
    memset(file->bytes + file->signed_len, 0xff, SECTOR_BYTES);
    for (int i = 0; i < 3; i++) {
        if (keys[i] != NULL)
            signature_block(block_of(file, i), keys[i], digest);
    }
}

/* An image of `size` bytes, not signed. */
static void start(struct file *file, size_t size, bool digest)
{
    uint8_t *image = test_image(FW_CHIP_ESP32, size, digest);

    memset(file->bytes, 0xff, sizeof(file->bytes));
    memcpy(file->bytes, image, size);
    free(image);
    file->len = size;
    file->signed_len = (size + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
}

struct verdict {
    int err;
    struct hosted_image image;
    struct hosted_fault fault;
};

static struct verdict check(const struct file *file, const struct hosted_update_options *options,
                            size_t piece)
{
    struct image_check check = {0};
    struct image_signature_key key = {0};
    struct verdict verdict = {.fault.text = ""};

    if (options->public_key != NULL)
        verdict.err = image_signature_key_load(&key, options->public_key, NULL, &verdict.fault);
    if (verdict.err == 0)
        verdict.err = image_check_init(&check, "a.bin", options->sha256,
                                       options->public_key != NULL ? &key : NULL, &verdict.fault);
    for (size_t at = 0; at < file->len && verdict.err == 0; at += piece) {
        const size_t n = file->len - at < piece ? file->len - at : piece;

        verdict.err = image_check_feed(&check, file->bytes + at, n, &verdict.fault);
    }
    if (verdict.err == 0)
        verdict.err = image_check_finish(&check, &verdict.fault);
    image_check_describe(&check, &verdict.image);
    image_check_free(&check);
    image_signature_key_free(&key);
    assert_int_equal(verdict.err, verdict.fault.error);
    return verdict;
}

static struct verdict verify(const struct file *file, enum kind kind, size_t piece)
{
    const struct hosted_update_options options = {.public_key = s_key_path[kind]};

    return check(file, &options, piece);
}

static void assert_signed(const struct file *file, enum kind kind)
{
    const struct verdict verdict = verify(file, kind, 4096);

    assert_string_equal(verdict.fault.text, "");
    assert_int_equal(verdict.err, 0);
    assert_true(verdict.image.signature_ok);
}

static void assert_refused(const struct file *file, enum kind kind, const char *words)
{
    const struct verdict verdict = verify(file, kind, 4096);

    if (strstr(verdict.fault.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", verdict.fault.text, words);
    assert_int_equal(verdict.err, -EBADMSG);
    assert_int_equal(verdict.fault.status, HOSTED_IMAGE);
    assert_false(verdict.image.signature_ok);
}

#define UNSIGNED  "a.bin: it is not signed (Secure Boot v2)"
#define OTHER_KEY "a.bin: it is not signed with the key /tmp/"
#define WRONG     "a.bin: its signature is wrong"

/* What is signed */

static void in_pieces_of_any_size(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 3, 31, 352, 353, 4000, 4095, 4096, 4097, MAX_BYTES};

    for (int kind = 0; kind < KINDS; kind++) {
        uint8_t digest[32];

        start(&s_file, 352, true);
        sign(&s_file, s_keys[kind][0], NULL, NULL);
        sha256(s_file.bytes, s_file.len, digest);
        for (size_t i = 0; i < COUNT(pieces); i++) {
            const struct verdict verdict = verify(&s_file, (enum kind)kind, pieces[i]);

            assert_string_equal(verdict.fault.text, "");
            assert_int_equal(verdict.err, 0);
            assert_true(verdict.image.signature_ok);
            assert_memory_equal(verdict.image.sha256, digest, 32);
        }
    }
}

static void images_of_any_length(void **state)
{
    (void)state;
    static const size_t sizes[] = {352, 4080, 4096, 4112, 8192};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (int digest = 0; digest < 2; digest++) {
            start(&s_file, sizes[i], digest != 0);
            sign(&s_file, s_keys[P256_KEY][0], NULL, NULL);
            for (size_t piece = 1; piece <= MAX_BYTES; piece = piece * 3 + 1)
                assert_int_equal(verify(&s_file, P256_KEY, piece).err, 0);
            assert_refused(&s_file, RSA_KEY, OTHER_KEY);
            s_file.bytes[s_file.signed_len - 1] ^= 1; /* the image's own, where it fills it */
            assert_int_equal(verify(&s_file, P256_KEY, 1000).err, -EBADMSG);
        }
    }
}

static void nobody_asks(void **state)
{
    (void)state;
    const struct hosted_update_options options = {.chip = -1};

    start(&s_file, 352, true);
    assert_int_equal(check(&s_file, &options, 100).err, 0);
    sign(&s_file, s_keys[RSA_KEY][1], NULL, NULL);
    block_of(&s_file, 0)[900] ^= 1;

    const struct verdict verdict = check(&s_file, &options, 100);

    assert_int_equal(verdict.err, 0);
    assert_false(verdict.image.signature_ok);
}

static void any_of_three_blocks(void **state)
{
    (void)state;
    EVP_PKEY *const rsa = s_keys[RSA_KEY][0], *const other = s_keys[RSA_KEY][1];
    EVP_PKEY *const p256 = s_keys[P256_KEY][0];

    start(&s_file, 352, true);
    sign(&s_file, other, rsa, NULL);
    assert_signed(&s_file, RSA_KEY);
    assert_refused(&s_file, P256_KEY, OTHER_KEY);
    sign(&s_file, other, rsa, p256);
    assert_signed(&s_file, RSA_KEY);
    assert_signed(&s_file, P256_KEY);
    sign(&s_file, NULL, NULL, p256);
    assert_signed(&s_file, P256_KEY);

    /* The same key twice: one good signature is enough. */
    sign(&s_file, rsa, rsa, NULL);
    block_of(&s_file, 0)[1000] ^= 1;
    signature_seal(block_of(&s_file, 0));
    assert_signed(&s_file, RSA_KEY);
}

/* What is not */

static void no_signature(void **state)
{
    (void)state;
    const size_t cuts[] = {1, 1200, 3 * BLOCK_BYTES, SECTOR_BYTES - 1};

    for (int kind = 0; kind < KINDS; kind++) {
        start(&s_file, 352, true);
        assert_refused(&s_file, (enum kind)kind, UNSIGNED);
        s_file.len = s_file.signed_len;
        assert_refused(&s_file, (enum kind)kind, UNSIGNED);
        sign(&s_file, NULL, NULL, NULL);
        assert_refused(&s_file, (enum kind)kind, UNSIGNED);
        sign(&s_file, s_keys[kind][0], NULL, NULL);
        for (size_t i = 0; i < COUNT(cuts); i++) {
            s_file.len = s_file.signed_len + cuts[i];
            assert_refused(&s_file, (enum kind)kind, UNSIGNED);
        }
        s_file.len = s_file.signed_len + SECTOR_BYTES;
        s_file.len += 100; /* nobody's business, as behind an image without a signature */
        assert_signed(&s_file, (enum kind)kind);

        /* At a sector, but not at the image's. */
        memmove(block_of(&s_file, 0) + SECTOR_BYTES, block_of(&s_file, 0), SECTOR_BYTES);
        memset(block_of(&s_file, 0), 0xff, SECTOR_BYTES);
        s_file.len = MAX_BYTES;
        assert_refused(&s_file, (enum kind)kind, UNSIGNED);
    }
}

static void another_key(void **state)
{
    (void)state;

    for (int kind = 0; kind < KINDS; kind++) {
        start(&s_file, 352, true);
        sign(&s_file, s_keys[kind][1], NULL, NULL);
        assert_refused(&s_file, (enum kind)kind, OTHER_KEY);
        sign(&s_file, s_keys[1 - kind][0], s_keys[kind][1], NULL);
        assert_refused(&s_file, (enum kind)kind, OTHER_KEY);
        assert_refused(&s_file, (enum kind)kind, s_key_path[kind]);
    }
}

static void another_images_signature(void **state)
{
    (void)state;
    uint8_t sector[SECTOR_BYTES];

    for (int kind = 0; kind < KINDS; kind++) {
        start(&s_file, 352, true);
        sign(&s_file, s_keys[kind][0], NULL, NULL);
        memcpy(sector, block_of(&s_file, 0), sizeof(sector));
        start(&s_file, 368, true);
        sign(&s_file, NULL, NULL, NULL);
        memcpy(block_of(&s_file, 0), sector, sizeof(sector));
        assert_refused(&s_file, (enum kind)kind, WRONG);

        /* The digest in the block says nothing: somebody may have put in the right one. */
        sha256(s_file.bytes, s_file.signed_len, block_of(&s_file, 0) + 4);
        signature_seal(block_of(&s_file, 0));
        assert_refused(&s_file, (enum kind)kind, WRONG);
    }
}

static void a_byte_between_image_and_signature(void **state)
{
    (void)state;

    for (int kind = 0; kind < KINDS; kind++) {
        start(&s_file, 352, true);
        sign(&s_file, s_keys[kind][0], NULL, NULL);
        for (size_t at = 352; at < s_file.signed_len; at += 1248) {
            s_file.bytes[at] ^= 0x80;
            assert_refused(&s_file, (enum kind)kind, WRONG);
            s_file.bytes[at] ^= 0x80;
        }
        assert_signed(&s_file, (enum kind)kind);
    }
}

static void no_byte_can_change_unnoticed(void **state)
{
    (void)state;

    for (int kind = 0; kind < KINDS; kind++) {
        start(&s_file, 352, true);
        sign(&s_file, s_keys[kind][0], NULL, NULL);
        for (size_t at = 0; at < AT_CRC + 4; at++) {
            block_of(&s_file, 0)[at] ^= (uint8_t)(1 << at % 8);
            assert_refused(&s_file, (enum kind)kind, UNSIGNED);
            block_of(&s_file, 0)[at] ^= (uint8_t)(1 << at % 8);
        }
        block_of(&s_file, 0)[AT_CRC + 4] ^= 1; /* padding: nobody reads it */
        assert_signed(&s_file, (enum kind)kind);
    }
}

struct field {
    size_t from, to;
    const char *words; /* NULL: nobody reads it */
};

/* An attacker makes the checksum right. */
static void each_field_is_looked_at(void **state)
{
    (void)state;
    static const struct field fields[KINDS][8] = {
        [RSA_KEY] = {{0, 1, UNSIGNED},
                     {1, 2, UNSIGNED},
                     {2, 4, NULL},
                     {4, 36, WRONG},
                     {36, 812, OTHER_KEY},
                     {812, 1196, WRONG}},
        [P256_KEY] = {{0, 1, UNSIGNED},
                      {1, 2, UNSIGNED},
                      {2, 3, OTHER_KEY},
                      {3, 4, NULL},
                      {4, 36, WRONG},
                      {36, 101, OTHER_KEY},
                      {101, 165, WRONG},
                      {165, 1196, NULL}},
    };

    for (int kind = 0; kind < KINDS; kind++) {
        start(&s_file, 352, true);
        sign(&s_file, s_keys[kind][0], NULL, NULL);
        uint8_t *block = block_of(&s_file, 0);

        for (size_t i = 0; i < COUNT(fields[kind]) && fields[kind][i].to > 0; i++) {
            const struct field *field = &fields[kind][i];

            for (size_t at = field->from; at < field->to;
                 at += 1 + (field->to - field->from) / 40) {
                block[at] ^= 0x10;
                signature_seal(block);
                if (field->words != NULL)
                    assert_refused(&s_file, (enum kind)kind, field->words);
                else
                    assert_signed(&s_file, (enum kind)kind);
                block[at] ^= 0x10;
            }
        }
        signature_seal(block);
        assert_signed(&s_file, (enum kind)kind);
    }
}

/* Numbers that no signature has, which some programs have stumbled over. */
static void strange_signatures(void **state)
{
    (void)state;

    for (int kind = 0; kind < KINDS; kind++) {
        const size_t from = kind == RSA_KEY ? 812 : 101, len = kind == RSA_KEY ? 384 : 64;

        start(&s_file, 352, true);
        sign(&s_file, s_keys[kind][0], NULL, NULL);
        memset(block_of(&s_file, 0) + from, 0, len);
        signature_seal(block_of(&s_file, 0));
        assert_refused(&s_file, (enum kind)kind, WRONG);
        memset(block_of(&s_file, 0) + from, 0xff, len);
        signature_seal(block_of(&s_file, 0));
        assert_refused(&s_file, (enum kind)kind, WRONG);
    }
}

/* The SHA-256 of the file */

static void a_demanded_sha256(void **state)
{
    (void)state;
    uint8_t demanded[32];
    const struct hosted_update_options options = {.sha256 = demanded};

    for (size_t behind = 0; behind < 3; behind++) {
        start(&s_file, 352, behind != 1);
        s_file.len += behind; /* it is the file's, and not the image's */
        sha256(s_file.bytes, s_file.len, demanded);
        for (size_t piece = 1; piece < 400; piece += 13)
            assert_int_equal(check(&s_file, &options, piece).err, 0);
    }
    s_file.bytes[s_file.len - 1] ^= 1;

    const struct verdict verdict = check(&s_file, &options, 400);
    char words[200] = "a.bin: its SHA-256 is ";
    uint8_t is[32];

    sha256(s_file.bytes, s_file.len, is);
    for (size_t i = 0; i < 32; i++)
        sprintf(words + strlen(words), "%02x", is[i]);
    strcat(words, ", not ");
    for (size_t i = 0; i < 32; i++)
        sprintf(words + strlen(words), "%02x", demanded[i]);
    strcat(words, " as demanded");
    assert_string_equal(verdict.fault.text, words);
    assert_int_equal(verdict.err, -EBADMSG);
    assert_int_equal(verdict.fault.status, HOSTED_IMAGE);

    /* What is no image says that first. */
    s_file.len = 300;
    assert_non_null(strstr(check(&s_file, &options, 400).fault.text, "cut off"));
}

/* Keys */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    if (file == NULL)
        abort();
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void assert_no_key(const char *pem, int err, const char *words)
{
    struct image_signature_key key;
    struct hosted_fault fault;

    assert_int_equal(image_signature_key_parse(&key, "k.pem", pem, strlen(pem), &fault), err);
    image_signature_key_free(&key);
    assert_int_equal(fault.status, HOSTED_USAGE);
    if (strstr(fault.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", fault.text, words);
    assert_ptr_equal(strstr(fault.text, "k.pem: "), fault.text);
}

static void other_types_of_key(void **state)
{
    (void)state;
    EVP_PKEY *const others[] = {
        EVP_RSA_gen(2048),
        EVP_EC_gen("P-384"),
        EVP_EC_gen("prime192v1"),
        EVP_EC_gen("secp256k1"),
        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
    };

    for (size_t i = 0; i < COUNT(others); i++) {
        char *pem = signature_public_pem(others[i]);

        assert_no_key(pem, -ENOTSUP, "RSA-3072 and ECDSA P-256");
        free(pem);
        EVP_PKEY_free(others[i]);
    }
}

static char *private_pem(EVP_PKEY *key, bool traditional)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;

    if (traditional)
        PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);

    const long len = BIO_get_mem_data(bio, &data);
    char *pem = strndup(data, (size_t)len);

    BIO_free(bio);
    return pem;
}

static void a_private_key(void **state)
{
    (void)state;

    for (int kind = 0; kind < KINDS; kind++) {
        char *public_pem = signature_public_pem(s_keys[kind][0]);

        for (int traditional = 0; traditional < 2; traditional++) {
            char *pem = private_pem(s_keys[kind][0], traditional != 0);
            char both[8192];

            assert_no_key(pem, -EINVAL, "private key");
            snprintf(both, sizeof(both), "%s%s", pem, public_pem);
            assert_no_key(both, -EINVAL, "private key");
            free(pem);
        }
        free(public_pem);
    }
}

static void no_key_at_all(void **state)
{
    (void)state;

    assert_no_key("", -EINVAL, "no public key");
    assert_no_key("hello\n", -EINVAL, "no public key");
    assert_no_key("-----BEGIN PUBLIC KEY-----\n", -EINVAL, "no public key");
    assert_no_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", -EINVAL,
                  "no public key");
    assert_no_key("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", -EINVAL,
                  "no public key");
}

static void words_around_a_key(void **state)
{
    (void)state;
    char *pem = signature_public_pem(s_keys[P256_KEY][0]);
    char text[2000];
    struct image_signature_key key;

    snprintf(text, sizeof(text), "The key of the factory\n\n%s\nand a word\n", pem);
    assert_int_equal(image_signature_key_parse(&key, "k.pem", text, strlen(text), NULL), 0);
    image_signature_key_free(&key);
    free(pem);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int err;
    } paths[] = {{"/nonexistent/key.pem", -ENOENT}, {"/tmp", -EISDIR}};
    char long_path[] = "/tmp/test-key-XXXXXX";
    const int fd = mkstemp(long_path);
    char *text = malloc(40000);
    struct image_signature_key key;
    struct hosted_fault fault;

    start(&s_file, 352, true);
    for (size_t i = 0; i < COUNT(paths); i++) {
        const struct hosted_update_options options = {.public_key = paths[i].path};
        const struct verdict verdict = check(&s_file, &options, 100);

        assert_int_equal(verdict.err, paths[i].err);
        assert_int_equal(verdict.fault.status, HOSTED_LOCAL);
        assert_non_null(strstr(verdict.fault.text, paths[i].path));
    }
    memset(text, '\n', 40000);
    text[39999] = '\0';
    write_file(long_path, text);
    assert_int_equal(image_signature_key_load(&key, long_path, NULL, &fault), -EINVAL);
    image_signature_key_free(&key);
    free(text);
    close(fd);
    unlink(long_path);
}

/* One into which nobody writes is not waited for for ever. */
static void a_key_may_come_through_a_pipe(void **state)
{
    (void)state;
    struct fake_esp32 *fake = fake_new(); /* for its clock, which does not wait */
    char *pem = signature_public_pem(s_keys[P256_KEY][0]);
    char path[64];
    struct image_signature_key key;
    struct hosted_fault fault;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    assert_int_equal(image_signature_key_load(&key, path, NULL, &fault), -ETIMEDOUT);
    assert_int_equal(fault.status, HOSTED_LOCAL);
    image_signature_key_free(&key);

    assert_int_equal(write(ends[1], pem, strlen(pem)), strlen(pem));
    close(ends[1]);
    assert_int_equal(image_signature_key_load(&key, path, NULL, &fault), 0);
    image_signature_key_free(&key);
    assert_int_equal(image_signature_key_load(&key, path, NULL, &fault), -EINVAL); /* empty now */
    image_signature_key_free(&key);
    close(ends[0]);
    free(pem);
    fake_free(fake);
}

static int make_keys(void **state)
{
    (void)state;

    for (int i = 0; i < 2; i++) {
        s_keys[RSA_KEY][i] = EVP_RSA_gen(3072);
        s_keys[P256_KEY][i] = EVP_EC_gen("P-256");
    }
    for (int kind = 0; kind < KINDS; kind++) {
        char *pem = signature_public_pem(s_keys[kind][0]);

        strcpy(s_key_path[kind], "/tmp/test-key-XXXXXX");
        close(mkstemp(s_key_path[kind]));
        write_file(s_key_path[kind], pem);
        free(pem);
    }
    return 0;
}

static int free_keys(void **state)
{
    (void)state;

    for (int kind = 0; kind < KINDS; kind++) {
        unlink(s_key_path[kind]);
        EVP_PKEY_free(s_keys[kind][0]);
        EVP_PKEY_free(s_keys[kind][1]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_pieces_of_any_size),
        cmocka_unit_test(images_of_any_length),
        cmocka_unit_test(nobody_asks),
        cmocka_unit_test(any_of_three_blocks),
        cmocka_unit_test(no_signature),
        cmocka_unit_test(another_key),
        cmocka_unit_test(another_images_signature),
        cmocka_unit_test(a_byte_between_image_and_signature),
        cmocka_unit_test(no_byte_can_change_unnoticed),
        cmocka_unit_test(each_field_is_looked_at),
        cmocka_unit_test(strange_signatures),
        cmocka_unit_test(a_demanded_sha256),
        cmocka_unit_test(other_types_of_key),
        cmocka_unit_test(a_private_key),
        cmocka_unit_test(no_key_at_all),
        cmocka_unit_test(words_around_a_key),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(a_key_may_come_through_a_pipe),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
