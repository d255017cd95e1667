// A serde whose type is forgotten, so that operators on tables are compiled once per key and value type.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tailrace/processor/serde.h"

namespace tailrace::processor::detail {

// How many bytes behind the key choose no partition: a windowed key goes where its key goes (WindowedStreamPartitioner).
template <class S>
size_t WindowBytes(const S& serde) {
  if constexpr (requires { S::kWindowBytes; }) return S::kWindowBytes;
  else if constexpr (requires { serde.window_bytes(); }) return serde.window_bytes();
  else return 0;
}

// A value: copies do not share the serde, since a serde need not be thread-safe. An empty one must not be called.
template <class T>
class AnySerde {
 public:
  AnySerde() = default;
  template <class S>
  static AnySerde Of(S serde) {
    if constexpr (std::is_same_v<S, AnySerde>) {
      return serde;
    } else {
      AnySerde any;
      any.serde_ = std::make_unique<Holder<S>>(std::move(serde));
      return any;
    }
  }
  AnySerde(const AnySerde& other) : serde_(other.serde_ == nullptr ? nullptr : other.serde_->Clone()) {}
  AnySerde& operator=(const AnySerde& other) {
    serde_ = other.serde_ == nullptr ? nullptr : other.serde_->Clone();
    return *this;
  }
  AnySerde(AnySerde&&) noexcept = default;
  AnySerde& operator=(AnySerde&&) noexcept = default;

  bool empty() const { return serde_ == nullptr; }
  std::string_view Serialize(const T& value, std::string& scratch) const { return serde_->Serialize(value, scratch); }
  bool Deserialize(std::string_view bytes, T& value) const { return serde_->Deserialize(bytes, value); }
  size_t window_bytes() const { return serde_->window_bytes(); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::unique_ptr<Interface> Clone() const = 0;
    virtual std::string_view Serialize(const T& value, std::string& scratch) const = 0;
    virtual bool Deserialize(std::string_view bytes, T& value) const = 0;
    virtual size_t window_bytes() const = 0;
  };
  template <class S>
  struct Holder final : Interface {
    explicit Holder(S s) : serde(std::move(s)) {}
    std::unique_ptr<Interface> Clone() const override { return std::make_unique<Holder>(serde); }
    std::string_view Serialize(const T& value, std::string& scratch) const override {
      return serde.Serialize(value, scratch);
    }
    bool Deserialize(std::string_view bytes, T& value) const override { return serde.Deserialize(bytes, value); }
    size_t window_bytes() const override { return WindowBytes(serde); }
    S serde;
  };
  std::unique_ptr<Interface> serde_;
};

template <class K>
inline constexpr bool kIsWindowed = false;
template <class K>
inline constexpr bool kIsWindowed<Windowed<K>> = true;
// Whether an operator without a serde for its keys asks the table that they come from: time windows and sessions have one type of
// key and different bytes.
template <class K, class KS>
inline constexpr bool kInheritsKeySerde = kIsWindowed<K> && std::is_same_v<KS, UseDefaultSerde>;

// What an operator uses: the serde that it was given, else the one that its input table has, else the default for T.
template <class S, class T>
AnySerde<T> SerdeOr(const S& given, const AnySerde<T>& inherited = {}) {
  if constexpr (std::is_same_v<S, UseDefaultSerde>) {
    return inherited.empty() ? AnySerde<T>::Of(DefaultSerde<T>{}) : inherited;
  } else {
    return AnySerde<T>::Of(ResolveSerde<S, T>::From(given));
  }
}

}  // namespace tailrace::processor::detail
