# In place of src/: a copy of it that has the seeded bugs of tests/mutants in it, all of them off unless the environment
# names one when a program begins. Written when CMake runs, which it does anew when the table or a source changes.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

set(mutated ${PROJECT_BINARY_DIR}/mutated)
execute_process(
    COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/mutants --generate ${mutated}
    COMMAND_ERROR_IS_FATAL ANY
)
file(GLOB_RECURSE read_from CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/src/*
    ${PROJECT_SOURCE_DIR}/tests/mutants/*
    ${PROJECT_SOURCE_DIR}/tools/mutants/*.py
)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${read_from})
add_subdirectory(${mutated}/src src)
