# Tests that run in Node.js, with packages of npm that the package-lock.json beside a test pins.
find_program(SOJOURN_NODE NAMES node nodejs)
find_program(SOJOURN_NPM npm)
mark_as_advanced(SOJOURN_NODE SOJOURN_NPM)
if(NOT SOJOURN_NODE OR NOT SOJOURN_NPM)
    message(FATAL_ERROR "SOJOURN_NODE_TESTS needs Node.js and npm (Debian: nodejs and npm). Turn it off to test without.")
endif()

# sojourn_node_test(<name> LABEL <label> [TIMEOUT <seconds>] SCRIPT <file> [ARGUMENTS <word>...])
#
# Adds a test that runs <file>, a program on node:test, with these arguments. The packages of its folder are installed
# first, once for all tests of that folder; that takes a moment where they are there, and the network where not.
function(sojourn_node_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT;SCRIPT" "ARGUMENTS")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    cmake_path(ABSOLUTE_PATH arg_SCRIPT OUTPUT_VARIABLE script)
    cmake_path(GET script PARENT_PATH folder)
    cmake_path(GET folder FILENAME packages)
    set(install "${packages}: packages of npm")
    get_property(tests DIRECTORY PROPERTY TESTS)
    if(NOT install IN_LIST tests)
        add_test(NAME ${install} COMMAND ${PROJECT_SOURCE_DIR}/tools/npm_ci.sh ${folder})
        set_tests_properties(${install} PROPERTIES
            FIXTURES_SETUP "node_modules of ${packages}"
            LABELS ${arg_LABEL}
            TIMEOUT 300
        )
    endif()
    add_test(NAME ${name} COMMAND ${SOJOURN_NODE} --test-reporter=spec ${script} ${arg_ARGUMENTS})
    set_tests_properties(${name} PROPERTIES
        FIXTURES_REQUIRED "node_modules of ${packages}"
        LABELS ${arg_LABEL}
        TIMEOUT ${arg_TIMEOUT}
    )
endfunction()
