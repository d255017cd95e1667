// Whether the steps of a pipeline can follow each other as they do, in each of its branches.
#pragma once

#include "spec/problems.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

// REQUIRES: every step of the file was read.
void CheckOrder(const PipelineSpec& pipeline, Problems& problems);

}  // namespace tailrace::pipeline::spec
