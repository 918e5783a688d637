#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/statistics.h"

namespace londi::launch::study {

struct PlotPoint {
  double x = 0, y = 0;
  std::optional<actors::Interval> bar = std::nullopt;  // Of y.
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;  // In the order in which they are joined.
  bool joined = true;             // False: single points.
};

struct Plot {
  std::string title, x_label, y_label;
  std::vector<PlotSeries> series;  // Each has a colour and a mark of its own, up to sixteen.
};

// The smallest of 1, 2, 5 times a power of ten that divides `range` (> 0) into at most `count`
// parts.
double TickStep(double range, int count);

// A picture of its own, with axes, ticks, error bars and a legend. Points that are not finite are
// left out.
std::string ToSvg(const Plot& plot);

}  // namespace londi::launch::study
