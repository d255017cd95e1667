// Files in HDFS over WebHDFS, the REST interface of name nodes and of HttpFS
// (hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html).
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "export/export_target.h"
#include "export/file_name.h"
#include "http/http_client.h"
#include "http/url_text.h"
#include "nlohmann/json.hpp"
#include "tailrace/base/log.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;
using nlohmann::json;

constexpr int kOk = 200, kCreated = 201, kRedirect = 307, kUnauthorized = 401, kForbidden = 403, kNotFound = 404, kTimeout = 408, kTooMany = 429,
              kServerErrors = 500;

struct WebHdfsAddress {
  std::vector<std::string> hosts;  // of name nodes, with their ports
  std::string user;
  std::string path;                // "/data", or empty for the root
};

// What a name node says in the body of an error.
struct RemoteError {
  std::string exception;
  std::string message;
};

RemoteError RemoteErrorOf(const std::string& body) {
  const json answer = json::parse(body, nullptr, false);
  const auto remote = answer.is_object() ? answer.find("RemoteException") : answer.end();
  if (!answer.is_object() || remote == answer.end() || !remote->is_object()) return {};
  const auto text = [&](const char* name) {
    const auto found = remote->find(name);
    return found != remote->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  std::string message = text("message");
  // Java's stack trace is of no help here.
  message.resize(std::min(message.find('\n'), message.size()));
  return {text("exception"), std::move(message)};
}

class WebHdfsTarget final : public ExportTarget {
 public:
  WebHdfsTarget(WebHdfsAddress address, bool tls, const std::string& ca_file, const StopSignal& stop)
      : address_(std::move(address)),
        scheme_(tls ? "https://" : "http://"),
        name_(tls ? "webhdfss://" : "webhdfs://"),
        client_(HttpOptions{.headers = {}, .ca_file = ca_file}, stop) {}

  absl::Status Prepare(const std::string& folder) override {
    TAILRACE_ASSIGN_OR_RETURN(const bool made, Boolean("PUT", "MKDIRS", folder, {}));
    if (made) return absl::OkStatus();
    return Fatal(absl::StatusCode::kFailedPrecondition, folder, "MKDIRS", "a file is in the way; move it, or export to another folder");
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override {
    TAILRACE_ASSIGN_OR_RETURN(const std::vector<Entry> entries, Entries(folder));
    std::vector<std::string> names;
    for (const Entry& entry : entries) names.push_back(entry.name);
    return names;
  }

  absl::Status Put(const std::string& folder, const std::string& name, std::string_view content) override {
    const std::string path = folder + "/" + name;
    const std::string temporary = folder + "/" + TemporaryName(name);
    TAILRACE_RETURN_IF_ERROR(Create(temporary, content));
    TAILRACE_ASSIGN_OR_RETURN(const bool renamed, Boolean("PUT", "RENAME", temporary, {{"destination", address_.path + "/" + path}}));
    if (renamed) return absl::OkStatus();
    // Nothing is renamed over a file that is there.
    TAILRACE_ASSIGN_OR_RETURN(const std::vector<Entry> entries, Entries(folder));
    for (const Entry& entry : entries) {
      if (entry.name != name) continue;
      if (entry.bytes == static_cast<int64_t>(content.size())) return Delete(folder, TemporaryName(name));
      return Fatal(absl::StatusCode::kFailedPrecondition, path, "RENAME",
                   "a file of this name is there with another size; move it away, and see that only one export of a topic writes to a folder");
    }
    return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable, absl::StrCat(Place(path), ": RENAME was refused without a reason"));
  }

  absl::Status Delete(const std::string& folder, const std::string& name) override { return Boolean("DELETE", "DELETE", folder + "/" + name, {}).status(); }

 private:
  struct Entry {
    std::string name;
    int64_t bytes = 0;
  };
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  std::string Place(const std::string& path) const { return absl::StrCat(name_, address_.hosts[active_], address_.path, "/", path); }

  std::string Url(const char* operation, const std::string& path, Parameters parameters) const {
    parameters.insert(parameters.begin(), {"op", operation});
    if (!address_.user.empty()) parameters.emplace_back("user.name", address_.user);
    std::string url = absl::StrCat(scheme_, address_.hosts[active_], "/webhdfs/v1");
    for (const auto part : absl::StrSplit(address_.path + "/" + path, '/', absl::SkipEmpty()))
      url += "/" + PercentEncoded(std::string_view(part.data(), part.size()));
    return url + QueryText(parameters);
  }

  absl::Status Fatal(absl::StatusCode code, const std::string& path, const char* operation, std::string_view why) const {
    return base::Error(Reaction::kFatal, code, absl::StrCat(Place(path), ": ", operation, ": ", std::string(why)));
  }

  // Of an answer that is not what was hoped for. Another attempt goes to the next name node.
  absl::Status Refused(const std::string& path, const char* operation, const HttpAnswer& answer) {
    const RemoteError remote = RemoteErrorOf(answer.body);
    std::string said = absl::StrCat(Place(path), ": ", operation, " was answered with ", answer.status);
    if (!remote.exception.empty()) absl::StrAppend(&said, " ", remote.exception, ": ", remote.message);
    if (answer.status == kUnauthorized)
      return base::Error(Reaction::kFatal, absl::StatusCode::kPermissionDenied,
                         said + "; it asks for a log-in, which an export does not have: export to a gateway (HttpFS) with simple authentication");
    const bool no_permission = remote.exception.empty() || remote.exception == "AccessControlException" ||
                               remote.exception == "AuthorizationException" || remote.exception == "SecurityException";
    if (answer.status == kForbidden && no_permission)
      return base::Error(Reaction::kFatal, absl::StatusCode::kPermissionDenied,
                         absl::StrCat(said, "; let ", address_.user.empty() ? "its default user" : "user " + address_.user,
                                      " write there, or name another one: ", name_, "USER@host"));
    if (remote.exception == "FileAlreadyExistsException" || remote.exception == "ParentNotDirectoryException")
      return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition, said + "; a file is in the way: move it, or export to another folder");
    // A standby, a safe mode, no room on any data node: all of them pass.
    if (answer.status == kForbidden || answer.status == kTimeout || answer.status == kTooMany || answer.status >= kServerErrors) {
      NextHost();
      return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable, said);
    }
    return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition, said + "; is WebHDFS at that address, and the path right?");
  }

  void NextHost() { active_ = (active_ + 1) % address_.hosts.size(); }

  absl::StatusOr<HttpAnswer> Ask(const HttpRequest& request) {
    auto answer = client_.Fetch(request);
    if (!answer.ok() && !absl::IsCancelled(answer.status())) NextHost();
    return answer;
  }

  absl::StatusOr<bool> Boolean(const char* method, const char* operation, const std::string& path, Parameters parameters) {
    TAILRACE_ASSIGN_OR_RETURN(const HttpAnswer answer, Ask({.url = Url(operation, path, std::move(parameters)), .json = {}, .method = method}));
    if (answer.status != kOk) return Refused(path, operation, answer);
    const json body = json::parse(answer.body, nullptr, false);
    const auto result = body.is_object() ? body.find("boolean") : body.end();
    if (!body.is_object() || result == body.end() || !result->is_boolean())
      return Fatal(absl::StatusCode::kFailedPrecondition, path, operation, "the answer is not WebHDFS's; is it at that address?");
    return result->get<bool>();
  }

  absl::StatusOr<std::vector<Entry>> Entries(const std::string& folder) {
    TAILRACE_ASSIGN_OR_RETURN(const HttpAnswer answer, Ask({.url = Url("LISTSTATUS", folder, {}), .json = {}}));
    if (answer.status == kNotFound && RemoteErrorOf(answer.body).exception == "FileNotFoundException") return std::vector<Entry>();
    if (answer.status != kOk) return Refused(folder, "LISTSTATUS", answer);
    std::vector<Entry> entries;
    const json body = json::parse(answer.body, nullptr, false);
    const json::json_pointer list("/FileStatuses/FileStatus");
    const auto understood = [&] {
      if (!body.is_object() || !body.contains(list) || !body.at(list).is_array()) return false;
      for (const json& one : body.at(list)) {
        const auto name = one.find("pathSuffix");
        const auto bytes = one.find("length");
        if (!one.is_object() || name == one.end() || !name->is_string() || bytes == one.end() || !bytes->is_number_integer()) return false;
        entries.push_back({name->get<std::string>(), bytes->get<int64_t>()});
      }
      return true;
    };
    if (!understood()) return Fatal(absl::StatusCode::kFailedPrecondition, folder, "LISTSTATUS", "the answer is not WebHDFS's; is it at that address?");
    return entries;
  }

  // The name node says which data node takes the bytes.
  absl::Status Create(const std::string& path, std::string_view content) {
    TAILRACE_ASSIGN_OR_RETURN(const HttpAnswer where, Ask({.url = Url("CREATE", path, {{"overwrite", "true"}}), .json = {}, .method = "PUT"}));
    const auto location = where.headers.find("location");
    if (where.status != kRedirect || location == where.headers.end()) return Refused(path, "CREATE", where);
    const std::string& url = location->second;
    if (!absl::StartsWithIgnoreCase(url, scheme_))
      return Fatal(absl::StatusCode::kFailedPrecondition, path, "CREATE",
                   absl::StrCat("the name node sends the bytes to ", UrlForMessages(url), ", but the target is ", name_,
                                "; use the scheme that the data nodes speak (dfs.http.policy)"));
    TAILRACE_ASSIGN_OR_RETURN(const HttpAnswer taken, client_.Fetch({.url = url, .json = {}, .method = "PUT", .body = content}));
    if (taken.status != kCreated && taken.status != kOk) return Refused(path, "CREATE at the data node", taken);
    return absl::OkStatus();
  }

  const WebHdfsAddress address_;
  const std::string scheme_;  // of requests
  const std::string name_;    // of the target
  HttpClient client_;
  size_t active_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExportTarget>> NewWebHdfsTarget(std::string_view address, bool tls, const std::string& ca_file,
                                                               const StopSignal& stop) {
  const size_t slash = std::min(address.find('/'), address.size());
  std::string_view authority = address.substr(0, slash);
  WebHdfsAddress parsed;
  for (const auto part : absl::StrSplit(absl::string_view(address.data() + slash, address.size() - slash), '/', absl::SkipEmpty()))
    absl::StrAppend(&parsed.path, "/", part);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parsed.user = std::string(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  const bool secret = parsed.user.find(':') != std::string::npos;
  for (const auto part : absl::StrSplit(absl::string_view(authority.data(), authority.size()), ',', absl::SkipEmpty())) {
    std::string host(part);
    const size_t colon = host.rfind(':');
    const bool port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
    if (!port) host += tls ? ":9871" : ":9870";  // Hadoop's own
    parsed.hosts.push_back(std::move(host));
  }
  if (parsed.hosts.empty() || secret)
    return base::UsageError(absl::StrCat("write webhdfs://[USER@]HOST[:PORT]/FOLDER, ", secret ? "without a password" : "with the host of a name node"));
  return std::make_unique<WebHdfsTarget>(std::move(parsed), tls, ca_file, stop);
}

}  // namespace tailrace::ingest
