#include <array>

#include "absl/strings/str_cat.h"
#include "alias_table.h"
#include "event_clock.h"
#include "json_object.h"
#include "tailrace/base/random.h"
#include "tailrace/ingest/market_sources.h"
#include "tailrace/pipeline/timestamps.h"

namespace tailrace::ingest {
namespace {

constexpr int64_t kDayMs = 86'400'000;

struct Employer {
  std::string_view symbol, name, address, city, county, state, postal_code;
};
constexpr auto kEmployers = std::to_array<Employer>(
    {{"AAPL", "Apple Inc.", "1 Orchard Way", "Cupertino", "Santa Clara", "CA", "95014"},
     {"MSFT", "Microsoft Corporation", "1 Evergreen Road", "Redmond", "King", "WA", "98052"},
     {"AMZN", "Amazon.com Services LLC", "400 Lake Avenue", "Seattle", "King", "WA", "98109"},
     {"GOOGL", "Google LLC", "100 Creek Parkway", "Mountain View", "Santa Clara", "CA", "94043"},
     {"TSLA", "Tesla, Inc.", "1 Mesa Road", "Austin", "Travis", "TX", "78725"},
     {"META", "Meta Platforms, Inc.", "1 Bay Road", "Menlo Park", "San Mateo", "CA", "94025"}});

struct Job {
  std::string_view title, code;
  int64_t yearly_wage = 0;  // dollars, of level I
};
constexpr auto kJobs = std::to_array<Job>(
    {{"Software Engineer", "15-1252", 118'000}, {"Data Scientist", "15-2051", 121'000}, {"Hardware Engineer", "17-2061", 115'000},
     {"Product Manager", "11-2021", 129'000}, {"Business Analyst", "13-1111", 88'000}, {"Research Scientist", "15-1221", 140'000},
     {"Financial Analyst", "13-2051", 84'000}, {"Technical Writer", "27-3042", 76'000}});

class VisaSource : public RecordSource {
 public:
  explicit VisaSource(const SourceOptions& options)
      : random_(options.seed), clock_(options), jobs_(AliasTable::Zipf(kJobs.size())), employers_(AliasTable::Zipf(kEmployers.size())) {}

  const GeneratedRecord& Next() override {
    const Employer& employer = kEmployers[employers_.Draw(random_)];
    const Job& job = kJobs[jobs_.Draw(random_)];
    constexpr std::array<std::string_view, 4> kLevels = {"I", "II", "III", "IV"};
    const uint64_t level = random_.Below(kLevels.size());
    const bool hourly = random_.Chance(0.1);
    // Whole hundreds a year; by the hour in quarters of a dollar, 2,080 hours a year.
    const int64_t yearly = job.yearly_wage * static_cast<int64_t>(100 + 18 * level + random_.Below(12)) / 10'000 * 100;
    const double from = hourly ? static_cast<double>(yearly * 4 / 2'080) / 4 : static_cast<double>(yearly);
    const bool range = random_.Chance(0.6);

    record_.timestamp_ms = clock_.At(index_);
    const int64_t received_ms = record_.timestamp_ms - static_cast<int64_t>(7 + random_.Below(60)) * kDayMs;
    const std::string received = Date(received_ms);
    record_.key = job.title;
    JsonObject visa(record_.value);
    visa.Text("symbol", employer.symbol)
        .Text("company", employer.name)
        .Int("year", YearOf(received))
        .Int("quarter", (MonthOf(received) - 1) / 3 + 1)
        .Text("caseNumber", absl::StrCat("I-200-", 10'000'000 + index_))
        .Text("caseStatus", random_.Chance(0.93) ? "Certified" : "Withdrawn")
        .Text("visaClass", "H-1B")
        .Text("receivedDate", received)
        .Text("beginDate", Date(received_ms + 180 * kDayMs))
        .Text("endDate", Date(received_ms + (180 + 3 * 365) * kDayMs))
        .Text("jobTitle", job.title)
        .Text("socCode", job.code)
        .Text("employerName", employer.name)
        .Text("fullTimePosition", "Y")
        .Text("worksiteAddress", employer.address)
        .Text("worksiteCity", employer.city)
        .Text("worksiteCounty", employer.county)
        .Text("worksiteState", employer.state)
        .Text("worksitePostalCode", employer.postal_code)
        .Double("wageRangeFrom", from)
        .Double("wageRangeTo", range ? from * 1.25 : 0)
        .Text("wageUnitOfPay", hourly ? "Hour" : "Year")
        .Text("wageLevel", kLevels[level])
        .Text("h1bDependent", "N");
    visa.Close();
    ++index_;
    return record_;
  }

 private:
  static std::string Date(int64_t ms) { return pipeline::FormatTimestamp(ms - ms % kDayMs).substr(0, 10); }
  static int64_t YearOf(const std::string& date) { return std::stoi(date.substr(0, 4)); }
  static int64_t MonthOf(const std::string& date) { return std::stoi(date.substr(5, 2)); }

  base::Random random_;
  const EventClock clock_;
  const AliasTable jobs_;
  const AliasTable employers_;
  GeneratedRecord record_;
  int64_t index_ = 0;
};

}  // namespace

std::unique_ptr<RecordSource> NewVisaSource(const SourceOptions& options) { return std::make_unique<VisaSource>(options); }

}  // namespace tailrace::ingest
