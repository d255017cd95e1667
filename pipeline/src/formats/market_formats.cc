// trade, bar, visa and news: each is a table of the fields of product events, found under their own names.
#include <array>

#include "formats/builtin.h"
#include "formats/path_format.h"

namespace tailrace::pipeline::formats {
namespace {

std::span<const PathField> TradePaths() {
  static const auto fields = std::to_array<PathField>({
      Required(TextField("symbol")),
      Required(DoubleField("price", Bound::kPositive)),
      Required(DoubleField("volume", Bound::kNotNegative)),
      Required(TimestampField("ts")),
      TextListField("conditions"),
      TextField("type"),
      IntField("seq"),
      TimestampField("received_at"),
  });
  return fields;
}

std::span<const PathField> BarPaths() {
  static const auto fields = std::to_array<PathField>({
      Required(TextField("ticker")),
      Required(TimestampField("date", Conversion::kDate)),
      Required(DoubleField("open", Bound::kPositive)),
      Required(DoubleField("high", Bound::kPositive)),
      Required(DoubleField("low", Bound::kPositive)),
      Required(DoubleField("close", Bound::kPositive)),
      Required(IntField("volume", Bound::kNotNegative)),
      DoubleField("received"),
  });
  return fields;
}

std::span<const PathField> VisaPaths() {
  static const auto fields = std::to_array<PathField>({
      TextField("symbol"),
      TextField("company"),
      IntField("year"),
      IntField("quarter"),
      TextField("caseNumber"),
      TextField("caseStatus"),
      TextField("visaClass"),
      TimestampField("receivedDate", Conversion::kDate),
      TextField("beginDate"),
      TextField("endDate"),
      TextField("jobTitle"),
      TextField("socCode"),
      TextField("employerName"),
      TextField("fullTimePosition", Conversion::kFlag),
      TextField("worksiteAddress"),
      TextField("worksiteCity"),
      TextField("worksiteCounty"),
      TextField("worksiteState"),
      TextField("worksitePostalCode", Conversion::kId),
      DoubleField("wageRangeFrom", Bound::kNotNegative),
      DoubleField("wageRangeTo", Bound::kNotNegative),
      TextField("wageUnitOfPay"),
      TextField("wageLevel"),
      TextField("h1bDependent", Conversion::kFlag),
  });
  return fields;
}

std::span<const PathField> NewsPaths() {
  static const auto fields = std::to_array<PathField>({
      Required(IntField("id")),
      TextField("category"),
      Required(TimestampField("datetime", Conversion::kTimestampSeconds)),
      TextField("headline"),
      TextField("summary"),
      TextField("source"),
      TextField("url"),
      TextField("image"),
      TextField("related"),
  });
  return fields;
}

}  // namespace

const Format& TradeFormat() {
  static const PathFormat format("trade", "a tick of a share or currency, one JSON object", "ts", TradePaths());
  return format;
}

const Format& BarFormat() {
  static const PathFormat format("bar", "a day's prices of a ticker, one JSON object", "date", BarPaths());
  return format;
}

const Format& VisaFormat() {
  static const PathFormat format("visa", "a visa application with its wage, one JSON object", "receivedDate", VisaPaths());
  return format;
}

const Format& NewsFormat() {
  static const PathFormat format("news", "a news item, one JSON object; its datetime is in seconds", "datetime", NewsPaths());
  return format;
}

}  // namespace tailrace::pipeline::formats
