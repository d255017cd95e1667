#include "tailrace/processor/detail/foreign_key_bytes.h"

#include "tailrace/base/bytes.h"
#include "tailrace/base/murmur3.h"

namespace tailrace::processor::detail {
namespace {

constexpr uint8_t kNoHash = 0x80;
constexpr uint8_t kSubscriptionVersion = 1;
constexpr uint8_t kResponseVersion = 0;

void AppendHead(std::string& out, uint8_t version, const RowHash& hash) {
  out.push_back(static_cast<char>(hash.has_value() ? version : version | kNoHash));
}
void AppendHash(std::string& out, const RowHash& hash) {
  if (!hash.has_value()) return;
  base::AppendBigEndian(out, (*hash)[0]);
  base::AppendBigEndian(out, (*hash)[1]);
}
bool ConsumeHash(std::string_view& in, uint8_t head, RowHash& hash) {
  if ((head & kNoHash) != 0) return true;
  hash.emplace();
  return base::ConsumeBigEndian(in, (*hash)[0]) && base::ConsumeBigEndian(in, (*hash)[1]);
}

}  // namespace

RowHash HashOfRow(kafka::NullableBytes row) {
  if (row.is_null()) return std::nullopt;
  return base::Murmur3Hash128(row.view());
}

void AppendSubscription(std::string& out, const Subscription& subscription) {
  AppendHead(out, subscription.primary_partition.has_value() ? kSubscriptionVersion : uint8_t{0}, subscription.hash);
  out.push_back(static_cast<char>(subscription.instruction));
  AppendHash(out, subscription.hash);
  out.append(subscription.primary_key);
  if (subscription.primary_partition.has_value()) base::AppendBigEndian(out, *subscription.primary_partition);
}

std::optional<Subscription> ParseSubscription(std::string_view bytes) {
  Subscription subscription;
  uint8_t head = 0;
  uint8_t instruction = 0;
  if (!base::ConsumeBigEndian(bytes, head) || !base::ConsumeBigEndian(bytes, instruction) ||
      instruction > static_cast<uint8_t>(SubscriptionInstruction::kPropagateOnlyIfForeignValue) ||
      !ConsumeHash(bytes, head, subscription.hash))
    return std::nullopt;
  subscription.instruction = static_cast<SubscriptionInstruction>(instruction);
  const uint8_t version = head & static_cast<uint8_t>(~kNoHash);
  if (version > kSubscriptionVersion) return std::nullopt;
  if (version > 0) {
    if (bytes.size() < sizeof(int32_t)) return std::nullopt;
    subscription.primary_partition = base::LoadBigEndian<int32_t>(bytes.data() + bytes.size() - sizeof(int32_t));
    bytes.remove_suffix(sizeof(int32_t));
  }
  subscription.primary_key = bytes;
  return subscription;
}

void AppendForeignResponse(std::string& out, const ForeignResponse& response) {
  AppendHead(out, kResponseVersion, response.hash);
  AppendHash(out, response.hash);
  out.append(response.foreign_value.view());
}

std::optional<ForeignResponse> ParseForeignResponse(std::string_view bytes) {
  ForeignResponse response;
  uint8_t head = 0;
  if (!base::ConsumeBigEndian(bytes, head) || (head & static_cast<uint8_t>(~kNoHash)) != kResponseVersion ||
      !ConsumeHash(bytes, head, response.hash))
    return std::nullopt;
  if (!bytes.empty()) response.foreign_value = bytes;
  return response;
}

void AppendCombinedKey(std::string& out, std::string_view foreign_key, std::string_view primary_key) {
  base::AppendBigEndian(out, static_cast<int32_t>(foreign_key.size()));
  out.append(foreign_key);
  out.append(primary_key);
}

}  // namespace tailrace::processor::detail
