# The console of the admin endpoint, in a real browser. On Ubuntu it is a snap, and then the test is left out, which ctest
# says.
find_program(SOJOURN_CHROMIUM NAMES chromium chromium-browser google-chrome)
mark_as_advanced(SOJOURN_CHROMIUM)
sojourn_node_test("browser: the console"
    LABEL browser
    TIMEOUT 300
    SCRIPT browser/console_test.mjs
    ARGUMENTS ${SOJOURN_CHROMIUM} $<TARGET_FILE:http_sessions> ${CMAKE_CURRENT_BINARY_DIR}/browser
)
if(NOT SOJOURN_CHROMIUM)
    set_tests_properties("browser: the console" PROPERTIES DISABLED ON)
endif()
