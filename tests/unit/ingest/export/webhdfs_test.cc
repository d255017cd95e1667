// Exports over WebHDFS to a name node and a data node on this host that are written here from Hadoop's description of the protocol.
#include <sys/wait.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "export/export_target.h"
#include "export_support.h"
#include "scripted_server.h"
#include "spawn_case.h"

namespace tailrace::ingest {
namespace {

using nlohmann::json;
using testing_support::Peer;
using testing_support::ScriptedServer;

constexpr int32_t kPartitions = 2;
constexpr int kRecords = 200;
constexpr int64_t kSmallFile = 2'000;
constexpr const char* kTarget = "TAILRACE_TEST_EXPORT_TARGET";

std::string RemoteException(const std::string& exception, const std::string& message) {
  return json({{"RemoteException", {{"exception", exception}, {"javaClassName", "org.apache.hadoop." + exception}, {"message", message}}}}).dump();
}

// What was asked: "PUT", "CREATE", "/data/numbers/0/x", whether at the data node.
struct Call {
  std::string method;
  std::string operation;
  std::string path;
  std::string destination;
  std::string user;
  std::string body;
  bool data_node = false;
};

std::string Parameter(const std::string& query, const std::string& name) {
  for (const auto part : absl::StrSplit(absl::string_view(query), '&'))
    if (absl::StartsWith(part, name + "=")) {
      std::string value(part.substr(name.size() + 1));
      for (size_t at = 0; (at = value.find("%2F", at)) != std::string::npos;) value.replace(at, 3, "/");
      return value;
    }
  return "";
}

// Both kinds of nodes, with files in memory. An interception sees every call first and may answer it itself (true).
class Hdfs {
 public:
  using Interception = std::function<bool(Hdfs&, Peer&, const Call&)>;
  explicit Hdfs(Interception intercept = {}) : intercept_(std::move(intercept)), server_([this](Peer& peer, int) { Serve(peer); }) {}

  std::string target() const { return "webhdfs://etl@" + server_.address() + "/data"; }
  std::string address() const { return server_.address(); }

  // With every call answered as Hadoop does.
  bool Answer(Peer& peer, const Call& call) {
    if (call.data_node) {
      Store(call.path, call.body);
      return peer.Answer(201, "");
    }
    if (call.operation == "CREATE")
      return peer.Answer(307, "", absl::StrCat("Location: http://", server_.address(), "/webhdfs/v1", call.path, "?op=CREATE&user.name=", call.user,
                                               "&datanode=true\r\n"));
    if (call.operation == "MKDIRS") return Boolean(peer, true);
    if (call.operation == "RENAME") return Boolean(peer, Rename(call));
    if (call.operation == "DELETE") return Boolean(peer, Remove(call.path));
    if (call.operation == "LISTSTATUS") return List(peer, call.path);
    return peer.Answer(400, RemoteException("IllegalArgumentException", "unknown operation " + call.operation));
  }
  bool Rename(const Call& call) {
    std::lock_guard lock(mu_);
    const auto from = files_.find(call.path);
    if (from == files_.end() || files_.contains(call.destination)) return false;
    files_[call.destination] = from->second;
    files_.erase(call.path);
    return true;
  }
  void Store(const std::string& path, const std::string& content) {
    std::lock_guard lock(mu_);
    files_[path] = content;
  }
  std::map<std::string, std::string> files() const {
    std::lock_guard lock(mu_);
    return files_;
  }
  Numbers Rows() const {
    Numbers found;
    for (const auto& [path, content] : files()) {
      EXPECT_EQ(path.find("/."), std::string::npos) << path << " was left";
      AddRows(path, content, found);
    }
    return found;
  }

