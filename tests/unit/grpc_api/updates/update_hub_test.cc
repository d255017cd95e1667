// Goal: subscribers get every change once and in order, resume exactly where the ring reaches, are told of gaps where it
// does not, and are ended when they fall behind; memory stays bounded whatever they do.
#include "updates/update_hub.h"

#include <gtest/gtest.h>

#include <memory>

#include "common/error_info.h"

namespace tailrace::grpc_api {
namespace {

constexpr size_t kMany = 1'000;

base::TaskId Task(int32_t partition) { return {0, base::Partition(partition)}; }

UpdateRecord Change(int32_t partition, int64_t offset, std::string key) {
  UpdateRecord record;
  record.task = Task(partition);
  record.place.offset = offset;
  record.key = std::move(key);
  record.value = "v";
  return record;
}

std::vector<std::string> Keys(const UpdateHub::Batch& batch) {
  std::vector<std::string> keys;
  for (const auto& record : batch.updates) keys.push_back(record->key);
  return keys;
}
using Names = std::vector<std::string>;

class UpdateHubTest : public ::testing::Test {
 protected:
  std::shared_ptr<UpdateHub> hub_ = std::make_shared<UpdateHub>(8, 1 << 20);
  int wakes_ = 0;

  std::unique_ptr<UpdateHub::Subscriber> Subscribe(std::optional<ResumePosition> resume = std::nullopt) {
    return hub_->Subscribe(resume, [this] { ++wakes_; });
  }
};

TEST_F(UpdateHubTest, EverySubscriberGetsEveryChangeFromItsStartOn) {
  auto first = Subscribe();
  hub_->Publish(Change(0, 10, "a"));
  auto second = Subscribe();
  hub_->Publish(Change(0, 10, "b"));
  hub_->Publish(Change(1, 5, "c"));
  EXPECT_EQ(Keys(first->Take(kMany, kMany)), (Names{"a", "b", "c"}));
  EXPECT_EQ(Keys(second->Take(kMany, kMany)), (Names{"b", "c"}));
  EXPECT_TRUE(first->Take(kMany, kMany).empty());
}

TEST_F(UpdateHubTest, WakesOncePerWait) {
  auto subscriber = Subscribe();
  EXPECT_TRUE(subscriber->Take(kMany, kMany).empty());
  hub_->Publish(Change(0, 10, "a"));
  hub_->Publish(Change(0, 11, "b"));
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(subscriber->Take(kMany, kMany).updates.size(), 2u);
  hub_->Publish(Change(0, 12, "c"));
  EXPECT_EQ(wakes_, 1) << "it has not yet found the ring empty";
}

TEST_F(UpdateHubTest, ResumesInTheMiddleOfACommit) {
  hub_->SetBase(Task(0), 9);
  auto first = Subscribe();
  for (const char* key : {"a", "b", "c"}) hub_->Publish(Change(0, 10, key));
  EXPECT_EQ(Keys(first->Take(2, 1 << 20)), (Names{"a", "b"}));
  const ResumePosition position = first->position();
  first.reset();
  auto again = Subscribe(position);
  const UpdateHub::Batch batch = again->Take(kMany, 1 << 20);
  EXPECT_EQ(Keys(batch), Names{"c"});
  EXPECT_TRUE(batch.gaps.empty());
}

TEST_F(UpdateHubTest, APlaceIsKnownOfATaskThatCameAfterTheSubscriber) {
  auto first = Subscribe();
  hub_->Seed(Task(0), {9, 1});
  const ResumePosition position = first->position();
  EXPECT_EQ(position, (ResumePosition{{Task(0), {9, 1}}}));
  hub_->Publish(Change(0, 10, "a"));
  EXPECT_EQ(Keys(first->Take(kMany, kMany)), Names{"a"}) << "knowing the place passes over nothing";
  auto again = Subscribe(position);
  const UpdateHub::Batch batch = again->Take(kMany, kMany);
  EXPECT_EQ(Keys(batch), Names{"a"});
  EXPECT_TRUE(batch.gaps.empty());
}

TEST_F(UpdateHubTest, AGapIsNamedWhenTheRingNoLongerReachesBack) {
  hub_->SetBase(Task(0), 0);
  hub_->SetBase(Task(1), 0);
  const ResumePosition position = {{Task(0), {0, UpdatePlace::kWholeCommit}}, {Task(1), {0, UpdatePlace::kWholeCommit}}};
  for (int i = 1; i <= 20; ++i) hub_->Publish(Change(0, i, "k" + std::to_string(i)));
  hub_->Publish(Change(1, 1, "other"));
  auto again = Subscribe(position);
  const UpdateHub::Batch batch = again->Take(kMany, 1 << 20);
  EXPECT_EQ(batch.gaps, std::vector<base::TaskId>{Task(0)});
  EXPECT_EQ(Keys(batch), Names{"other"}) << "task 1 is whole";
}

TEST_F(UpdateHubTest, AGapIsNamedWhenTheHubHearsOfTheTaskAfterTheReader) {
  auto late = Subscribe(ResumePosition{{Task(0), {1, 1}}, {Task(1), {9, 1}}});
  EXPECT_TRUE(late->Take(kMany, kMany).empty());
  hub_->Seed(Task(0), {50, UpdatePlace::kWholeCommit});
  hub_->Seed(Task(1), {9, 1});
  EXPECT_EQ(wakes_, 1);
  EXPECT_EQ(late->Take(kMany, kMany).gaps, std::vector<base::TaskId>{Task(0)}) << "task 1 is whole";
  hub_->Publish(Change(0, 51, "a"));
  const UpdateHub::Batch batch = late->Take(kMany, kMany);
  EXPECT_EQ(Keys(batch), Names{"a"});
  EXPECT_TRUE(batch.gaps.empty());
}

TEST_F(UpdateHubTest, APlaceFromAnotherHistoryIsAGapAndNotSilence) {
  hub_->SetBase(Task(0), 5);
  auto again = Subscribe(ResumePosition{{Task(0), {900, 1}}});
  EXPECT_EQ(again->Take(kMany, kMany).gaps, std::vector<base::TaskId>{Task(0)});
  hub_->Publish(Change(0, 6, "a"));
  EXPECT_EQ(Keys(again->Take(kMany, kMany)), Names{"a"});
}

TEST_F(UpdateHubTest, SlowSubscriberIsEndedAndOthersAreNot) {
  auto slow = Subscribe();
  auto fast = Subscribe();
  for (int i = 1; i <= 9; ++i) {
    hub_->Publish(Change(0, i, "k"));
    EXPECT_EQ(fast->Take(kMany, kMany).updates.size(), 1u);
  }
  const UpdateHub::Batch batch = slow->Take(kMany, kMany);
  EXPECT_EQ(batch.ended.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(batch.ended), reason::kSlowSubscriber);
}

TEST_F(UpdateHubTest, TheRingIsBoundedInBytes) {
  hub_ = std::make_shared<UpdateHub>(1'000'000, 10'000);
  auto slow = Subscribe();
  for (int i = 1; i <= 10; ++i) hub_->Publish(Change(0, i, std::string(4'000, 'k')));
  EXPECT_FALSE(slow->Take(kMany, 1 << 20).ended.ok());
}

TEST_F(UpdateHubTest, WhatIsSentAgainIsDropped) {
  auto subscriber = Subscribe();
  UpdateRecord record = Change(0, 10, "a");
  record.place.index = 1;
  hub_->Publish(record);
  hub_->Publish(record);
  EXPECT_EQ(subscriber->Take(kMany, kMany).updates.size(), 1u);
}

TEST_F(UpdateHubTest, ATaskThatWasAwayComesBackWithAGap) {
  auto subscriber = Subscribe();
  hub_->Publish(Change(0, 10, "a"));
  hub_->Forget(Task(0));
  hub_->Publish(Change(0, 20, "b"));
  const UpdateHub::Batch first = subscriber->Take(kMany, kMany);
  EXPECT_EQ(Keys(first), Names{"a"});
  const UpdateHub::Batch second = subscriber->Take(kMany, kMany);
  EXPECT_EQ(second.gaps, std::vector<base::TaskId>{Task(0)});
  EXPECT_EQ(Keys(second), Names{"b"});
  EXPECT_EQ(Keys(subscriber->Take(kMany, kMany)), Names{});
  // And for one who resumes from before.
  auto again = Subscribe(ResumePosition{{Task(0), {10, 1}}});
  EXPECT_EQ(again->Take(kMany, kMany).gaps, std::vector<base::TaskId>{Task(0)});
}

TEST_F(UpdateHubTest, CloseEndsAfterWhatWasThere) {
  auto subscriber = Subscribe();
  hub_->Publish(Change(0, 10, "a"));
  hub_->Close(absl::UnavailableError("over"));
  hub_->Publish(Change(0, 11, "late"));
  EXPECT_EQ(Keys(subscriber->Take(kMany, kMany)), Names{"a"});
  EXPECT_EQ(subscriber->Take(kMany, kMany).ended.message(), "over");
}

}  // namespace
}  // namespace tailrace::grpc_api
