// From the messages of workers to the plain structs of query_client.h, and merging of several workers' answers.
#pragma once

#include <vector>

#include "tailrace/grpc_api/query_client.h"
#include "tailrace/v1/query.pb.h"

namespace tailrace::grpc_api {

StoreDescription DescriptionOf(const v1::Store& store, std::string application_id);
QueryRow RowOf(v1::Row&& row);
QuerySource SourceOf(const v1::AnswerSource& source);
v1::ReadOptions ReadOptionsOf(const CallOptions& options);

PointAnswer AnswerOf(v1::GetResponse&& response);
WindowsAnswer AnswerOf(v1::FetchWindowsResponse&& response);

// Pages of several workers in one, at most `page_size` rows. Behind the last row of a worker that has more, nothing of the
// others is taken: that worker may have rows in between.
ScanAnswer MergePages(std::vector<v1::ScanResponse>&& pages, size_t page_size, std::string_view store,
                      const WindowRange& range, std::string_view key_prefix = {});
TopAnswer MergeTops(std::vector<v1::TopResponse>&& tops, size_t n, bool ascending);

}  // namespace tailrace::grpc_api