 private:
  static bool Boolean(Peer& peer, bool result) { return peer.Answer(200, json({{"boolean", result}}).dump()); }
  bool Remove(const std::string& path) {
    std::lock_guard lock(mu_);
    return files_.erase(path) > 0;
  }
  bool List(Peer& peer, const std::string& folder) {
    json entries = json::array();
    for (const auto& [path, content] : files())
      if (path.starts_with(folder + "/")) entries.push_back({{"pathSuffix", path.substr(folder.size() + 1)}, {"length", content.size()}, {"type", "FILE"}});
    if (entries.empty()) return peer.Answer(404, RemoteException("FileNotFoundException", "File " + folder + " does not exist."));
    return peer.Answer(200, json({{"FileStatuses", {{"FileStatus", entries}}}}).dump());
  }
  void Serve(Peer& peer) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      const size_t head = request.find("\r\n\r\n") + 4;
      const size_t first = request.find(' ') + 1;
      const std::string url = request.substr(first, request.find(' ', first) - first);
      const std::string query = url.substr(url.find('?') + 1);
      const std::string prefix = "/webhdfs/v1";
      EXPECT_TRUE(url.starts_with(prefix)) << url;
      Call call{.method = request.substr(0, first - 1),
                .operation = Parameter(query, "op"),
                .path = url.substr(prefix.size(), url.find('?') - prefix.size()),
                .destination = Parameter(query, "destination"),
                .user = Parameter(query, "user.name"),
                .body = request.substr(head),
                .data_node = !Parameter(query, "datanode").empty()};
      EXPECT_EQ(call.user, "etl") << url;
      EXPECT_EQ(call.method, call.operation == "LISTSTATUS" ? "GET" : call.operation == "DELETE" ? "DELETE" : "PUT");
      EXPECT_TRUE(call.data_node || call.body.empty()) << "the name node takes no content";
      if (intercept_ && intercept_(*this, peer, call)) return;  // and cut
      if (!Answer(peer, call)) return;
    }
  }

  const Interception intercept_;
  mutable std::mutex mu_;
  std::map<std::string, std::string> files_;  // guarded by mu_
  ScriptedServer server_;                     // last: its threads use the others
};

class WebHdfsTest : public ::testing::Test {
 protected:
  WebHdfsTest() { SendNumbers(*cluster_, "numbers", kPartitions, 0, kRecords, truth_); }
  absl::StatusOr<ExportSummary> Export(const std::string& target, bool gzip = false, int64_t give_up_ms = base::limits::kExportGiveUpMs) {
    return ExportTopic(*cluster_,
                       {.topic = "numbers", .target = target, .gzip = gzip, .file_bytes = kSmallFile, .retry_ms = 1, .give_up_ms = give_up_ms}, stop_);
  }

  const std::unique_ptr<kafka::Cluster> cluster_ = InMemory("numbers", kPartitions);
  Numbers truth_;
  const StopSignal stop_;
};

TEST_F(WebHdfsTest, FilesAreCreatedInTwoStepsAndRenamed) {
  std::atomic<int> created{0}, renamed{0};
  Hdfs hdfs([&](Hdfs&, Peer&, const Call& call) {
    if (call.operation == "CREATE" && !call.data_node) ++created;
    EXPECT_TRUE(call.operation != "CREATE" || call.path.find("/.tmp-") != std::string::npos) << call.path;
    if (call.operation == "RENAME") ++renamed;
    return false;
  });
  const auto summary = Export(hdfs.target(), true);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(hdfs.Rows(), truth_);
  EXPECT_EQ(created, summary->files);
  EXPECT_EQ(renamed, summary->files);
  for (const auto& [path, content] : hdfs.files()) EXPECT_TRUE(path.starts_with("/data/numbers/") && path.ends_with(".jsonl.gz")) << path;
  SendNumbers(*cluster_, "numbers", kPartitions, kRecords, 20, truth_);
  ASSERT_TRUE(Export(hdfs.target()).ok());
  EXPECT_EQ(hdfs.Rows(), truth_);
}

TEST_F(WebHdfsTest, ServersThatFailForNowAreAskedAgain) {
  // Every call fails three times in its own way before it works: an error, a standby, and a cut connection.
  std::mutex mu;
  std::map<std::string, int> attempts;
  Hdfs hdfs([&](Hdfs& self, Peer& peer, const Call& call) {
    int attempt = 0;
    {
      std::lock_guard lock(mu);
      attempt = attempts[call.operation + call.path + (call.data_node ? " at data node" : "")]++;
    }
    if (attempt == 0) return peer.Answer(500, "out of order"), true;
    if (attempt == 1) return peer.Answer(403, RemoteException("StandbyException", "Operation category READ is not supported in state standby")), true;
    if (attempt == 2) {
      if (call.data_node) self.Store(call.path, call.body.substr(0, call.body.size() / 2));
      return true;
    }
    return false;
  });
  const auto summary = Export(hdfs.target());
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(hdfs.Rows(), truth_);
}

TEST_F(WebHdfsTest, ALostAnswerToARenameMakesNoDouble) {
  std::atomic<int> lost{0};
  Hdfs hdfs([&](Hdfs& self, Peer&, const Call& call) {
    if (call.operation != "RENAME" || !self.Rename(call)) return false;
    ++lost;
    return true;  // it is renamed, and nobody says so
  });
  const auto summary = Export(hdfs.target());
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(lost, summary->files);
  EXPECT_EQ(hdfs.Rows(), truth_);
}

