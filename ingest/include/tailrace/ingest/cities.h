// The cities that generated posts come from: Canadian ones and some of the world, the most active first.
#pragma once

#include <span>
#include <string_view>

namespace tailrace::ingest {

struct City {
  std::string_view name;       // "Montréal"
  std::string_view region;     // "Québec"; a country outside Canada
  std::string_view full_name;  // "Montréal, Québec": unique
  std::string_view country_code;
  std::string_view lang;        // what most people there write
  std::string_view other_lang;  // what the others write
  int other_percent = 0;
};

// Constant data. Two spellings of one city ("Montréal, Québec", "Montreal, Quebec") and cities of one name in different
// regions are there on purpose: sources have both.
std::span<const City> Cities();

}  // namespace tailrace::ingest
