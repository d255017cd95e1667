# Every library from outside, each behind a short interface target tailrace::deps::NAME, so that rooms do not care how
# a distribution names or ships it. Read by the build and by the installed CMake package.
include_guard(DIRECTORY)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

macro(_tailrace_dep name)
  if(NOT TARGET tailrace::deps::${name})
    add_library(tailrace::deps::${name} INTERFACE IMPORTED)
    target_link_libraries(tailrace::deps::${name} INTERFACE ${ARGN})
  endif()
endmacro()

# _tailrace_pkg(name "module >= version" debian-package): a library that comes with a pkg-config file.
macro(_tailrace_pkg name module package)
  pkg_check_modules(TAILRACE_${name} QUIET IMPORTED_TARGET GLOBAL "${module}")
  if(NOT TAILRACE_${name}_FOUND)
    message(FATAL_ERROR "Tailrace needs ${module} (Debian package ${package}); './run build' installs what is missing.")
  endif()
  _tailrace_dep(${name} PkgConfig::TAILRACE_${name})
endmacro()

# librdkafka: 2.3 is the first release whose fetch path does not pause when its queue is full. tools/build-librdkafka
# leaves a static library in the cache where the distribution's is older.
set(_tailrace_cache "$ENV{TAILRACE_DEPS}")
if(NOT _tailrace_cache AND DEFINED ENV{XDG_CACHE_HOME})
  set(_tailrace_cache "$ENV{XDG_CACHE_HOME}/tailrace")
elseif(NOT _tailrace_cache)
  set(_tailrace_cache "$ENV{HOME}/.cache/tailrace")
endif()
if(NOT TARGET tailrace::deps::rdkafka)
  file(GLOB _tailrace_rdkafka_prefixes LIST_DIRECTORIES true "${_tailrace_cache}/librdkafka-*")
  list(SORT _tailrace_rdkafka_prefixes COMPARE NATURAL ORDER DESCENDING)
  set(_tailrace_rdkafka "")
  foreach(_prefix IN LISTS _tailrace_rdkafka_prefixes)
    if(NOT _tailrace_rdkafka AND EXISTS "${_prefix}/lib/librdkafka.a" AND EXISTS "${_prefix}/include/librdkafka/rdkafka.h")
      set(_tailrace_rdkafka "${_prefix}")
    endif()
  endforeach()
  if(_tailrace_rdkafka)
    pkg_check_modules(TAILRACE_rdkafka_needs REQUIRED QUIET IMPORTED_TARGET GLOBAL libsasl2 openssl libzstd liblz4 libcurl zlib)
    add_library(tailrace::deps::rdkafka STATIC IMPORTED)
    set_target_properties(tailrace::deps::rdkafka PROPERTIES
      IMPORTED_LOCATION "${_tailrace_rdkafka}/lib/librdkafka.a"
      INTERFACE_INCLUDE_DIRECTORIES "${_tailrace_rdkafka}/include")
    target_link_libraries(tailrace::deps::rdkafka INTERFACE
      PkgConfig::TAILRACE_rdkafka_needs Threads::Threads ${CMAKE_DL_LIBS} m)
    message(STATUS "librdkafka: ${_tailrace_rdkafka}")
  else()
    pkg_check_modules(TAILRACE_rdkafka QUIET IMPORTED_TARGET GLOBAL "rdkafka >= 2.3")
    if(TAILRACE_rdkafka_FOUND)
      _tailrace_dep(rdkafka PkgConfig::TAILRACE_rdkafka)
      message(STATUS "librdkafka: the system's ${TAILRACE_rdkafka_VERSION}")
    else()
      message(FATAL_ERROR "Tailrace needs librdkafka >= 2.3, neither on this system nor in ${_tailrace_cache}: "
                          "run tools/build-librdkafka (or './run build', which does).")
    endif()
  endif()
endif()

_tailrace_pkg(rocksdb "rocksdb >= 7.8" librocksdb-dev)
_tailrace_pkg(prometheus "prometheus-cpp-core >= 1.0" prometheus-cpp-dev)
_tailrace_pkg(xxhash "libxxhash >= 0.8" libxxhash-dev)
_tailrace_pkg(jemalloc "jemalloc >= 5" libjemalloc-dev)
_tailrace_pkg(zlib "zlib" zlib1g-dev)
_tailrace_pkg(utf8proc "libutf8proc >= 2.4" libutf8proc-dev)
_tailrace_pkg(curl "libcurl >= 7.85" libcurl4-openssl-dev)
_tailrace_pkg(openssl "openssl >= 3.0" libssl-dev)

# Optional: a pipeline's code steps. TAILRACE_HAVE_LUAJIT says whether the target exists.
pkg_check_modules(TAILRACE_luajit QUIET IMPORTED_TARGET GLOBAL "luajit >= 2.1")
set(TAILRACE_HAVE_LUAJIT ${TAILRACE_luajit_FOUND})
if(TAILRACE_HAVE_LUAJIT)
  _tailrace_dep(luajit PkgConfig::TAILRACE_luajit)
endif()

find_package(absl CONFIG REQUIRED)
_tailrace_dep(absl absl::status absl::statusor absl::strings absl::cord absl::synchronization absl::time absl::span)

find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers)
_tailrace_dep(boost Boost::headers Threads::Threads)

find_package(fmt CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
_tailrace_dep(spdlog spdlog::spdlog fmt::fmt)

find_package(simdjson CONFIG REQUIRED)
_tailrace_dep(simdjson simdjson::simdjson)

find_package(yaml-cpp CONFIG REQUIRED)
if(TARGET yaml-cpp::yaml-cpp)
  _tailrace_dep(yaml yaml-cpp::yaml-cpp)
else()
  _tailrace_dep(yaml yaml-cpp)
endif()

find_package(nlohmann_json CONFIG REQUIRED)
_tailrace_dep(json nlohmann_json::nlohmann_json)

find_package(CLI11 CONFIG REQUIRED)
_tailrace_dep(cli11 CLI11::CLI11)

find_package(Protobuf REQUIRED)
_tailrace_dep(protobuf protobuf::libprotobuf)
find_package(gRPC CONFIG REQUIRED)
_tailrace_dep(grpc gRPC::grpc++ gRPC::grpc++_reflection protobuf::libprotobuf)

if(TAILRACE_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
  _tailrace_dep(gtest GTest::gtest GTest::gmock)
  _tailrace_dep(gtest_main GTest::gtest_main GTest::gtest GTest::gmock)
endif()
if(TAILRACE_BUILD_BENCH)
  find_package(benchmark CONFIG REQUIRED)
  _tailrace_dep(benchmark benchmark::benchmark)
endif()
