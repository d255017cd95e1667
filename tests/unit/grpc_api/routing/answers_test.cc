// Goal: pages of several workers join without loss where one of them was cut short.
#include "routing/answers.h"

#include <gtest/gtest.h>

#include "common/page_token.h"
#include "common/wire.h"

namespace tailrace::grpc_api {
namespace {

v1::ScanResponse Page(std::vector<std::pair<int64_t, std::string>> rows, bool more) {
  v1::ScanResponse page;
  for (const auto& [start, key] : rows) {
    v1::Row* row = page.add_rows();
    row->set_key(key);
    SetTimestamp(row->mutable_window()->mutable_start(), start);
  }
  if (more) page.set_next_page_token("more");
  return page;
}
std::string Keys(const ScanAnswer& answer) {
  std::string keys;
  for (const QueryRow& row : answer.rows) keys += row.key;
  return keys;
}

TEST(MergePages, NothingIsTakenBeyondAPageThatWasCut) {
  std::vector<v1::ScanResponse> pages;
  pages.push_back(Page({{0, "a"}, {0, "d"}}, true));
  pages.push_back(Page({{0, "b"}, {0, "e"}, {5, "a"}}, false));
  const ScanAnswer answer = MergePages(std::move(pages), 10, "s", {});
  EXPECT_EQ(Keys(answer), "abd");
  const absl::StatusOr<PageToken> token = PageToken::Decode(answer.next_page_token);
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->key, "d");
}

TEST(MergePages, APageIsCutToItsSizeAndTheLastHasNoToken) {
  std::vector<v1::ScanResponse> pages;
  pages.push_back(Page({{0, "a"}, {5, "c"}}, false));
  pages.push_back(Page({{0, "b"}}, false));
  const ScanAnswer cut = MergePages(std::vector<v1::ScanResponse>(pages), 2, "s", {});
  EXPECT_EQ(Keys(cut), "ab");
  EXPECT_FALSE(cut.next_page_token.empty());
  const ScanAnswer whole = MergePages(std::move(pages), 3, "s", {});
  EXPECT_EQ(Keys(whole), "abc");
  EXPECT_TRUE(whole.next_page_token.empty());
}

TEST(MergeTops, BestOfAllWithTiesByKey) {
  const auto top = [](std::vector<std::pair<std::string, double>> entries) {
    v1::TopResponse response;
    for (const auto& [key, score] : entries) {
      response.add_entries()->set_key(key);
      response.mutable_entries(response.entries_size() - 1)->set_score(score);
    }
    return response;
  };
  std::vector<v1::TopResponse> tops = {top({{"c", 9}, {"d", 5}}), top({{"a", 5}, {"b", 1}})};
  const TopAnswer answer = MergeTops(std::move(tops), 3, false);
  ASSERT_EQ(answer.entries.size(), 3u);
  EXPECT_EQ(answer.entries[0].key + answer.entries[1].key + answer.entries[2].key, "cad");
}

}  // namespace
}  // namespace tailrace::grpc_api
