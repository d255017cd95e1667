#include "tailrace/ingest/connector.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "pipe/event_pipe.h"
#include "sources/finnhub_stream.h"
#include "sources/request_log.h"
#include "sources/rest.h"
#include "sources/x_stream.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/ingest_limits.h"
#include "tailrace/base/log.h"
#include "tailrace/base/nearest.h"
#include "tailrace/ingest/spilling_writer.h"
#include "tailrace/pipeline/byte_source.h"
#include "tailrace/pipeline/event_lines.h"

namespace tailrace::ingest {
namespace {

// Time that the log has, after a stop, for what is on disk.
constexpr int64_t kDrainMs = 4'000;
constexpr int kWaitMs = 200;

std::vector<std::string> ListOf(const base::Config& config, const char* key) {
  std::vector<std::string> items;
  for (const absl::string_view part : absl::StrSplit(config.String(key), ',')) {
    std::string item(part);
    absl::StripAsciiWhitespace(&item);
    if (!item.empty()) items.push_back(std::move(item));
  }
  return items;
}

// The token of a service: from its file, or from the environment; empty when there is neither. It is never logged.
absl::StatusOr<std::string> TokenOf(const base::Config& config, const char* file_key, const char* variable) {
  std::string token;
  if (const std::string file = config.String(file_key); !file.empty()) {
    std::ifstream in(file);
    if (!in || !std::getline(in, token)) return base::UsageError(absl::StrCat(file_key, ": cannot read a token from ", file));
  } else if (const char* value = std::getenv(variable); value != nullptr) {
    token = value;
  }
  absl::StripAsciiWhitespace(&token);
  if (std::any_of(token.begin(), token.end(), [](char c) { return !absl::ascii_isgraph(static_cast<unsigned char>(c)); }))
    return base::UsageError(absl::StrCat(file_key, " or ", variable, ": the token has blanks or control characters in it"));
  return token;
}

absl::StatusOr<std::string> RequiredToken(const base::Config& config, const char* file_key, const char* variable) {
  TAILRACE_ASSIGN_OR_RETURN(std::string token, TokenOf(config, file_key, variable));
  if (!token.empty()) return token;
  return base::UsageError(absl::StrCat("a token is needed: name its file as ", file_key, ", or set ", variable, " in the environment"));
}

// Waits at the bound instead of failing.
class PatientSink final : public RecordSink {
 public:
  PatientSink(SpillingWriter& writer, const StopSignal& stop) : writer_(writer), stop_(stop) {}
  absl::Status Write(kafka::NullableBytes key, std::string_view value, int64_t timestamp_ms) override {
    absl::Status status = writer_.Write(key, value, timestamp_ms);
    while (absl::IsResourceExhausted(status) && !stop_.requested()) {
      if (complain_.Pass()) base::LogWarning("ingest", "waiting for the log", {{"reason", status}});
      writer_.WaitForRoom(kWaitMs);
      status = writer_.Write(key, value, timestamp_ms);
    }
    return status;
  }
  absl::Status Idle() override { return writer_.Idle(); }
  absl::Status Finish() override { return writer_.Finish(); }

 private:
  SpillingWriter& writer_;
  const StopSignal& stop_;
  base::LogEveryMs complain_{10'000};
};

class Connector {
 public:
  Connector(kafka::Cluster& cluster, const base::Config& config, const ConnectorOptions& options, base::MetricsRegistry& metrics, const StopSignal& stop)
      : cluster_(cluster), config_(config), options_(options), metrics_(metrics), stop_(stop) {}

