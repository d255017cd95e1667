// tailrace generate: seeded posts, trades, bars and visa applications, into a topic or a file.
#include "tailrace/ingest/generate.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "stoppable.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/ingest_limits.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/units.h"
#include "tailrace/ingest/line_writer.h"
#include "tailrace/ingest/market_sources.h"
#include "tailrace/ingest/post_source.h"
#include "tailrace/ingest/topic_writer.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/pipeline/timestamps.h"
#include "verb.h"

namespace tailrace::cli {
namespace {

constexpr int64_t kDefaultRate = 500;

struct GenerateVerb {
  ConfigOptions config;
  std::string kind;
  uint64_t seed = 1;
  int64_t rate = kDefaultRate;
  std::optional<int64_t> count;
  std::string start;
  std::string history;
  std::optional<bool> live;
  std::string window = "5m";
  ingest::PostOptions posts;
  std::string truth;
  std::string bootstrap;
  std::string topic;
  std::string output;
};

// The options after everything that follows from others was worked out.
struct Plan {
  ingest::SourceOptions source;
  std::optional<int64_t> count;
  bool live = false;
  int64_t history_ms = 0;
  int64_t window_ms = 0;
};

absl::StatusOr<int64_t> ParseStart(const std::string& text) {
  const std::optional<int64_t> ms = base::ParseInt(text) ? base::ParseInt(text) : pipeline::ParseTimestampMs(text);
  if (ms && *ms >= 0) return *ms;
  return base::UsageError(absl::StrCat("--start: ", text, " is neither RFC 3339 nor epoch milliseconds"));
}

absl::StatusOr<Plan> MakePlan(const GenerateVerb& verb) {
  Plan plan{.source = {.seed = verb.seed}, .count = verb.count, .live = verb.live.value_or(!verb.count)};
  if (!plan.live && !plan.count) return base::UsageError("--no-live needs --count: without both it would run into the future for ever");
  if (verb.rate == 0 && plan.live) return base::UsageError("--rate 0 means no pacing, so it needs --count and goes without --live");
  plan.source.rate = verb.rate == 0 ? kDefaultRate : verb.rate;
  const int64_t now_ms = base::SystemClock().WallMs();
  plan.source.start_ms = now_ms;
  if (!plan.live)
    plan.source.start_ms = now_ms - static_cast<int64_t>(static_cast<__int128>(*plan.count) * 1'000 / plan.source.rate);
  if (!verb.history.empty()) {
    const std::optional<int64_t> history_ms = base::ParseDurationMs(verb.history);
    if (!history_ms || *history_ms < 0 || *history_ms > base::limits::kGeneratedHistoryMsMax)
      return base::UsageError(absl::StrCat("--history: ", verb.history, " is no duration such as 1h, of at most 365d"));
    if (!plan.live) return base::UsageError("--history is what goes before live records, so it needs --live where --count is given");
    plan.history_ms = *history_ms;
    plan.source.start_ms = now_ms - *history_ms;
  }
  if (!verb.start.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(plan.source.start_ms, ParseStart(verb.start));
  }
  if (plan.source.start_ms < 0) return base::UsageError("so many records at this rate begin before 1970; a higher --rate helps");
  if (verb.truth.empty()) return plan;
  if (!plan.count || *plan.count > base::limits::kTruthRecordsMax)
    return base::UsageError(absl::StrCat("--truth is kept in memory, so it needs --count of at most ", base::limits::kTruthRecordsMax));
  const std::optional<int64_t> window_ms = base::ParseDurationMs(verb.window);
  if (!window_ms || *window_ms <= 0) return base::UsageError(absl::StrCat("--window: ", verb.window, " is no duration such as 5m"));
  plan.window_ms = *window_ms;
  return plan;
}

// Weekdays of bars that `count` records fill, so that few bars are of the newest days.
int64_t BarDays(const std::optional<int64_t>& count) {
  constexpr int64_t kYear = 260;
  constexpr int64_t kTickers = 12;
  return count ? std::clamp<int64_t>(*count / kTickers, 1, kYear) : kYear;
}

std::unique_ptr<ingest::RecordSource> NewMarketSource(const std::string& kind, const Plan& plan) {
  if (kind == "trades") return ingest::NewTradeSource(plan.source);
  if (kind == "bars") return ingest::NewBarSource(plan.source, BarDays(plan.count));
  return ingest::NewVisaSource(plan.source);
}

// Where the records go, and what has to live as long.
struct Target {
  std::unique_ptr<kafka::Cluster> cluster;
  std::unique_ptr<ingest::RecordSink> sink;
};

absl::StatusOr<Target> OpenTarget(const GenerateVerb& verb, const ingest::StopSignal& stop) {
  Target target;
  if (!verb.output.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(target.sink, ingest::NewLineWriter(verb.output, stop));
    return target;
  }
  TAILRACE_ASSIGN_OR_RETURN(const base::Config config, LoadWriterConfig(verb.config, verb.bootstrap, "generate", base::limits::kLogGiveUpMs,
                                                                        "--bootstrap host:port or --output FILE"));
  TAILRACE_ASSIGN_OR_RETURN(target.cluster, kafka::Open(config));
  TAILRACE_ASSIGN_OR_RETURN(target.sink, ingest::TopicWriter::Open(*target.cluster, {.topic = verb.topic.empty() ? verb.kind : verb.topic,
                                                                                     .client_id = "tailrace-generate"}, stop));
  return target;
}

void ShowProgress(const ingest::GenerateSummary& summary) {
  std::cerr << absl::StrFormat("\r%d records, %.0f/s ", summary.records, static_cast<double>(summary.records) / summary.seconds)
            << std::flush;
}

void ShowSummary(const ingest::GenerateSummary& summary) {
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.records) / summary.seconds : 0;
  std::cerr << absl::StrFormat("%d records (%d malformed, %d late) in %.1f s, %.0f records/s\n", summary.records, summary.malformed,
                               summary.late, summary.seconds, rate);
}

absl::Status Run(const GenerateVerb& verb, const ingest::StopSignal& stop) {
  TAILRACE_ASSIGN_OR_RETURN(const Plan plan, MakePlan(verb));
  std::unique_ptr<ingest::RecordSource> source;
  const ingest::PostSource* posts = nullptr;
  if (verb.kind == "posts") {
    ingest::PostOptions options = verb.posts;
    options.source = plan.source;
    TAILRACE_RETURN_IF_ERROR(ingest::CheckPostOptions(options));
    auto made = std::make_unique<ingest::PostSource>(options, verb.truth.empty() ? std::nullopt : std::optional(plan.window_ms));
    posts = made.get();
    source = std::move(made);
  } else {
    source = NewMarketSource(verb.kind, plan);
  }
  TAILRACE_ASSIGN_OR_RETURN(const Target target, OpenTarget(verb, stop));
  ingest::GenerateOptions options{.count = plan.count, .pace = plan.live ? plan.source.rate : 0, .history_ms = plan.history_ms};
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal) options.on_progress = ShowProgress;
  const auto summary = ingest::Generate(*source, *target.sink, options, stop);
  if (terminal) std::cerr << "\r\x1b[K";
  TAILRACE_RETURN_IF_ERROR(summary.status());
  ShowSummary(*summary);
  // The truth of what was sent, also when that is less than was asked for.
  if (!verb.truth.empty())
    TAILRACE_RETURN_IF_ERROR(ingest::WriteTruth(*posts->truth(), plan.source, posts->generator().NextEventMs(), verb.truth));
  if (summary->stopped && plan.count)
    return absl::CancelledError(absl::StrCat("stopped after ", summary->records, " of ", *plan.count, " records"));
  return absl::OkStatus();
}

void AddCommonOptions(CLI::App& verb, GenerateVerb& options) {
  AddConfigOptions(verb, options.config);
  verb.add_option("--seed", options.seed, "The same seed and times give the same records")->capture_default_str();
  verb.add_option("--rate", options.rate, "Records per second of event time; 0 with --count: 500, without pacing")
      ->check(CLI::Range(int64_t{0}, int64_t{100'000'000}))
      ->capture_default_str();
  verb.add_option("--count", options.count, "How many; without it until SIGTERM")->check(CLI::NonNegativeNumber);
  auto* const start = verb.add_option("--start", options.start,
                                      "Event time of the first record, RFC 3339 or epoch milliseconds; otherwise now, or such that the last is now");
  verb.add_option("--history", options.history, "Begin so long before now and send what is past as fast as possible, then live")->excludes(start);
  verb.add_flag_callback("--live", [&options] { options.live = true; },
                         "Send at the rate in real time, with event times of now; the default without --count");
  verb.add_flag_callback("--no-live", [&options] { options.live = false; }, "Send as fast as possible; the default with --count");
  auto* const bootstrap = verb.add_option("--bootstrap", options.bootstrap, "host:port of Kafka brokers");
  verb.add_option("--topic", options.topic, "Topic to write to; otherwise that of the kind's name");
  verb.add_option("--output", options.output, "File or named pipe for one value a line; - is standard output")->excludes(bootstrap);
}

void AddPostOptions(CLI::App& verb, GenerateVerb& options) {
  const auto share = CLI::Range(0.0, 1.0);
  verb.add_option("--late-rate", options.posts.late_rate, "Share of posts that come up to 5 minutes late")->check(share)->capture_default_str();
  verb.add_option("--malformed-rate", options.posts.malformed_rate, "Share of broken records")->check(share)->capture_default_str();
  verb.add_option("--cashtag-rate", options.posts.cashtag_rate, "Share of posts that mention shares ($AAPL)")->check(share)->capture_default_str();
  verb.add_option("--redeliver-rate", options.posts.redeliver_rate, "Share of records that are an earlier post once more, with other counters")
      ->check(share)
      ->capture_default_str();
  verb.add_option("--authors", options.posts.authors, "Size of the pool of authors")
      ->check(CLI::Range(int64_t{1}, base::limits::kGeneratedAuthorsMax))
      ->capture_default_str();
  verb.add_option("--truth", options.truth, "File for what the posts add up to, per city and window");
  verb.add_option("--window", options.window, "Size of the truth's windows")->capture_default_str();
}

}  // namespace

void AddGenerate(CLI::App& app, Action& action) {
  auto options = std::make_shared<GenerateVerb>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("generate", "Writes made-up records, the same for the same seed");
  verb->require_subcommand(1);
  const auto add = [&](const char* kind, const char* help) {
    CLI::App* const what = verb->add_subcommand(kind, help);
    AddCommonOptions(*what, *options);
    what->callback([options, kind = std::string(kind), &action] {
      options->kind = kind;
      action.run = [options]() -> absl::Status {
        ShutdownSignals signals;
        return RunStoppable(signals, [&](const ingest::StopSignal& stop) { return Run(*options, stop); });
      };
    });
    return what;
  };
  AddPostOptions(*add("posts", "Posts of social media from cities of the world"), *options);
  add("trades", "Ticks of shares and crypto currencies");
  add("bars", "Daily bars per ticker");
  add("visa", "Visa applications with their wages");
}

}  // namespace tailrace::cli
