# The functions every folder of this repository uses:
#
#   tailrace_room(NAME SOURCES src/a.cc ... PUBLIC_HEADERS include/tailrace/NAME/a.h ...
#                 [DEPENDS tailrace::base tailrace::deps::x ...] [PRIVATE_DEPENDS ...] [PCH <header> ...])
#       A static library tailrace_NAME, alias tailrace::NAME. Private headers are included relative to src/.
#   tailrace_test(NAME SOURCES a_test.cc ... DEPENDS tailrace::NAME ... LABELS unit|integration|...
#                 [PRIVATE_OF room ...] [TIMEOUT seconds] [ENVIRONMENT K=V ...] [RUN_SERIAL] [ONE_ENTRY])
#       A GoogleTest executable bin/tests/NAME; every case is one ctest entry called NAME.Suite.Case, or the whole
#       executable is one entry when ONE_ENTRY says that its cases share something costly.
#       PRIVATE_OF lets a test include the private headers of a room.
#   tailrace_script_test(NAME COMMAND ... LABELS ... [TIMEOUT seconds] [ENVIRONMENT K=V ...] [RUN_SERIAL])
#       A test that is a program or script. Exit code 77 means skipped, with the reason printed.
include_guard(GLOBAL)
include(GNUInstallDirs)
include(GoogleTest)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  set(CMAKE_CXX_EXTENSIONS OFF)
  find_program(TAILRACE_CCACHE ccache)
  if(TAILRACE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Without this sloppiness ccache passes every file that uses a precompiled header straight to the compiler.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${TAILRACE_CCACHE}")
  endif()
  find_program(TAILRACE_MOLD mold)
  if(TAILRACE_MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
  if(TAILRACE_SANITIZE)
    add_compile_options(-fsanitize=${TAILRACE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${TAILRACE_SANITIZE})
  endif()
endif()

add_library(tailrace_warnings INTERFACE)
# An aggregate may leave fields out: what is not named has its default, which is the point of option structs.
target_compile_options(tailrace_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wno-missing-field-initializers $<$<BOOL:${TAILRACE_WARNINGS_AS_ERRORS}>:-Werror>)

function(tailrace_add_directories)
  foreach(directory IN LISTS ARGN)
    add_subdirectory(${directory})
  endforeach()
endfunction()

# What every target of the project shares.
function(_tailrace_common target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:tailrace_warnings>)
endfunction()

function(tailrace_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;PUBLIC_HEADERS;DEPENDS;PRIVATE_DEPENDS;PCH")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tailrace_room(${name}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  set(target tailrace_${name})
  add_library(${target} STATIC)
  add_library(tailrace::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON)
  target_sources(${target}
    PRIVATE ${ARG_SOURCES}
    PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${ARG_PUBLIC_HEADERS})
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
  target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  _tailrace_common(${target})
  if(ARG_PCH)
    target_precompile_headers(${target} PRIVATE ${ARG_PCH})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -fpch-preprocess)  # ccache asks for it.
    endif()
  endif()
  if(TAILRACE_INSTALL)
    install(TARGETS ${target} EXPORT tailrace-targets FILE_SET HEADERS)
  endif()
endfunction()

function(tailrace_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "RUN_SERIAL;ONE_ENTRY" "TIMEOUT" "SOURCES;DEPENDS;LABELS;PRIVATE_OF;ENVIRONMENT")
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_LABELS)
    message(FATAL_ERROR "tailrace_test(${name}): unknown arguments '${ARG_UNPARSED_ARGUMENTS}' or no LABELS")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin/tests")
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} tailrace::deps::gtest_main)
  foreach(room IN LISTS ARG_PRIVATE_OF)
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/${room}/src")
  endforeach()
  _tailrace_common(${name})
  _tailrace_test_environment(environment ${ARG_ENVIRONMENT})
  if(ARG_ONE_ENTRY)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${environment}"
      RUN_SERIAL ${ARG_RUN_SERIAL} SKIP_REGULAR_EXPRESSION "\\[  PASSED  \\] 0 tests\\.\n\\[  SKIPPED \\]")
  else()
    # The list of cases is read when ctest starts, so a build never runs a test program. A case of a suite ...Child is what
    # a child process of another case runs (tests/support/spawn_case.h), no test of its own.
    gtest_discover_tests(${name} TEST_PREFIX "${name}." TEST_FILTER "-*Child.*" DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL ${ARG_RUN_SERIAL})
    # Lists do not survive the way through gtest_discover_tests, so they are set once the cases are known.
    set(lists "${CMAKE_CURRENT_BINARY_DIR}/${name}_lists.cmake")
    file(CONFIGURE OUTPUT "${lists}" @ONLY CONTENT [[
foreach(test IN LISTS @name@_TESTS)
  set_tests_properties("${test}" PROPERTIES LABELS "@ARG_LABELS@" ENVIRONMENT "@environment@")
endforeach()
]])
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${lists}")
  endif()
endfunction()

function(tailrace_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "RUN_SERIAL" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT")
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_LABELS OR NOT ARG_COMMAND)
    message(FATAL_ERROR "tailrace_script_test(${name}): unknown arguments '${ARG_UNPARSED_ARGUMENTS}', no COMMAND or no LABELS")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  _tailrace_test_environment(environment ${ARG_ENVIRONMENT})
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "${environment}" SKIP_RETURN_CODE 77)
  if(ARG_RUN_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

# Where a test finds the sources and the programs under test, whatever the build folder is called.
function(_tailrace_test_environment out)
  set(${out} "TAILRACE_SOURCE_DIR=${PROJECT_SOURCE_DIR}" "TAILRACE_BINARY_DIR=${PROJECT_BINARY_DIR}"
      "TAILRACE_BIN=${PROJECT_BINARY_DIR}/bin/tailrace" ${ARGN})
  set(${out} "${${out}}" PARENT_SCOPE)
endfunction()