  absl::StatusOr<ConnectorSummary> Run() {
    TAILRACE_ASSIGN_OR_RETURN(places_, PlaceFilterFrom(config_));
    absl::Status status;
    if (options_.name == "x-stream") status = RunX();
    else if (options_.name == "finnhub-trades") status = RunTrades();
    else if (options_.name == "rest") status = RunRest();
    else if (options_.name == "files") status = RunFiles();
    else
      status = base::UsageError(absl::StrCat("no connector is called ", options_.name, "; there are ", absl::StrJoin(ConnectorNames(), ", "),
                                             base::DidYouMean(options_.name, std::vector<std::string_view>{"x-stream", "finnhub-trades", "rest", "files"})));
    // What was taken is brought to the log also when the source has failed.
    const absl::Status drained = Deliver(status.ok() && !stop_.requested());
    // All at once: each of them may have to end a question to a log that does not answer.
    for (const auto& writer : writers_) writer->StopSending();
    if (!absl::IsCancelled(status)) TAILRACE_RETURN_IF_ERROR(status);
    if (!drained.ok() && !absl::IsUnavailable(drained)) return drained;
    ConnectorSummary summary;
    std::vector<std::string> skipped;
    for (const auto& writer : writers_) {
      summary.records += writer->records();
      summary.refused += writer->refused();
      summary.kept += writer->pending_records();
    }
    for (const auto& pipe : pipes_)
      if (std::string text = pipe->DescribeSkipped(); !text.empty()) skipped.push_back(std::move(text));
    summary.skipped = absl::StrJoin(skipped, ", ");
    return summary;
  }

 private:
  absl::StatusOr<SpillingWriter*> Open(const std::string& topic) {
    if (stop_.requested()) return absl::CancelledError("stopped while it was opened");
    TAILRACE_ASSIGN_OR_RETURN(auto writer, SpillingWriter::Open(cluster_, {.directory = config_.String("spill.dir") + "/" + topic,
                                                                           .topic = topic,
                                                                           .bytes_max = config_.Bytes("spill.max.bytes"),
                                                                           .metrics = &metrics_}));
    // A connector that comes back to a full disk lets the log catch up before it asks for more.
    writer->WaitForRoom(static_cast<int>(kDrainMs));
    writers_.push_back(std::move(writer));
    return writers_.back().get();
  }

  // `patient`: at the bound it waits for the log, as a source may that keeps what is not read yet.
  absl::StatusOr<EventPipe*> Pipe(const std::string& format, const std::string& topic, const PlaceFilterOptions& places, size_t seen_posts, bool patient) {
    const EventPipeOptions options{.source = options_.name, .format = format, .places = places, .seen_posts = seen_posts, .metrics = &metrics_};
    TAILRACE_RETURN_IF_ERROR(EventPipe::Check(options));
    TAILRACE_ASSIGN_OR_RETURN(SpillingWriter* const writer, Open(topic));
    RecordSink* sink = writer;
    if (patient) sink = sinks_.emplace_back(std::make_unique<PatientSink>(*writer, stop_)).get();
    TAILRACE_ASSIGN_OR_RETURN(auto pipe, EventPipe::Make(options, *sink));
    pipes_.push_back(std::move(pipe));
    return pipes_.back().get();
  }

  // Until everything is in the log; when it is not patient, or after a stop, as far as it comes in kDrainMs. kUnavailable: not
  // everything is there.
  absl::Status Deliver(bool patient) {
    absl::Status first;
    std::optional<int64_t> end_ms;
    for (const auto& writer : writers_) {
      for (;;) {
        // From the stop on they share the time that is left.
        const int64_t now_ms = base::SystemClock().SteadyMs();
        if (!end_ms && (!patient || stop_.requested())) end_ms = now_ms + kDrainMs;
        const int64_t wait_ms = end_ms ? std::max<int64_t>(0, *end_ms - now_ms) : kWaitMs;
        const absl::Status status = writer->Drain(static_cast<int>(wait_ms));
        if (absl::IsUnavailable(status) && !end_ms) continue;
        first.Update(status);
        break;
      }
    }
    return first;
  }

  std::string TopicOr(const char* usual) const { return options_.topic.empty() ? usual : options_.topic; }

