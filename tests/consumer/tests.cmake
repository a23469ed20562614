# Installs this build, then configures, builds and runs the consumer against it, once for each way to get sojourn.
set(prefix ${CMAKE_CURRENT_BINARY_DIR}/consumer/prefix)

add_test(NAME "consumer: install"
    COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix}
)
set_tests_properties("consumer: install" PROPERTIES FIXTURES_SETUP installed LABELS consumer)

# sojourn_add_consumer(<name> <find_package|subdirectory> [cache entry...])
function(sojourn_add_consumer name uses)
    set(build ${CMAKE_CURRENT_BINARY_DIR}/consumer/${name})
    string(REPLACE "_" " " words ${name})
    add_test(NAME "consumer: ${words}"
        COMMAND ${CMAKE_CTEST_COMMAND}
            --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/consumer ${build}
            --build-generator Ninja
            --build-project consumer
            --build-options
                -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
                -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}
                -DCMAKE_PREFIX_PATH=${prefix}
                -DCONSUMER_USES=${uses}
                ${ARGN}
            --test-command consumer
    )
    set_tests_properties("consumer: ${words}" PROPERTIES FIXTURES_REQUIRED installed LABELS consumer TIMEOUT 600)
endfunction()

sojourn_add_consumer(find_package find_package)
if(SOJOURN_BUILD_STORE)
    sojourn_add_consumer(store_from_find_package find_package -DCONSUMER_STORES=ON)
endif()
if(SOJOURN_BUILD_PROMETHEUS)
    sojourn_add_consumer(prometheus_from_find_package find_package -DCONSUMER_EXPOSES=ON)
else()
    sojourn_add_consumer(a_missing_prometheus_is_refused find_package -DCONSUMER_EXPOSES=ON)
    set_tests_properties("consumer: a missing prometheus is refused" PROPERTIES
        PASS_REGULAR_EXPRESSION "This sojourn was installed without Prometheus"
    )
endif()
if(SOJOURN_BUILD_MODULE)
    sojourn_add_consumer(import_from_find_package find_package -DCONSUMER_IMPORTS=ON)
    # Some build all they have in few files, and us with it.
    sojourn_add_consumer(import_from_add_subdirectory subdirectory -DCONSUMER_IMPORTS=ON -DCMAKE_UNITY_BUILD=ON)
else()
    sojourn_add_consumer(add_subdirectory subdirectory)
    # Who asks for a module that is not there gets a sentence of ours, not a page of CMake's.
    sojourn_add_consumer(a_missing_module_is_refused find_package -DCONSUMER_IMPORTS=ON)
    set_tests_properties("consumer: a missing module is refused" PROPERTIES
        PASS_REGULAR_EXPRESSION "This sojourn was installed without its module"
    )
endif()
