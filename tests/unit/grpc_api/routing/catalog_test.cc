// Goal: of an application and its replays one answers: the newest that has caught up, and the next one when that has gone.
// Method: catalogs as rounds of the directory would make them, without workers.
#include <gtest/gtest.h>

#include "common/application_token.h"
#include "routing/application_directory.h"

namespace tailrace::grpc_api {
namespace {

class CatalogTest : public ::testing::Test {
 protected:
  void Set(const std::string& id, bool ready, bool caught_up, int rounds_unfit = 0, std::vector<std::string> stores = {"counts"}) {
    KnownApplication& application = catalog_.applications[id];
    application.id = id;
    application.ready = ready;
    application.caught_up = caught_up;
    application.stores = std::move(stores);
    application.rounds_unfit = rounds_unfit;
  }
  // One more round; returns "from>to" of what has changed.
  std::string Round() {
    std::string changes;
    for (const CutOver& change : catalog_.ChooseAnswering(std::exchange(last_, {}))) changes += change.from + ">" + change.to;
    last_ = catalog_.answering;
    return changes;
  }
  std::string HolderOf(const std::string& store = "counts") const {
    const KnownApplication* const holder = catalog_.Holder(store);
    return holder == nullptr ? "" : holder->id;
  }

  Catalog catalog_;
  std::map<std::string, std::string> last_;
};

TEST_F(CatalogTest, AReplayTakesOverWhenItHasCaughtUp) {
  Set("a", true, true);
  EXPECT_EQ(Round(), "");
  EXPECT_EQ(HolderOf(), "a");
  Set("a@1", true, false);
  EXPECT_EQ(Round(), "");
  EXPECT_EQ(HolderOf(), "a");
  EXPECT_TRUE(catalog_.IsReplaced("a@1"));
  Set("a@1", false, true);
  EXPECT_EQ(Round(), "") << "not ready";
  EXPECT_EQ(HolderOf(), "a");
  Set("a@1", true, true);
  EXPECT_EQ(Round(), "a>a@1");
  EXPECT_EQ(HolderOf(), "a@1");
  EXPECT_EQ(Round(), "");
  Set("a@2", true, true);
  Set("a@10", true, false);
  EXPECT_EQ(Round(), "a@1>a@2");
  Set("a@10", true, true);
  EXPECT_EQ(Round(), "a@2>a@10") << "by number, not by text";
  EXPECT_EQ(HolderOf(), "a@10");
}

TEST_F(CatalogTest, ItGoesBackWhenTheReplayIsGone) {
  Set("a", true, true);
  Set("a@1", true, true);
  Set("a@2", true, true);
  Round();
  EXPECT_EQ(HolderOf(), "a@2");
  Set("a@2", false, false, 1);
  EXPECT_EQ(Round(), "") << "a moment of moving is not the end";
  EXPECT_EQ(HolderOf(), "a@2");
  Set("a@2", false, false, 3);
  EXPECT_EQ(Round(), "a@2>a@1");
  catalog_.applications.erase("a@1");
  EXPECT_EQ(Round(), "a@1>a");
  EXPECT_EQ(HolderOf(), "a");
  // Nobody is left who could take over.
  Set("a", false, true, 9);
  catalog_.applications.erase("a@2");
  EXPECT_EQ(Round(), "");
  EXPECT_EQ(HolderOf(), "a");
}

TEST_F(CatalogTest, OneThatHasNotCaughtUpAnswersOnlyAlone) {
  Set("a@1", true, false);
  EXPECT_EQ(Round(), "");
  EXPECT_EQ(HolderOf(), "a@1");
  Set("a", true, true);
  EXPECT_EQ(Round(), "") << "what answers stays for some rounds";
  Set("a@1", true, false, 3);
  EXPECT_EQ(Round(), "a@1>a");
  // A store that only the replay has.
  Set("a@1", true, false, 3, {"counts", "new"});
  EXPECT_EQ(Round(), "");
  EXPECT_EQ(HolderOf("new"), "a@1");
  EXPECT_EQ(HolderOf("counts"), "a");
  EXPECT_EQ(HolderOf("none"), "");
}

TEST_F(CatalogTest, ApplicationsOfOtherNamesAreNotTouched) {
  Set("a", true, true);
  Set("b", true, true, 0, {"counts", "other"});
  Set("b@1", true, true, 0, {"counts", "other"});
  Round();
  EXPECT_EQ(HolderOf("counts"), "a");
  EXPECT_EQ(HolderOf("other"), "b@1");
}

TEST(ApplicationTokenTest, ATokenBelongsToItsApplication) {
  EXPECT_EQ(TokenOf("a", "abc"), "abc");
  EXPECT_EQ(TokenOf("a@12", "abc"), "abc.12");
  EXPECT_EQ(TokenOf("a@12", ""), "");
  for (const char* id : {"a", "a@1", "a@12"}) {
    EXPECT_FALSE(ReadToken(id, TokenOf(id, "abc")).foreign) << id;
    EXPECT_EQ(ReadToken(id, TokenOf(id, "abc")).token, "abc") << id;
    EXPECT_FALSE(ReadToken(id, "").foreign) << id;
  }
  EXPECT_TRUE(ReadToken("a@1", "abc").foreign);
  EXPECT_TRUE(ReadToken("a", "abc.1").foreign);
  EXPECT_TRUE(ReadToken("a@1", "abc.12").foreign);
  EXPECT_EQ(ReadToken("a@1", "abc.12").token, "abc");
}

}  // namespace
}  // namespace tailrace::grpc_api
