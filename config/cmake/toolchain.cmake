# Warnings, hardening, sanitizers and build speed, for every target of the project through cam_flags.
add_library(cam_flags INTERFACE)
target_compile_options(cam_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

# A target with the property CAM_QUICK is compiled for the sake of a few runs, as the tests are, and takes two thirds of
# the time to compile (under a sanitizer, without optimisation, half of it). The rooms never have it, so that what is
# tested is what is shipped.
set(CAM_QUICK $<BOOL:$<TARGET_PROPERTY:CAM_QUICK>>)
if(CAM_SANITIZE)
    target_compile_options(cam_flags INTERFACE $<${CAM_QUICK}:-O0>)
else()
    target_compile_options(cam_flags INTERFACE "$<${CAM_QUICK}:-O1;-g0>")
endif()

# docs/security.md explains each of these; tests/package checks them on the built executable.
target_compile_definitions(cam_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(NOT CAM_SANITIZE AND NOT CAM_FUZZ AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(hardening -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
        list(APPEND hardening -fcf-protection)
    endif()
    target_compile_options(cam_flags INTERFACE "$<$<NOT:${CAM_QUICK}>:${hardening}>")
endif()
target_link_options(cam_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

if(CAM_SANITIZE STREQUAL "address")
    target_compile_options(cam_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    target_link_options(cam_flags INTERFACE -fsanitize=address,undefined)
elseif(CAM_SANITIZE STREQUAL "thread")
    target_compile_options(cam_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(cam_flags INTERFACE -fsanitize=thread)
elseif(CAM_SANITIZE)
    message(FATAL_ERROR "CAM_SANITIZE is '${CAM_SANITIZE}'; use 'address', 'thread' or nothing")
endif()
if(CAM_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "CAM_FUZZ needs clang: configure with -DCMAKE_CXX_COMPILER=clang++")
    endif()
    if(NOT CAM_SANITIZE STREQUAL "address")
        message(FATAL_ERROR "CAM_FUZZ needs CAM_SANITIZE=address: without it the fuzzers see little")
    endif()
    # What libFuzzer steers by: of the rooms and the targets, not of the tests.
    target_compile_options(cam_flags INTERFACE $<$<NOT:${CAM_QUICK}>:-fsanitize=fuzzer-no-link>)
endif()

find_program(CAM_CCACHE ccache)
if(CAM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CAM_CCACHE})
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        # What ccache asks of those who use precompiled headers.
        set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CAM_CCACHE})
    endif()
endif()
find_program(CAM_MOLD mold)
if(CAM_MOLD)
    target_link_options(cam_flags INTERFACE -fuse-ld=mold)
endif()
