// What a pipeline must fulfil beyond its grammar: fields exist and have fitting types, steps are in an order that works.
#pragma once

#include "spec/problems.h"
#include "tailrace/pipeline/event.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

// The order of steps is judged only when `all_steps_read`, so that one unreadable step does not cause a second message.
void CheckPipeline(const PipelineSpec& pipeline, bool all_steps_read, Problems& problems);

}  // namespace tailrace::pipeline::spec
