// Names of exported files: the offsets that are in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tailrace/base/types.h"

namespace tailrace::ingest {

// Both included.
struct OffsetSpan {
  base::Offset first;
  base::Offset last;
};

// "00000000000000000000-00000000000000004095" and the suffix (".jsonl.gz"). 20 digits each, so that names sort as offsets do.
std::string ExportFileName(const OffsetSpan& span, std::string_view suffix);
// nullopt for a name that no export gave.
std::optional<OffsetSpan> ParseExportFileName(std::string_view name);

// The name under which a file is written before it is whole. Readers of folders on HDFS leave out names with a dot in front.
std::string TemporaryName(std::string_view name);
bool IsTemporaryName(std::string_view name);

}  // namespace tailrace::ingest
