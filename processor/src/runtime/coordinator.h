// The process's part in the group: membership, leadership, and which task may be opened by which stream thread when.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "runtime/coordination_log.h"
#include "runtime/runtime_context.h"
#include "runtime/stream_thread.h"

namespace tailrace::processor {

// One thread. Everything it decides follows from the group, the coordination log and LocalTasks.
class Coordinator {
 public:
  // What Streams wants to know; called on the coordinator's thread.
  struct Callbacks {
    std::function<void()> joined;
    std::function<void(bool all_running)> progress;  // whether this process does all that it should
    std::function<void(RoutingTable)> routing;
  };

  // All outlive the coordinator.
  Coordinator(RuntimeContext& context, std::vector<std::unique_ptr<StreamThread>>& threads, Restorer& restorer,
              std::unique_ptr<CoordinationLog> log, Callbacks callbacks);
  ~Coordinator();

  void Start();
  void Wake() { wake_.store(true); }
  // Ends the thread: no more grants, the membership is no longer polled.
  // Asks the thread to end; Stop waits until it has.
  void RequestStop();
  void Stop();
  // After Stop, when all tasks are closed: says so to the others, and leaves the group when asked to.
  void SayGoodbye(bool leave_group);

 private:
  enum class Closing { kNo, kComingBack, kLeaving };

  void Run();
  void Pause(int timeout_ms);
  absl::Status RecreateTopic(const absl::Status& why);
  absl::Status Tick();
  void GiveUpTasks();
  // After the group has fenced this instance: by another process with the same name, or by itself.
  absl::Status AfterFence();
  absl::Status HandleEvent(const kafka::MembershipEvent& event);
  // The leader's work: who is alive, who gets what.
  absl::Status Lead();
  // The follower's work: revoke what is no longer ours, open what is.
  absl::Status Follow();
  absl::Status OpenTasks(const std::set<base::TaskId>& wanted);
  void FollowStandbys();
  // The part of the process's cache that one task gets.
  size_t CacheShare() const;
  absl::Status Fence(const Holder& holder);
  absl::Status PublishMember(Closing closing);
  MemberRecord BuildMember(Closing closing) const;
  const AssignedMember* Assigned() const;  // what the newest assignment gives to this member id; null when nothing
  RoutingTable BuildRouting() const;
  bool ThreadsReady() const;
  bool ThreadStuck();
  void ReportProgress();

  RuntimeContext& context_;
  std::vector<std::unique_ptr<StreamThread>>& threads_;
  Restorer& restorer_;
  std::unique_ptr<CoordinationLog> log_;
  const Callbacks callbacks_;
  const std::vector<AssignableTask> tasks_;
  std::map<base::TaskId, int> weights_;
  std::thread thread_;
  absl::Mutex mu_;  // stop_ changes under it, so that a pause ends at once
  std::atomic<bool> stop_{false};
  std::atomic<bool> wake_{false};

  // The thread's own.
  std::shared_ptr<kafka::Membership> membership_;  // shared with calls of other threads in progress
  std::string member_id_;
  std::set<std::string> own_member_ids_;  // all that this process has had
  std::string found_member_id_;            // of the process that had this instance before
  int64_t fenced_at_ms_ = -1;
  absl::Status fenced_reason_;
  int32_t generation_ = -1;
  bool joined_ = false;
  bool leader_ = false;
  bool must_lead_ = false;       // something happened that may change the assignment
  bool settled_ = false;         // all that is assigned runs, nothing else is open
  bool elected_ = false;         // earlier leaders are fenced
  int64_t lead_again_ms_ = 0;
  int64_t rejoining_since_ms_ = -1;
  int64_t acted_epoch_ = 0;      // everything that this epoch takes away is closed
  std::map<base::TaskId, int> thread_of_;  // where tasks were placed last, open or not
  std::set<base::TaskId> revoking_;
  std::set<std::string> fenced_;  // member ids whose transactional ids this process has fenced
  MemberRecord published_;
  int64_t publish_again_ms_ = 0;
  RoutingTable routing_;
  std::set<std::string> odd_members_;
  std::string waiting_said_;
  base::LogEveryMs error_log_{5'000};
};

}  // namespace tailrace::processor
