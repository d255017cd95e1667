// Small generators of the other events: trades, daily bars, and visa applications with their wages.
//
// Keys are the symbol, the ticker and the symbol of the employer. The same options give the same records everywhere.
#pragma once

#include <memory>

#include "tailrace/ingest/record_source.h"

namespace tailrace::ingest {

// Random walks of some shares and crypto currencies; several ticks of a symbol may share a millisecond, `seq` orders them.
std::unique_ptr<RecordSource> NewTradeSource(const SourceOptions& options);

// One bar per ticker and weekday, oldest first, the newest being of the day of the start: the bar of a day that still goes
// on, whatever day of the week it is, so that what is written on that day meets a price. After `days` days the same bars come
// again with small corrections and a later `received`, and once a midnight has passed with one of the new day.
// REQUIRES: days > 0.
std::unique_ptr<RecordSource> NewBarSource(const SourceOptions& options, int64_t days = 260);

// Wages by the hour and by the year, as sources mix them.
std::unique_ptr<RecordSource> NewVisaSource(const SourceOptions& options);

}  // namespace tailrace::ingest
