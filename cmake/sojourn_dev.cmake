# `sojourn_dev` is how our own sources are compiled: warnings, and assertions in Debug. It is linked PRIVATE and never
# exported, so that users inherit none of it; as a part of somebody else's project we are quiet.
add_library(sojourn_dev INTERFACE)
target_compile_definitions(sojourn_dev INTERFACE $<$<CONFIG:Debug>:SOJOURN_ENABLE_ASSERTIONS=1>)

# Lets a target import modules. ccache knows nothing of the compiled modules a file depends on, so it stays out.
function(sojourn_scan_for_modules target)
    set_target_properties(${target} PROPERTIES CXX_SCAN_FOR_MODULES ON CXX_COMPILER_LAUNCHER "" UNITY_BUILD OFF)
endfunction()

if(NOT PROJECT_IS_TOP_LEVEL)
    return()
endif()

target_compile_options(sojourn_dev INTERFACE
    -Wall
    -Wextra
    -Wpedantic               # the language, not a compiler's extensions of it
    # One name, one thing; of one file, not of several in one.
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wshadow>
    -Wconversion             # a session's deadline must not lose bits
    -Wsign-conversion
    -Wold-style-cast
    -Wcast-align
    -Woverloaded-virtual
    -Wnull-dereference
    -Wimplicit-fallthrough
    -Wextra-semi
)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(sojourn_dev INTERFACE
        -Wnon-virtual-dtor       # GCC 12 also blames every class derived from Boost's error_category
        -Wunreachable-code
    )
else()
    target_compile_options(sojourn_dev INTERFACE
        -Wduplicated-cond
        -Wlogical-op
        -Wno-maybe-uninitialized # false alarms in coroutine frames
    )
endif()

# A second build of the same file is free, where ccache is installed; in another clone too, since it knows our files by
# where they are in the project.
find_program(SOJOURN_CCACHE ccache)
mark_as_advanced(SOJOURN_CCACHE)
if(SOJOURN_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    # The sloppiness is what ccache wants to be told before it handles precompiled headers.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
        ${SOJOURN_CCACHE}
    )
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
        add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    endif()
endif()
