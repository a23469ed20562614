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
set_tests_properties("prometheus: promtool accepts the metrics" PROPERTIES FAIL_REGULAR_EXPRESSION ".")

add_test(NAME "prometheus: promtool accepts the alert rules"
    COMMAND ${SOJOURN_PROMTOOL} check rules --lint-fatal ${PROJECT_SOURCE_DIR}/docs/prometheus/alerts.yml
)
add_test(NAME "prometheus: the alert rules fire when they should"
    COMMAND ${SOJOURN_PROMTOOL} test rules ${CMAKE_CURRENT_SOURCE_DIR}/prometheus/alerts_test.yml
)
set_tests_properties(
    "prometheus: promtool accepts the metrics"
    "prometheus: promtool accepts the alert rules"
    "prometheus: the alert rules fire when they should"
    PROPERTIES LABELS prometheus TIMEOUT 60
)

if(SOJOURN_BUILD_EXAMPLES)
    add_test(NAME "prometheus: a server scrapes the example"
        COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/prometheus/scrape_test.py
            ${SOJOURN_PROMETHEUS} $<TARGET_FILE:example_prometheus> ${PROJECT_SOURCE_DIR}/docs
    )
    set_tests_properties("prometheus: a server scrapes the example" PROPERTIES LABELS prometheus TIMEOUT 120)
endif()
