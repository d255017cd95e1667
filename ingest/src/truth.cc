#include "tailrace/ingest/truth.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"
#include "tailrace/ingest/cities.h"
#include "tailrace/base/json_text.h"
#include "tailrace/pipeline/timestamps.h"

namespace tailrace::ingest {

void Truth::Add(const GeneratedPost& post) {
  TAILRACE_CHECK(records_ < base::limits::kTruthRecordsMax, "the caller bounds the records whose truth is kept");
  ++records_;
  if (post.malformation != Malformation::kNone) {
    ++malformed_;
    return;
  }
  ++kinds_[static_cast<size_t>(post.kind)];
  if (post.late) ++late_;
  if (post.place_type != PlaceType::kCity) {
    ++without_city_;
    return;
  }
  CityWindow& window = windows_[{post.timestamp_ms - post.timestamp_ms % window_ms_, post.city}];
  ++window.posts;
  if (post.kind == PostKind::kRetweet) ++window.retweets;
  window.authors.insert(post.author);
}

void Truth::WriteJson(const SourceOptions& source, int64_t end_ms, std::ostream& out) const {
  out << "{\"seed\":" << source.seed << ",\"records\":" << records_ << ",\"start_ms\":" << source.start_ms
      << ",\"end_ms\":" << end_ms << ",\"window_ms\":" << window_ms_ << ",\"kinds\":{";
  for (int kind = 0; kind < kPostKindCount; ++kind)
    out << (kind > 0 ? "," : "") << '"' << PostKindName(static_cast<PostKind>(kind)) << "\":" << kinds_[static_cast<size_t>(kind)];
  out << "},\"late\":" << late_ << ",\"malformed\":" << malformed_ << ",\"without_city\":" << without_city_
      << ",\"windows\":[";

  // The map has the windows in order; within one, cities go by name.
  std::vector<std::pair<std::pair<int64_t, uint32_t>, const CityWindow*>> rows;
  for (const auto& [key, window] : windows_) rows.emplace_back(key, &window);
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    if (a.first.first != b.first.first) return a.first.first < b.first.first;
    return Cities()[a.first.second].full_name < Cities()[b.first.second].full_name;
  });
  std::string line;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& [key, window] = rows[i];
    line = i > 0 ? ",\n{\"city\":" : "\n{\"city\":";
    base::AppendJsonString(line, Cities()[key.second].full_name);
    absl::StrAppend(&line, ",\"window\":{\"start\":\"", pipeline::FormatTimestamp(key.first), "\",\"end\":\"",
                    pipeline::FormatTimestamp(key.first + window_ms_), "\"},\"posts\":", window->posts,
                    ",\"retweets\":", window->retweets, ",\"active_users\":", window->authors.size(), "}");
    out << line;
  }
  out << "\n]}\n";
}

absl::Status WriteTruth(const Truth& truth, const SourceOptions& source, int64_t end_ms, const std::string& file) {
  const std::string unfinished = file + ".part";
  const auto failed = [&] {
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss,
                       absl::StrCat("cannot write ", file, ": ", std::strerror(errno), "; check folder, permissions and space"));
  };
  std::ofstream out(unfinished, std::ios::trunc);
  if (!out) return failed();
  truth.WriteJson(source, end_ms, out);
  out.close();
  if (!out) return failed();
  std::error_code error;
  std::filesystem::rename(unfinished, file, error);
  if (error) {
    errno = error.value();
    return failed();
  }
  return absl::OkStatus();
}

}  // namespace tailrace::ingest
