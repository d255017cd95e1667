// Goal: no call of the library keeps its caller longer than said, whether a broker answers or not.
#include "rdkafka/bounded_call.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "rdkafka/membership.h"
#include "tailrace/base/clock.h"

namespace tailrace::kafka::rdkafka {
namespace {

// Far more than a busy machine needs, far less than what is waited for.
constexpr int kLongMs = 60'000;

TEST(BoundedCall, WaitsForACallThatReturns) {
  int effect = 0;
  EXPECT_TRUE(RunWithin(kLongMs, [&] { effect = 1; }));
  EXPECT_EQ(effect, 1);
}

TEST(BoundedCall, LeavesACallBehindWhichThenDestroysWhatItOwns) {
  struct Owned {
    ~Owned() { gone->Notify(); }
    absl::Notification* gone;
  };
  absl::Notification go;
  absl::Notification gone;
  auto owned = std::shared_ptr<Owned>(new Owned{&gone});
  EXPECT_FALSE(RunWithin(1, [&go, owned = std::exchange(owned, nullptr)] { go.WaitForNotification(); }));
  EXPECT_FALSE(gone.HasBeenNotified());
  go.Notify();
  EXPECT_TRUE(gone.WaitForNotificationWithTimeout(absl::Milliseconds(kLongMs)));
}

// A commit for which there is no coordinator waits in the client until the session is over.
class UnansweredCommit : public ::testing::Test {
 protected:
  void SetUp() override {
    RoleSettings roles;
    roles.consumer = {{"bootstrap.servers", "127.0.0.1:1"}};
    const MembershipOptions options{.group = "group", .coordination_topic = "coordination", .instance_id = "one",
                                    .session_timeout_ms = kLongMs};
    membership_ = *RdMembership::New(MembershipSettings(roles, options), options);
    const std::vector<OffsetToCommit> offsets = {{{"input", base::Partition(0)}, base::Offset(1), {}}};
    ASSERT_EQ(membership_->CommitOffsets(offsets, 10).code(), absl::StatusCode::kUnavailable);
    start_ms_ = base::SystemClock().SteadyMs();
  }
  int64_t TookMs() const { return base::SystemClock().SteadyMs() - start_ms_; }

  std::unique_ptr<RdMembership> membership_;
  int64_t start_ms_ = 0;
};

TEST_F(UnansweredCommit, DoesNotHoldUpTheEndOfTheMembership) {
  membership_.reset();
  EXPECT_LT(TookMs(), kLongMs / 2);
}

TEST_F(UnansweredCommit, DoesNotHoldUpLeaving) {
  EXPECT_EQ(membership_->Leave().code(), absl::StatusCode::kUnavailable);
  membership_.reset();
  EXPECT_LT(TookMs(), kLongMs / 2);
}

}  // namespace
}  // namespace tailrace::kafka::rdkafka
