// Writes the values of records to a file, a named pipe or standard output, one a line.
#pragma once

#include <memory>
#include <string>

#include "tailrace/ingest/record_sink.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {

// Errors: kNotFound or kDataLoss naming the file; kCancelled when stopped while a pipe has no reader or does not move.
// "-" is standard output.
absl::StatusOr<std::unique_ptr<RecordSink>> NewLineWriter(const std::string& file, const StopSignal& stop);

}  // namespace tailrace::ingest
