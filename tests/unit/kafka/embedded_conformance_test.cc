#include <filesystem>

#include "cluster_conformance.h"
#include "temporary_directory.h"

namespace tailrace::kafka::conformance {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Embedded, ClusterConformance,
    testing::Values(ClusterCase{"in_memory", [] { return OpenInMemory(); }},
                    ClusterCase{"in_directory",
                                [] {
                                  // One directory per open: it is removed when the process ends.
                                  static std::vector<std::unique_ptr<TemporaryDirectory>> directories;
                                  directories.push_back(std::make_unique<TemporaryDirectory>());
                                  return OpenEmbedded(directories.back()->path() + "/log");
                                }}),
    [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace tailrace::kafka::conformance
