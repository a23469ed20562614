# That Prometheus itself, and promtool, which comes with it, take what we tell them.
find_program(SOJOURN_PROMETHEUS prometheus)
find_program(SOJOURN_PROMTOOL promtool)
mark_as_advanced(SOJOURN_PROMETHEUS SOJOURN_PROMTOOL)
if(NOT SOJOURN_PROMETHEUS OR NOT SOJOURN_PROMTOOL)
    message(FATAL_ERROR
        "The tests of SOJOURN_BUILD_PROMETHEUS need prometheus and promtool (Debian: prometheus). "
        "Turn it off, or SOJOURN_BUILD_TESTS."
    )
endif()

# Whatever it prints is an objection.
add_test(NAME "prometheus: promtool accepts the metrics"
    COMMAND bash -o pipefail -c [["$0" | "$1" check metrics]] $<TARGET_FILE:sojourn_exposition> ${SOJOURN_PROMTOOL}
)
set_tests_properties("prometheus: promtool accepts the metrics" PROPERTIES
    LABELS prometheus
    TIMEOUT 60
    FAIL_REGULAR_EXPRESSION "."
)
