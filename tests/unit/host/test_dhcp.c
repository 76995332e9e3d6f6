/* SPDX-License-Identifier: Apache-2.0 */
/* Which DHCP client is run, and how: the clients here are scripts that say what they were told. */
#include "dhcp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const names[] = {"udhcpc", "dhclient", "dhcpcd"};

static int start(void **state)
{
    char folder[] = "/tmp/dhcp-XXXXXX";
    char path[256];

    if (mkdtemp(folder) == NULL)
        return -1;
    *state = strdup(folder);
    snprintf(path, sizeof(path), "%s:/usr/bin:/bin", folder);
    return setenv("PATH", path, 1);
}

static void remove_file(const char *folder, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

static int stop(void **state)
{
    char *folder = *state;

    for (size_t i = 0; i < 3; i++)
        remove_file(folder, names[i]);
    remove_file(folder, "said");
    rmdir(folder);
    free(folder);
    return 0;
}

/* A client that writes its name and arguments down and then does `end`. */
static void make_client(const char *folder, const char *name, const char *end)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/%s", folder, name);

    FILE *file = fopen(path, "we");

    if (file == NULL)
        abort();
    fprintf(file, "#!/bin/sh\necho \"%s $*\" >%s/said\n%s\n", name, folder, end);
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
}

static void assert_said(const char *folder, const char *expected)
{
    char path[64], line[128] = "", whole[128];

    snprintf(path, sizeof(path), "%s/said", folder);
    snprintf(whole, sizeof(whole), "%s\n", expected);

    FILE *file = fopen(path, "re");

    if (file == NULL)
        abort();
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    assert_string_equal(line, whole);
}

static void the_first_that_is_there_is_run(void **state)
{
    const char *folder = *state;
    struct hosted_fault fault;

    make_client(folder, "udhcpc", "exit 0");
    make_client(folder, "dhclient", "exit 0");
    assert_int_equal(dhcp_run("ethsta0", &fault), 0);
    assert_said(folder, "udhcpc -n -q -i ethsta0");
}

static void no_shell_sees_the_name_of_the_interface(void **state)
{
    const char *folder = *state;
    struct hosted_fault fault;

    make_client(folder, "udhcpc", "exit 0");
    assert_int_equal(dhcp_run("$(exit 1); x", &fault), 0);
    assert_said(folder, "udhcpc -n -q -i $(exit 1); x");
}

static void its_failure_is_told(void **state)
{
    const char *folder = *state;
    struct hosted_fault fault;

    make_client(folder, "udhcpc", "exit 3");
    assert_int_equal(dhcp_run("ethsta0", &fault), -EIO);
    assert_int_equal(fault.status, HOSTED_LOCAL);
    assert_non_null(strstr(fault.text, "udhcpc: no address for ethsta0 (exit status 3)"));

    make_client(folder, "udhcpc", "kill -9 $$");
    assert_int_equal(dhcp_run("ethsta0", &fault), -EIO);
    assert_non_null(strstr(fault.text, "(signal 9)"));
}

/* stdout may be read by a program, which takes every line for ours. */
static void what_it_says_is_not_on_stdout(void **state)
{
    const char *folder = *state;
    struct hosted_fault fault;
    FILE *file = tmpfile();
    const int saved = dup(STDOUT_FILENO);

    if (file == NULL || saved < 0)
        abort();
    make_client(folder, "udhcpc", "echo udhcpc: started");
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);

    const int err = dhcp_run("ethsta0", &fault);

    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(err, 0);
    assert_said(folder, "udhcpc -n -q -i ethsta0");
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    assert_int_equal(ftell(file), 0);
    fclose(file);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(the_first_that_is_there_is_run),
        CASE(no_shell_sees_the_name_of_the_interface),
        CASE(its_failure_is_told),
        CASE(what_it_says_is_not_on_stdout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