  absl::Status RunX() {
    XStreamOptions x{.url = config_.String("x.url"),
                     .token = {},
                     .rules = {},
                     .backfill_minutes = static_cast<int>(config_.Int("x.backfill.minutes")),
                     .stall_timeout_ms = static_cast<int>(config_.Ms("x.stall.timeout.ms")),
                     .ca_file = config_.String("ingest.tls.ca.file"),
                     .metrics = &metrics_};
    TAILRACE_ASSIGN_OR_RETURN(x.token, RequiredToken(config_, "x.token.file", "X_BEARER_TOKEN"));
    if (const std::string file = config_.String("x.rules.file"); !file.empty()) {
      TAILRACE_ASSIGN_OR_RETURN(x.rules, LoadXRules(file));
    }
    TAILRACE_ASSIGN_OR_RETURN(EventPipe* const pipe, Pipe("x-v2", TopicOr("posts"), places_, base::limits::kSeenPostsMax, false));
    return RunXStream(x, stop_, [&](std::string_view line) { return pipe->Take(line); });
  }

  absl::Status RunTrades() {
    FinnhubStreamOptions finnhub{.url = config_.String("finnhub.stream.url"),
                                 .token = {},
                                 .symbols = ListOf(config_, "finnhub.symbols"),
                                 .ca_file = config_.String("ingest.tls.ca.file"),
                                 .metrics = &metrics_};
    if (finnhub.symbols.empty() || finnhub.symbols.size() > base::limits::kSourceListMax)
      return base::UsageError(absl::StrCat("finnhub.symbols names 1 to ", base::limits::kSourceListMax, " symbols, such as AAPL,BINANCE:BTCUSDT"));
    TAILRACE_ASSIGN_OR_RETURN(finnhub.token, RequiredToken(config_, "finnhub.token.file", "FINNHUB_TOKEN"));
    TAILRACE_ASSIGN_OR_RETURN(EventPipe* const pipe, Pipe("finnhub-trades", TopicOr("trades"), places_, 0, false));
    return RunFinnhubStream(finnhub, stop_, [&](std::string_view frame) { return pipe->Take(frame); });
  }

  absl::Status RunRest() {
    if (!options_.topic.empty()) return base::UsageError("rest writes to posts, bars, visa, news and requests; it takes no other topic");
    TAILRACE_ASSIGN_OR_RETURN(const std::string x_token, TokenOf(config_, "x.token.file", "X_BEARER_TOKEN"));
    TAILRACE_ASSIGN_OR_RETURN(const std::string finnhub_token, TokenOf(config_, "finnhub.token.file", "FINNHUB_TOKEN"));
    if (x_token.empty() && finnhub_token.empty())
      return base::UsageError("rest needs a token: x.token.file or X_BEARER_TOKEN, finnhub.token.file or FINNHUB_TOKEN");
    const std::string ca_file = config_.String("ingest.tls.ca.file");
    Polls x(config_.String("x.url"), {.headers = {"Authorization: Bearer " + x_token}, .ca_file = ca_file}, {}, stop_);
    Polls finnhub(config_.String("finnhub.url"), {.headers = {"X-Finnhub-Token: " + finnhub_token}, .ca_file = ca_file}, {}, stop_);
    constexpr int64_t kDayMs = 86'400'000;
    const RestOptions rest{.users = ListOf(config_, "rest.users"),
                           .tickers = ListOf(config_, "rest.tickers"),
                           .history_ms = config_.Int("rest.history.days") * kDayMs,
                           .overlap_ms = config_.Int("rest.overlap.days") * kDayMs,
                           .users_interval_ms = config_.Ms("rest.users.interval.ms"),
                           .tickers_interval_ms = config_.Ms("rest.tickers.interval.ms"),
                           .visa_interval_ms = config_.Ms("rest.visa.interval.ms"),
                           .news_interval_ms = config_.Ms("rest.news.interval.ms"),
                           .news_category = config_.String("rest.news.category")};
    // Whole users and tickers are shared out here, not single records.
    PlaceFilterOptions all = places_;
    all.shard = 0;
    all.shards = 1;
    PlaceFilterOptions anything;
    TAILRACE_ASSIGN_OR_RETURN(EventPipe* const posts, Pipe("x-v2", "posts", all, 0, true));
    TAILRACE_ASSIGN_OR_RETURN(EventPipe* const bars, Pipe("bar", "bars", anything, 0, true));
    TAILRACE_ASSIGN_OR_RETURN(EventPipe* const visa, Pipe("visa", "visa", anything, 0, true));
    TAILRACE_ASSIGN_OR_RETURN(EventPipe* const news, Pipe("news", "news", anything, 0, true));
    TAILRACE_ASSIGN_OR_RETURN(SpillingWriter* const written_requests, Open("requests"));
    RequestLog requests(cluster_, "requests", *written_requests, base::SystemClock());
    PlaceFilterOptions share = places_;
    share.shard_by_country = false;
    const PlaceFilter filter(share);
    RestRunner runner(rest, x_token.empty() ? nullptr : &x, finnhub_token.empty() ? nullptr : &finnhub,
                      {.posts = *posts,
                       .bars = *bars,
                       .visa = *visa,
                       .news = *news,
                       .deliver = [this] { return Deliver(true); },
                       .is_mine = [&](const std::string& key) { return filter.IsMine(key, ""); }},
                      requests, base::SystemClock(), stop_);
    return runner.Run();
  }

