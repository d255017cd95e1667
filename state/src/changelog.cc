#include "tailrace/state/changelog.h"

#include "tailrace/base/bytes.h"

namespace tailrace::state {

void AppendWindowKey(std::string& out, std::string_view key, int64_t window_start_ms, int32_t sequence) {
  out.append(key);
  base::AppendBigEndian(out, window_start_ms);
  base::AppendBigEndian(out, sequence);
}

std::optional<WindowKey> ParseWindowKey(std::string_view bytes) {
  constexpr size_t kSuffix = sizeof(int64_t) + sizeof(int32_t);
  if (bytes.size() < kSuffix) return std::nullopt;
  WindowKey key;
  key.key = bytes.substr(0, bytes.size() - kSuffix);
  key.window_start_ms = base::LoadBigEndian<int64_t>(bytes.data() + key.key.size());
  key.sequence = base::LoadBigEndian<int32_t>(bytes.data() + key.key.size() + sizeof(int64_t));
  return key;
}

void AppendSessionKey(std::string& out, std::string_view key, int64_t start_ms, int64_t end_ms) {
  out.append(key);
  base::AppendBigEndian(out, end_ms);
  base::AppendBigEndian(out, start_ms);
}

std::optional<SessionKey> ParseSessionKey(std::string_view bytes) {
  constexpr size_t kSuffix = 2 * sizeof(int64_t);
  if (bytes.size() < kSuffix) return std::nullopt;
  SessionKey key;
  key.key = bytes.substr(0, bytes.size() - kSuffix);
  key.end_ms = base::LoadBigEndian<int64_t>(bytes.data() + key.key.size());
  key.start_ms = base::LoadBigEndian<int64_t>(bytes.data() + key.key.size() + sizeof(int64_t));
  return key;
}

}  // namespace tailrace::state
