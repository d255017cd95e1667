// Serdes beyond the plain types: UUIDs and lists, in the bytes of Kafka's own.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tailrace/base/bytes.h"
#include "tailrace/processor/serde.h"

namespace tailrace::processor {

struct Uuid {
  uint64_t high = 0;
  uint64_t low = 0;
  // "123e4567-e89b-12d3-a456-426614174000"
  std::string ToString() const;
  // The same form, in either case; nullopt for anything else.
  static std::optional<Uuid> Parse(std::string_view text);
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

// The text form, as Kafka's UUIDSerializer writes it.
struct UuidSerde {
  std::string_view Serialize(const Uuid& value, std::string& scratch) const {
    scratch = value.ToString();
    return scratch;
  }
  bool Deserialize(std::string_view bytes, Uuid& value) const {
    const std::optional<Uuid> parsed = Uuid::Parse(bytes);
    if (parsed.has_value()) value = *parsed;
    return parsed.has_value();
  }
};
template <>
struct DefaultSerde<Uuid> : UuidSerde {};

namespace detail {

// The bytes of Kafka's ListSerializer, on items that are already bytes; nullopt is a null item.
//   variable: 1 ‖ int32 n ‖ n x { int32 size (-1: null) ‖ bytes }
//   constant: 0 ‖ int32 number of nulls ‖ their int32 indexes ‖ int32 n ‖ the bytes of the others
class ListWriter {
 public:
  // `item_size` is that of every item, 0 when they differ. `out` is replaced; lives as long as the writer.
  ListWriter(std::string& out, size_t item_size, size_t count);
  void Add(std::optional<std::string_view> item);
  void Finish();

 private:
  std::string& out_;
  const size_t item_size_;
  const size_t count_;
  std::vector<int32_t> nulls_;
  int32_t added_ = 0;
};

// nullopt when `bytes` is no list of items of this size.
std::optional<std::vector<std::optional<std::string_view>>> ReadList(std::string_view bytes, size_t item_size);

// The size of an item whose bytes are always equally many; Kafka writes these without sizes.
template <class T>
inline constexpr size_t kListItemSize = 0;
template <>
inline constexpr size_t kListItemSize<int16_t> = 2;
template <>
inline constexpr size_t kListItemSize<int32_t> = 4;
template <>
inline constexpr size_t kListItemSize<int64_t> = 8;
template <>
inline constexpr size_t kListItemSize<float> = 4;
template <>
inline constexpr size_t kListItemSize<double> = 8;
template <>
inline constexpr size_t kListItemSize<Uuid> = 36;

}  // namespace detail

// Lists of T, or of std::optional<T> where items may be null (Serdes.ListSerde).
template <class T, class ItemSerde = DefaultSerde<T>>
struct ListSerde {
  ItemSerde item_serde{};

  std::string_view Serialize(const std::vector<T>& list, std::string& scratch) const { return Write(list, scratch); }
  std::string_view Serialize(const std::vector<std::optional<T>>& list, std::string& scratch) const {
    return Write(list, scratch);
  }
  // A null item is refused.
  bool Deserialize(std::string_view bytes, std::vector<T>& list) const {
    const auto items = detail::ReadList(bytes, detail::kListItemSize<T>);
    if (!items.has_value()) return false;
    list.assign(items->size(), T{});
    for (size_t i = 0; i < items->size(); ++i)
      if (!(*items)[i].has_value() || !item_serde.Deserialize(*(*items)[i], list[i])) return false;
    return true;
  }
  bool Deserialize(std::string_view bytes, std::vector<std::optional<T>>& list) const {
    const auto items = detail::ReadList(bytes, detail::kListItemSize<T>);
    if (!items.has_value()) return false;
    list.assign(items->size(), std::nullopt);
    for (size_t i = 0; i < items->size(); ++i)
      if ((*items)[i].has_value() && !item_serde.Deserialize(*(*items)[i], list[i].emplace())) return false;
    return true;
  }

 private:
  static const T* Item(const T& item) { return &item; }
  static const T* Item(const std::optional<T>& item) { return item.has_value() ? &*item : nullptr; }
  template <class List>
  std::string_view Write(const List& list, std::string& scratch) const {
    detail::ListWriter writer(scratch, detail::kListItemSize<T>, list.size());
    std::string item_scratch;
    for (const auto& entry : list) {
      const T* const item = Item(entry);
      if (item == nullptr) writer.Add(std::nullopt);
      else writer.Add(item_serde.Serialize(*item, item_scratch));
    }
    writer.Finish();
    return scratch;
  }
};
template <class T>
struct DefaultSerde<std::vector<T>> : ListSerde<T> {};
template <class T>
struct DefaultSerde<std::vector<std::optional<T>>> : ListSerde<T> {};

}  // namespace tailrace::processor