  absl::Status RunFiles() {
    if (options_.inputs.empty()) return base::UsageError("files needs --input: files, folders or URLs");
    const pipeline::Format* const format = pipeline::FindFormat(options_.format);
    std::string topic = options_.topic;
    if (topic.empty() && format != nullptr) {
      const auto canonical = pipeline::CanonicalWriter::For(*format);
      if (canonical) topic = UsualTopic(canonical->format().name());
    }
    TAILRACE_ASSIGN_OR_RETURN(const std::vector<std::string> names, pipeline::ExpandInputs(options_.inputs));
    TAILRACE_ASSIGN_OR_RETURN(EventPipe* const pipe, Pipe(options_.format, topic, places_, 0, true));
    for (const std::string& name : names) {
      TAILRACE_ASSIGN_OR_RETURN(auto source, pipeline::OpenInput(name, {.cancelled = [this] { return stop_.requested(); }}));
      pipeline::EventLines lines(pipeline::LineReader(std::move(source)), *format);
      std::string_view piece;
      while (!stop_.requested()) {
        const auto more = lines.Next(piece);
        if (absl::IsCancelled(more.status())) break;
        TAILRACE_RETURN_IF_ERROR(more.status());
        if (!*more) break;
        TAILRACE_RETURN_IF_ERROR(pipe->Take(piece));
      }
    }
    return absl::OkStatus();
  }

  static std::string UsualTopic(std::string_view canonical) {
    if (canonical == "post") return "posts";
    if (canonical == "trade") return "trades";
    if (canonical == "bar") return "bars";
    return std::string(canonical);
  }

  kafka::Cluster& cluster_;
  const base::Config& config_;
  const ConnectorOptions& options_;
  base::MetricsRegistry& metrics_;
  const StopSignal& stop_;
  PlaceFilterOptions places_;
  std::vector<std::unique_ptr<SpillingWriter>> writers_;
  std::vector<std::unique_ptr<PatientSink>> sinks_;
  std::vector<std::unique_ptr<EventPipe>> pipes_;
};

}  // namespace

std::vector<std::string> ConnectorNames() { return {"x-stream", "finnhub-trades", "rest", "files"}; }

std::string DescribeConnector(const ConnectorSummary& summary) {
  std::string text = absl::StrCat(summary.records, " records");
  if (!summary.skipped.empty()) absl::StrAppend(&text, "; skipped: ", summary.skipped);
  if (summary.refused > 0) absl::StrAppend(&text, "; too large for the log: ", summary.refused);
  if (summary.kept > 0) absl::StrAppend(&text, "; kept on disk for the next start: ", summary.kept);
  return text + "\n";
}

absl::StatusOr<ConnectorSummary> RunConnector(kafka::Cluster& cluster, const base::Config& config, const ConnectorOptions& options,
                                              base::MetricsRegistry& metrics, const StopSignal& stop) {
  return Connector(cluster, config, options, metrics, stop).Run();
}

}  // namespace tailrace::ingest
