// The formats that come with Tailrace; each is made once and lives as long as the process.
#pragma once

#include "tailrace/pipeline/format.h"

namespace tailrace::pipeline::formats {

const Format& PostFormat();
const Format& XV2Format();
const Format& XV1Format();
const Format& DatasiftFormat();
const Format& TradeFormat();
const Format& FinnhubTradesFormat();
const Format& BarFormat();
const Format& VisaFormat();
const Format& NewsFormat();

}  // namespace tailrace::pipeline::formats