TEST_F(WebHdfsTest, AnotherNameNodeIsAskedWhenTheFirstIsAStandby) {
  std::atomic<int> asked{0};
  Hdfs standby([&](Hdfs&, Peer& peer, const Call&) {
    ++asked;
    return peer.Answer(403, RemoteException("StandbyException", "standby")), true;
  });
  Hdfs active;
  const auto summary = Export("webhdfs://etl@" + standby.address() + "," + active.address() + "/data");
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(active.Rows(), truth_);
}

TEST_F(WebHdfsTest, AMissingPermissionEndsAtOnceAndNamesUserAndPath) {
  std::atomic<int> refused{0};
  Hdfs hdfs([&](Hdfs&, Peer& peer, const Call& call) {
    if (call.operation != "CREATE") return false;
    ++refused;
    return peer.Answer(403, RemoteException("AccessControlException", "Permission denied: user=etl, access=WRITE\n\tat java")), true;
  });
  const auto summary = Export(hdfs.target());
  EXPECT_TRUE(absl::IsPermissionDenied(summary.status())) << summary.status();
  EXPECT_EQ(refused, 1);
  for (const char* const word : {"/data/numbers/0/", "user etl", "access=WRITE"})
    EXPECT_NE(summary.status().message().find(word), std::string::npos) << word << " in " << summary.status();
  EXPECT_EQ(summary.status().message().find("at java"), std::string::npos);
  EXPECT_TRUE(hdfs.files().empty());
}

TEST_F(WebHdfsTest, ATargetThatNeverWorksIsGivenUpWithItsReason) {
  Hdfs hdfs([](Hdfs&, Peer& peer, const Call& call) {
    if (call.operation != "CREATE" || !call.data_node) return false;
    return peer.Answer(500, RemoteException("IOException", "could only be written to 0 of the 1 minReplication nodes")), true;
  });
  const auto summary = Export(hdfs.target(), false, 20);
  EXPECT_TRUE(absl::IsUnavailable(summary.status())) << summary.status();
  EXPECT_NE(summary.status().message().find("minReplication"), std::string::npos) << summary.status();
  EXPECT_NE(summary.status().message().find("run the export again"), std::string::npos) << summary.status();
}

TEST_F(WebHdfsTest, AnotherServerThanWebHdfsIsSaid) {
  Hdfs hdfs([](Hdfs&, Peer& peer, const Call&) { return peer.Answer(200, "<html>"), true; });
  const auto summary = Export(hdfs.target());
  EXPECT_TRUE(absl::IsFailedPrecondition(summary.status())) << summary.status();
  EXPECT_NE(summary.status().message().find("not WebHDFS's"), std::string::npos) << summary.status();
}

// The process that is killed. Its topic has the same records as the parent's.
using WebHdfsTestChild = WebHdfsTest;
TEST_F(WebHdfsTestChild, DISABLED_Exports) {
  const auto summary = Export(std::getenv(kTarget));
  EXPECT_TRUE(summary.ok()) << summary.status();
}

TEST_F(WebHdfsTest, AnExportThatIsKilledAnywhereGoesOnWithoutLossOrDouble) {
  // The server kills the exporting process at a call of it, having done all that the call asks, or half of it, or nothing.
  constexpr int kDeadlyCalls[] = {4, 5, 6, 8, 10, 12, 5, 6};  // the first four make and list the folders
  std::atomic<pid_t> child{0};
  std::atomic<int> calls_left{-1};
  Hdfs hdfs([&](Hdfs& self, Peer&, const Call& call) {
    if (calls_left < 0 || calls_left-- != 0) return false;
    child.wait(0);
    if (call.data_node) self.Store(call.path, call.body.substr(0, call.body.size() / 2));
    if (call.operation == "RENAME") self.Rename(call);
    ::kill(child, SIGKILL);
    return true;
  });
  int leftovers = 0;
  for (const int deadly : kDeadlyCalls) {
    child = 0;
    calls_left = deadly;
    child = testing_support::SpawnCase("WebHdfsTestChild.*", kTarget, hdfs.target());
    child.notify_all();
    ASSERT_GT(child, 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "call " << deadly << " did not kill it";
    for (const auto& [path, content] : hdfs.files()) leftovers += path.find("/.tmp-") != std::string::npos ? 1 : 0;
  }
  const auto summary = Export(hdfs.target());
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_GT(leftovers, 0) << "no kill came in the middle of a file";
  EXPECT_EQ(hdfs.Rows(), truth_);
}

}  // namespace
}  // namespace tailrace::ingest
