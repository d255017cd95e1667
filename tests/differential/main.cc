// The oracle: generated topologies and records on Kafka Streams' TopologyTestDriver and on ours; everything they write and keep
// must be the same. README.md says what is compared and how to add an operator.
//
//   differential_test [--seeds A-B] [--only KIND,...] [--all]   cases of these seeds (or TAILRACE_TEST_SEEDS)
//   differential_test --canary --seeds A-B                       for a build with a deliberate mistake: 0 when it is noticed
//   differential_test --case FILE                               one case, with the difference and both transcripts
//   differential_test --print SEED                              the case of a seed
//
// Exit code 0: no difference; 1: differences, or seeds 1-2000 had an operator too rarely; 2: usage; 77: skipped, there is no Java.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "comparison.h"
#include "generator.h"
#include "jvm_peer.h"
#include "shrink.h"
#include "tailrace/base/log.h"
#include "twin.h"

namespace tailrace::differential {
namespace {

// Enough for a machine without a broker to notice most mistakes in about a minute; the whole range is asked for by --seeds.
constexpr char kDefaultSeeds[] = "1-500";
constexpr size_t kInFlight = 6;
constexpr int kShrinkRunsMax = 400;
// A run over these seeds must be about every operator often enough.
constexpr uint64_t kWholeRange = 2000;
constexpr int kHitsMin = 20;
constexpr int kShownMax = 3;  // differences that are shrunk and shown; --all shows every one

struct Options {
  uint64_t first_seed = 0;
  uint64_t last_seed = 0;
  bool default_seeds = false;
  bool canary = false;  // this build is wrong on purpose: finding a difference in what happens is success
  int shown_max = kShownMax;
  std::vector<std::string> only;  // kinds that the cases are about; empty: all take turns
  std::string case_file;
  std::optional<uint64_t> print_seed;
};

int Usage(const std::string& why) {
  std::cerr << "differential: " << why << "\nusage: differential [--seeds A-B] [--only KIND,...] [--all] | --case FILE | --print SEED\n";
  return 2;
}

bool ParseSeeds(const std::string& text, Options& options) {
  const std::vector<std::string> parts = absl::StrSplit(text, '-');
  return (parts.size() == 1 || parts.size() == 2) && absl::SimpleAtoi(parts.front(), &options.first_seed) &&
         absl::SimpleAtoi(parts.back(), &options.last_seed) && options.first_seed <= options.last_seed;
}

std::string FromEnvironment(const char* name, const std::string& otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

struct Differing {
  Case c;
  std::string about;
};

class Oracle {
 public:
  Oracle(const Options& options, JvmPeer& jvm) : options_(options), jvm_(jvm) {}

  absl::Status RunSeeds() {
    const auto start = std::chrono::steady_clock::now();
    std::deque<Case> in_flight;
    uint64_t next = options_.first_seed;
    const uint64_t count = options_.last_seed - options_.first_seed + 1;
    for (uint64_t done = 0; done < count; ++done) {
      for (; in_flight.size() < kInFlight && next <= options_.last_seed; ++next) {
        in_flight.push_back(Generate(grammar_, next, options_.only));
        if (absl::Status status = jvm_.Send(ToText(in_flight.back())); !status.ok()) return status;
      }
      const Case c = std::move(in_flight.front());
      in_flight.pop_front();
      const Transcript ours = RunTwin(grammar_, c);
      absl::StatusOr<Transcript> theirs = jvm_.Receive();
      if (!theirs.ok()) return theirs.status();
      Count(c, *theirs);
      if (!Same(*theirs, ours)) differing_.push_back({c, FirstDifference(*theirs, ours)});
      if (options_.canary && caught_canary()) {
        std::cout << "the mistake shows in seed " << c.seed << ":\n" << ShowDifference(*theirs, ours);
        return absl::OkStatus();
      }
      const auto elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      Progress(done + 1, count, elapsed);
    }
    std::cout << "\n";
    if (options_.canary) return absl::NotFoundError("no seed shows the deliberate mistake of this build");
    // What happens differs less often than what is called differently, and matters more.
    std::stable_partition(differing_.begin(), differing_.end(), [](const Differing& d) { return d.about != "topology"; });
    for (size_t i = 0; i < differing_.size() && i < static_cast<size_t>(options_.shown_max); ++i) {
      if (absl::Status status = ShrinkAndShow(differing_[i]); !status.ok()) return status;
    }
    PrintTable();
    return CheckHits();
  }

  absl::Status RunOne(const Case& c) {
    const Transcript ours = RunTwin(grammar_, c);
    absl::StatusOr<Transcript> theirs = AskJvm(c);
    if (!theirs.ok()) return theirs.status();
    std::cout << "== Kafka Streams\n";
    for (const std::string& line : *theirs) std::cout << line << "\n";
    std::cout << "== Tailrace\n";
    for (const std::string& line : ours) std::cout << line << "\n";
    std::cout << "== difference (J Kafka Streams, T Tailrace)\n" << ShowDifference(*theirs, ours);
    if (!Same(*theirs, ours)) differing_.push_back({c, FirstDifference(*theirs, ours)});
    return absl::OkStatus();
  }

  bool found_difference() const { return !differing_.empty(); }
  bool caught_canary() const {
    return !differing_.empty() && (differing_.back().about == "record" || differing_.back().about == "store");
  }

 private:
  absl::StatusOr<Transcript> AskJvm(const Case& c) {
    if (absl::Status status = jvm_.Send(ToText(c)); !status.ok()) return status;
    return jvm_.Receive();
  }

  void Count(const Case& c, const Transcript& theirs) {
    ++cases_;
    if (Failed(theirs)) {
      ++refused_[WhyOf(theirs).substr(0, 160)];
      return;
    }
    std::set<std::string> kinds;
    for (const Op& op : c.ops) kinds.insert(op.kind);
    for (const std::string& kind : kinds) ++hits_[kind];
  }

  void Progress(uint64_t done, uint64_t count, double elapsed_s) const {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    if (!terminal && done % 200 != 0 && done != count) return;
    std::cout << (terminal ? "\r" : "")
              << absl::StrFormat("%d of %d cases, %d differences, %.0f s", done, count, differing_.size(), elapsed_s)
              << (terminal ? "" : "\n") << std::flush;
  }

  absl::Status ShrinkAndShow(const Differing& differing) {
    const Case& original = differing.c;
    std::cout << "\n== seed " << original.seed << ": shrinking" << std::endl;
    absl::Status trouble;
    // A case that is refused by one side stays one, and a difference stays about the same thing.
    const auto about = [&](const Case& c) -> std::string {
      const Transcript ours = RunTwin(grammar_, c);
      const absl::StatusOr<Transcript> theirs = AskJvm(c);
      if (!theirs.ok()) {
        trouble = theirs.status();
        return "";
      }
      return FirstDifference(*theirs, ours);
    };
    const Case small = Shrink(grammar_, original, kShrinkRunsMax,
                              [&](const Case& c) { return trouble.ok() && about(c) == differing.about; });
    if (!trouble.ok()) return trouble;
    const Transcript ours = RunTwin(grammar_, small);
    absl::StatusOr<Transcript> theirs = AskJvm(small);
    if (!theirs.ok()) return theirs.status();
    std::cout << ToText(small) << "== difference of seed " << original.seed << " (J Kafka Streams, T Tailrace)\n"
              << ShowDifference(*theirs, ours) << std::endl;
    return absl::OkStatus();
  }

  absl::Status CheckHits() const {
    if (!options_.only.empty() || options_.first_seed > 1 || options_.last_seed < kWholeRange) return absl::OkStatus();
    std::string rare;
    for (const Kind& kind : grammar_.kinds())
      if (const auto hits = hits_.find(kind.name); hits == hits_.end() || hits->second < kHitsMin) absl::StrAppend(&rare, " ", kind.name);
    if (rare.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("fewer than ", kHitsMin, " cases had these operators:", rare));
  }

  void PrintTable() const {
    std::cout << "operator                          cases\n";
    for (const Kind& kind : grammar_.kinds()) {
      const auto hits = hits_.find(kind.name);
      std::cout << absl::StrFormat("%-32s %6d\n", kind.name, hits == hits_.end() ? 0 : hits->second);
    }
    for (const auto& [why, count] : refused_) std::cout << "refused by Kafka Streams: " << count << " x " << why << "\n";
    if (!differing_.empty()) {
      std::map<std::string, std::string> seeds;
      for (const Differing& d : differing_) absl::StrAppend(&seeds[d.about], " ", d.c.seed);
      for (const auto& [about, list] : seeds) std::cout << "seeds that differ in " << about << ":" << list << "\n";
    }
    std::cout << cases_ << " cases, " << differing_.size() << " differences\n";
  }

  const Options& options_;
  JvmPeer& jvm_;
  const Grammar& grammar_ = Grammar::Get();
  std::map<std::string, int> hits_;
  std::map<std::string, int> refused_;
  std::vector<Differing> differing_;
  uint64_t cases_ = 0;
};

int Main(int argc, char** argv) {
  base::ConfigureLog({.level = base::LogLevel::kError});  // cases have records to skip
  Options options;
  std::string seeds = FromEnvironment("TAILRACE_TEST_SEEDS", "");
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (argument == "--canary") {
      options.canary = true;
      continue;
    }
    if (argument == "--all") {
      options.shown_max = 1 << 20;
      continue;
    }
    if (value.empty()) return Usage("unknown or incomplete: " + argument);
    ++i;
    uint64_t seed = 0;
    if (argument == "--seeds") seeds = value;
    else if (argument == "--only") options.only = absl::StrSplit(value, ',');
    else if (argument == "--case") options.case_file = value;
    else if (argument == "--print" && absl::SimpleAtoi(value, &seed)) options.print_seed = seed;
    else return Usage("unknown: " + argument + " " + value);
  }
  options.default_seeds = seeds.empty();
  if (!ParseSeeds(options.default_seeds ? kDefaultSeeds : seeds, options)) return Usage("--seeds takes A-B, not " + seeds);
  for (const std::string& kind : options.only)
    if (Grammar::Get().Find(kind) == nullptr) return Usage("no operator is called " + kind);
  if (options.print_seed.has_value()) {
    std::cout << ToText(Generate(Grammar::Get(), *options.print_seed, options.only));
    return 0;
  }
  const std::string source = FromEnvironment("TAILRACE_SOURCE_DIR", ".");
  const std::string folder = FromEnvironment("TAILRACE_BINARY_DIR", "build/release") + "/differential";
  absl::StatusOr<std::unique_ptr<JvmPeer>> jvm = JvmPeer::Start(source, folder);
  if (!jvm.ok()) {
    std::cerr << "differential: " << jvm.status().message() << "\n";
    return absl::IsNotFound(jvm.status()) ? 77 : 1;
  }
  Oracle oracle(options, **jvm);
  absl::Status status;
  if (!options.case_file.empty()) {
    std::ifstream file(options.case_file);
    std::stringstream text;
    text << file.rdbuf();
    const absl::StatusOr<Case> c = ParseCase(text.str());
    if (!file || !c.ok()) return Usage(file ? std::string(c.status().message()) : "cannot read " + options.case_file);
    status = oracle.RunOne(*c);
  } else {
    std::cout << "seeds " << options.first_seed << "-" << options.last_seed
              << (options.default_seeds ? " (a small range; --seeds A-B takes any other)" : "") << std::endl;
    status = oracle.RunSeeds();
  }
  if (!status.ok()) {
    std::cerr << "differential: " << status.message() << "\n";
    return 1;
  }
  return oracle.found_difference() && !options.canary ? 1 : 0;
}

}  // namespace
}  // namespace tailrace::differential

int main(int argc, char** argv) { return tailrace::differential::Main(argc, argv); }
