#include <set>

#include "test_cluster.h"

namespace tailrace::kafka {
namespace {

using base::Offset;
using base::Partition;
using base::Reaction;

class MembershipTest : public testing::Test {
 protected:
  void SetUp() override {
    cluster_ = ConnectToLocalBroker();
    group_ = UniqueName("members");
    MakeTopic(*cluster_, group_ + "-coordination", 1, {{"cleanup.policy", "compact"}});
    MakeTopic(*cluster_, group_ + "-input", 1);
  }

  std::unique_ptr<Membership> Seat(const std::string& instance, int session_timeout_ms = 10'000, int max_poll_interval_ms = 60'000) {
    MembershipOptions options;
    options.group = group_;
    options.coordination_topic = group_ + "-coordination";
    options.instance_id = instance;
    options.session_timeout_ms = session_timeout_ms;
    options.heartbeat_interval_ms = 300;
    options.max_poll_interval_ms = max_poll_interval_ms;
    auto membership = cluster_->NewMembership(options);
    EXPECT_TRUE(membership.ok()) << membership.status();
    return *std::move(membership);
  }

  std::vector<OffsetToCommit> Offsets(int64_t offset) const { return {{{group_ + "-input", Partition{0}}, Offset{offset}, "m"}}; }

  std::unique_ptr<Cluster> cluster_;
  std::string group_;
};

// The last event of each of two members once both have the same generation and nothing has happened for a while.
struct Settled {
  MembershipEvent a;
  MembershipEvent b;
};

Settled Settle(Membership& a, Membership& b, Settled settled) {
  const int64_t deadline = NowMs() + 2 * kTimeoutMs;
  int64_t quiet_since = NowMs();
  while (NowMs() < deadline && (NowMs() - quiet_since < 1'000 || settled.a.generation != settled.b.generation)) {
    for (auto [membership, last] : {std::pair{&a, &settled.a}, std::pair{&b, &settled.b}}) {
      auto event = membership->Poll(20);
      EXPECT_TRUE(event.ok()) << event.status();
      if (!event.ok() || !event->has_value()) continue;
      quiet_since = NowMs();
      if ((*event)->kind == MembershipEventKind::kJoined) *last = **event;
    }
  }
  return settled;
}

// Goal: of two members exactly one leads, both are listed with their instance ids, the generation is shared; a commit under
// the generation before is refused, a commit under the present one is not.
TEST_F(MembershipTest, TwoMembersHaveOneLeader) {
  auto a = Seat("a");
  const auto first = WaitFor(*a, MembershipEventKind::kJoined);
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->leader);
  const std::shared_ptr<const GroupMetadata> stale = a->CurrentGroupMetadata();

  auto b = Seat("b");
  const Settled settled = Settle(*a, *b, {*first, {}});
  EXPECT_NE(settled.a.leader, settled.b.leader);
  EXPECT_EQ(settled.a.generation, settled.b.generation);
  EXPECT_GT(settled.a.generation, first->generation);
  EXPECT_EQ(settled.a.member_id, first->member_id);

  auto members = a->LiveMembers(kTimeoutMs);
  ASSERT_TRUE(members.ok()) << members.status();
  std::set<std::pair<std::string, std::string>> seen;
  for (const GroupMember& member : *members) seen.emplace(member.member_id, member.instance_id);
  EXPECT_EQ(seen, (std::set<std::pair<std::string, std::string>>{{settled.a.member_id, "a"}, {settled.b.member_id, "b"}}));

  auto made = cluster_->NewProducer({.client_id = "p", .transactional_id = group_ + "-txn"});
  ASSERT_TRUE(made.ok());
  Producer& producer = **made;
  ASSERT_TRUE(producer.InitTransactions(kTimeoutMs).ok());
  ASSERT_TRUE(producer.BeginTransaction().ok());
  absl::Status status = producer.SendOffsets(Offsets(5), *stale);
  EXPECT_EQ(base::ReactionOf(status), Reaction::kAbortTransaction) << status;
  EXPECT_NE(status.ToString().find("generation " + std::to_string(first->generation)), std::string::npos) << status;
  status = producer.AbortTransaction();
  ASSERT_TRUE(status.ok()) << status;

  ASSERT_TRUE(producer.BeginTransaction().ok());
  status = producer.SendOffsets(Offsets(7), *b->CurrentGroupMetadata());
  ASSERT_TRUE(status.ok()) << status;
  status = producer.CommitTransaction();
  ASSERT_TRUE(status.ok()) << status;
  status = a->CommitOffsets(Offsets(9), kTimeoutMs);
  ASSERT_TRUE(status.ok()) << status;
  auto committed = b->Committed(std::vector<base::TopicPartition>{{group_ + "-input", Partition{0}}}, kTimeoutMs);
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ((*committed)[0].offset, Offset{9});
}

// Goal: a restart inside the session timeout keeps the generation, so nothing moves.
TEST_F(MembershipTest, AStaticMemberReturnsWithoutARebalance) {
  auto a = Seat("a");
  auto joined = WaitFor(*a, MembershipEventKind::kJoined);
  ASSERT_TRUE(joined.has_value());
  a.reset();
  a = Seat("a");
  const auto again = WaitFor(*a, MembershipEventKind::kJoined);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->generation, joined->generation);
  EXPECT_TRUE(again->leader);
}

// Goal: a member that is not polled loses its seat and is told so; polled again, it joins again.
TEST_F(MembershipTest, AMemberThatIsNotPolledIsLost) {
  auto a = Seat("a", 1'500, 2'000);
  ASSERT_TRUE(WaitFor(*a, MembershipEventKind::kJoined).has_value());
  auto b = Seat("b", 1'500, 60'000);
  // b joins and is polled; a is not, and so loses its place.
  const int64_t until = NowMs() + 4'000;
  while (NowMs() < until) ASSERT_TRUE(b->Poll(50).ok());
  const auto lost = WaitFor(*a, MembershipEventKind::kLost);
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(base::ReactionOf(lost->reason), Reaction::kTaskMigrated) << lost->reason;
  const absl::Status refused = a->CommitOffsets(Offsets(1), kTimeoutMs);
  EXPECT_EQ(base::ReactionOf(refused), Reaction::kTaskMigrated) << refused;
  Settled settled = Settle(*a, *b, {{}, {}});
  EXPECT_EQ(settled.a.generation, settled.b.generation);
  EXPECT_NE(settled.a.leader, settled.b.leader);
}

}  // namespace
}  // namespace tailrace::kafka
