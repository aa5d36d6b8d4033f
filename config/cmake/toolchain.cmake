# Warnings, hardening, sanitizers and build speed, for every target of the project through cam_flags.
add_library(cam_flags INTERFACE)
target_compile_options(cam_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

# docs/security.md explains each of these; tests/package checks them on the built executable.
target_compile_definitions(cam_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(NOT CAM_SANITIZE AND NOT CAM_FUZZ AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(cam_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
        -fstack-protector-strong -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
        target_compile_options(cam_flags INTERFACE -fcf-protection)
    endif()
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
    target_compile_options(cam_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined
        -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(cam_flags INTERFACE -fsanitize=address,undefined)
endif()

find_program(CAM_CCACHE ccache)
if(CAM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CAM_CCACHE})
endif()
find_program(CAM_MOLD mold)
if(CAM_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_link_options(cam_flags INTERFACE -fuse-ld=mold)
endif()
