#include "http/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "http/url_text.h"
#include "tailrace/base/check.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/ingest_limits.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;

// How long a stop may go unnoticed.
constexpr int kPollMs = 100;

bool IsLoopback(const std::string& url) {
  const std::string_view host = std::string_view(url).substr(std::min(url.find("://") + 3, url.size()));
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

}  // namespace

std::optional<int64_t> HttpHead::Number(const std::string& header) const {
  const auto found = headers.find(header);
  int64_t number = 0;
  if (found == headers.end() || !absl::SimpleAtoi(found->second, &number)) return std::nullopt;
  return number;
}

class HttpClient::Transfer {
 public:
  Transfer(const HttpOptions& options, const HttpRequest& request, const StopSignal& stop, CURLM* multi)
      : what_(absl::StrCat(request.method.empty() ? "cannot read " : "cannot write to ", UrlForMessages(request.url))),
        body_(request.body),
        stall_timeout_ms_(options.stall_timeout_ms),
        stop_(stop),
        multi_(multi),
        easy_(curl_easy_init()) {
    TAILRACE_CHECK(easy_ != nullptr, "libcurl has memory");
    for (const std::string& header : options.headers) AddHeader(header);
    curl_easy_setopt(easy_, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_USERAGENT, "tailrace");
    curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::OnBytes);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    // A proxy of the environment is for servers elsewhere.
    if (IsLoopback(request.url)) curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    if (!options.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
    if (request.json) {
      AddHeader("Content-Type: application/json");
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.json->size()));
      curl_easy_setopt(easy_, CURLOPT_COPYPOSTFIELDS, request.json->c_str());
    }
    if (request.method == "PUT") Upload();
    else if (!request.method.empty()) curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    TAILRACE_CHECK(curl_multi_add_handle(multi_, easy_) == CURLM_OK, "a new handle can be added");
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    curl_multi_remove_handle(multi_, easy_);
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
  }

  // Called for every piece of the body, after the head is complete.
  std::function<absl::Status(std::string_view)> on_bytes;

  absl::Status Run() {
    const base::Clock& clock = base::SystemClock();
    moved_ms_ = clock.SteadyMs();
    for (;;) {
      int running = 0;
      const CURLMcode code = curl_multi_perform(multi_, &running);
      if (code != CURLM_OK) return Failed(absl::StatusCode::kUnavailable, curl_multi_strerror(code));
      if (!status_.ok()) return status_;
      if (running == 0) return Finish();
      if (stop_.requested()) return Failed(absl::StatusCode::kCancelled, "stopped");
      if (std::exchange(moved_, false)) moved_ms_ = clock.SteadyMs();
      else if (clock.SteadyMs() - moved_ms_ > stall_timeout_ms_)
        return Failed(absl::StatusCode::kDeadlineExceeded, absl::StrCat("nothing arrived for ", stall_timeout_ms_, " ms"));
      curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
    }
  }

  HttpHead TakeHead() {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    head_.status = static_cast<int>(status);
    return std::move(head_);
  }
  int status() const {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }
  const HttpHead& head() {
    head_.status = status();
    return head_;
  }
  absl::Status Failed(absl::StatusCode code, std::string_view why) const {
    return base::Error(Reaction::kRetry, code, absl::StrCat(what_, ": ", std::string(why)));
  }

 private:
  void AddHeader(const std::string& header) { headers_ = curl_slist_append(headers_, header.c_str()); }

  // Without asking for leave first, which servers without that answer would let wait.
  void Upload() {
    AddHeader("Content-Type: application/octet-stream");
    AddHeader("Expect:");
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body_.size()));
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Transfer::OnRead);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &Transfer::OnSeek);
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
  }
  static size_t OnRead(char* buffer, size_t, size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.moved_ = true;
    const size_t taken = transfer.body_.copy(buffer, size, transfer.sent_);
    transfer.sent_ += taken;
    return taken;
  }
  // A kept connection that the server has closed makes libcurl begin again on another one.
  static int OnSeek(void* self, curl_off_t offset, int origin) {
    if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<Transfer*>(self)->sent_ = static_cast<size_t>(offset);
    return CURL_SEEKFUNC_OK;
  }

  static size_t OnHeader(char* bytes, size_t, size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.moved_ = true;
    const std::string_view line(bytes, size);
    if (line.starts_with("HTTP/")) transfer.head_.headers.clear();
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      std::string value(line.substr(colon + 1));
      absl::StripAsciiWhitespace(&value);
      transfer.head_.headers[absl::AsciiStrToLower(std::string(line.substr(0, colon)))] = std::move(value);
    }
    return size;
  }
  static size_t OnBytes(char* bytes, size_t, size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.moved_ = true;
    transfer.status_ = transfer.on_bytes(std::string_view(bytes, size));
    return transfer.status_.ok() ? size : CURL_WRITEFUNC_ERROR;
  }

  absl::Status Finish() {
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    TAILRACE_CHECK(message != nullptr && message->msg == CURLMSG_DONE, "a transfer that does not run has ended");
    const CURLcode result = message->data.result;
    if (result == CURLE_OK) return absl::OkStatus();
    return Failed(absl::StatusCode::kUnavailable, error_[0] != '\0' ? error_ : curl_easy_strerror(result));
  }

  const std::string what_;
  const std::string_view body_;
  size_t sent_ = 0;
  const int stall_timeout_ms_;
  const StopSignal& stop_;
  CURLM* const multi_;
  CURL* const easy_;
  curl_slist* headers_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  HttpHead head_;
  bool moved_ = false;
  int64_t moved_ms_ = 0;
  absl::Status status_;
};

HttpClient::HttpClient(HttpOptions options, const StopSignal& stop) : options_(std::move(options)), stop_(stop) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  TAILRACE_CHECK(initialised == CURLE_OK, "libcurl works at all");
  multi_ = curl_multi_init();
  TAILRACE_CHECK(multi_ != nullptr, "libcurl has memory");
}

HttpClient::~HttpClient() { curl_multi_cleanup(static_cast<CURLM*>(multi_)); }

absl::StatusOr<HttpAnswer> HttpClient::Fetch(const HttpRequest& request) {
  Transfer transfer(options_, request, stop_, static_cast<CURLM*>(multi_));
  HttpAnswer answer;
  transfer.on_bytes = [&](std::string_view bytes) -> absl::Status {
    if (answer.body.size() + bytes.size() > base::limits::kSourceAnswerBytesMax)
      return transfer.Failed(absl::StatusCode::kResourceExhausted, absl::StrCat("the answer has more than ", base::limits::kSourceAnswerBytesMax, " bytes"));
    answer.body += bytes;
    return absl::OkStatus();
  };
  TAILRACE_RETURN_IF_ERROR(transfer.Run());
  static_cast<HttpHead&>(answer) = transfer.TakeHead();
  return answer;
}

absl::StatusOr<HttpHead> HttpClient::Stream(const HttpRequest& request, const std::function<void(const HttpHead&)>& on_head,
                                            const std::function<absl::Status(std::string_view)>& on_bytes) {
  constexpr int kOk = 200;
  Transfer transfer(options_, request, stop_, static_cast<CURLM*>(multi_));
  bool told = false;
  transfer.on_bytes = [&](std::string_view bytes) -> absl::Status {
    if (transfer.status() != kOk) return absl::OkStatus();
    if (!std::exchange(told, true)) on_head(transfer.head());
    return on_bytes(bytes);
  };
  TAILRACE_RETURN_IF_ERROR(transfer.Run());
  return transfer.TakeHead();
}

}  // namespace tailrace::ingest
