# SPDX-License-Identifier: Apache-2.0
# How every target of this project is compiled: link `project_options` PRIVATE.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # GNU C: the firmware is ordinary ESP-IDF code, the host is Linux
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # the host library goes into the Python module too
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(HOSTED_WERROR "Treat warnings as errors" OFF)
option(HOSTED_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(HOSTED_FUZZ "Build the fuzzing targets with libFuzzer; needs clang" OFF)
option(HOSTED_COVERAGE "Build for line coverage" OFF)

add_library(project_options INTERFACE)
target_compile_options(project_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wundef -Wwrite-strings -Wformat=2
    $<$<BOOL:${HOSTED_WERROR}>:-Werror>)
target_compile_definitions(project_options INTERFACE _GNU_SOURCE)

# A tool carries only what it calls of the library and of the generated messages.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)

# The descriptors of the messages are full of pointers, each of which is 24 bytes of relocation
# without this. The C library must know the form: glibc does from 2.36 on.
include(CheckCSourceCompiles)
include(CheckLinkerFlag)
check_linker_flag(C -Wl,-z,pack-relative-relocs HOSTED_LINKER_PACKS_RELOCATIONS)
check_c_source_compiles("
#include <features.h>
#if !__GLIBC_PREREQ(2, 36)
#error
#endif
int main(void) { return 0; }" HOSTED_LIBC_UNPACKS_RELOCATIONS)
if(HOSTED_LINKER_PACKS_RELOCATIONS AND HOSTED_LIBC_UNPACKS_RELOCATIONS)
    add_link_options(-Wl,-z,pack-relative-relocs)
endif()

if(HOSTED_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
endif()
if(HOSTED_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(HOSTED_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
