#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "input/sources.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::pipeline::input {
namespace {

// How long a cancellation may go unnoticed.
constexpr int kPollMs = 100;
constexpr long kConnectTimeoutMs = 10'000;
constexpr long kRedirectsMax = 5;

// https://user:secret@host/path without the part before the @.
std::string WithoutPassword(const std::string& url) {
  const size_t host = url.find("://") + 3;
  const size_t end = url.find_first_of("/?#", host);
  const size_t at = url.substr(0, end).rfind('@');
  return at == std::string::npos || at < host ? url : url.substr(0, host) + url.substr(at + 1);
}

// One GET. The transfer goes on only while somebody reads.
class UrlSource final : public ByteSource {
 public:
  UrlSource(const std::string& url, InputOptions options) : name_(WithoutPassword(url)), options_(std::move(options)) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    TAILRACE_CHECK(initialised == CURLE_OK, "libcurl works at all");
    easy_ = curl_easy_init();
    multi_ = curl_multi_init();
    TAILRACE_CHECK(easy_ != nullptr && multi_ != nullptr, "libcurl has memory");
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy_, CURLOPT_MAXREDIRS, kRedirectsMax);
    curl_easy_setopt(easy_, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_USERAGENT, "tailrace");
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, long{base::limits::kInputUrlStallSeconds});
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &UrlSource::OnBytes);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    TAILRACE_CHECK(curl_multi_add_handle(multi_, easy_) == CURLM_OK, "a new handle can be added");
  }
  UrlSource(const UrlSource&) = delete;
  UrlSource& operator=(const UrlSource&) = delete;
  ~UrlSource() override {
    curl_multi_remove_handle(multi_, easy_);
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    for (;;) {
      if (taken_ < arrived_.size()) {
        const size_t got = std::min(size, arrived_.size() - taken_);
        std::memcpy(buffer, arrived_.data() + taken_, got);
        taken_ += got;
        bytes_read_ += static_cast<int64_t>(got);
        return got;
      }
      arrived_.clear();
      taken_ = 0;
      if (done_) return 0;
      TAILRACE_RETURN_IF_ERROR(Transfer());
    }
  }
  const std::string& name() const override { return name_; }
  int64_t bytes_read() const override { return bytes_read_; }
  int64_t bytes_total() const override {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return std::max<int64_t>(length, 0);
  }

 private:
  static size_t OnBytes(char* bytes, size_t, size_t size, void* self) {
    auto& source = *static_cast<UrlSource*>(self);
    if (source.arrived_.size() >= base::limits::kInputUrlBufferBytesMax) {
      source.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    source.arrived_.insert(source.arrived_.end(), bytes, bytes + size);
    return size;
  }

  // Until something has arrived or the end.
  absl::Status Transfer() {
    if (std::exchange(paused_, false)) curl_easy_pause(easy_, CURLPAUSE_CONT);
    while (arrived_.empty()) {
      if (options_.cancelled && options_.cancelled()) return Failed(absl::StatusCode::kCancelled, "stopped while waiting for it");
      int running = 0;
      const CURLMcode code = curl_multi_perform(multi_, &running);
      if (code != CURLM_OK) return Failed(absl::StatusCode::kDataLoss, curl_multi_strerror(code));
      if (!arrived_.empty()) break;
      if (running == 0) return Finish();
      curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
    }
    return absl::OkStatus();
  }

  absl::Status Finish() {
    done_ = true;
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    TAILRACE_CHECK(message != nullptr && message->msg == CURLMSG_DONE, "a transfer that does not run has ended");
    const CURLcode result = message->data.result;
    if (result == CURLE_OK) return absl::OkStatus();
    const auto code = bytes_read_ == 0 ? absl::StatusCode::kNotFound : absl::StatusCode::kDataLoss;
    return Failed(code, error_[0] != '\0' ? error_ : curl_easy_strerror(result));
  }

  absl::Status Failed(absl::StatusCode code, std::string_view why) const {
    return base::Error(base::Reaction::kFatal, code,
                       absl::StrCat("cannot read ", bytes_read_ > 0 ? "on in " : "", name_, ": ", std::string(why)));
  }

  const std::string name_;
  const InputOptions options_;
  CURL* easy_ = nullptr;
  CURLM* multi_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  std::vector<char> arrived_;
  size_t taken_ = 0;
  bool paused_ = false;
  bool done_ = false;
  int64_t bytes_read_ = 0;
};

}  // namespace

bool IsUrl(const std::string& name) { return absl::StartsWithIgnoreCase(name, "http://") || absl::StartsWithIgnoreCase(name, "https://"); }

absl::StatusOr<std::unique_ptr<ByteSource>> OpenUrl(const std::string& url, InputOptions options) {
  return std::make_unique<UrlSource>(url, std::move(options));
}

}  // namespace tailrace::pipeline::input
