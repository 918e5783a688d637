#include "launch/study/plot.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <sstream>
#include <string>

namespace londi::launch::study {
namespace {

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(TickStep, IsOneTwoOrFiveTimesAPowerOfTen) {
  EXPECT_DOUBLE_EQ(TickStep(1, 10), 0.1);
  EXPECT_DOUBLE_EQ(TickStep(1, 8), 0.2);
  EXPECT_DOUBLE_EQ(TickStep(100, 4), 50);
  EXPECT_DOUBLE_EQ(TickStep(90, 10), 10);
  EXPECT_DOUBLE_EQ(TickStep(7e-4, 8), 1e-4);
}

TEST(ToSvg, DrawsPointsLinesBarsAndALegend) {
  const std::string svg =
      ToSvg({.title = "a < b",
             .x_label = "calls",
             .y_label = "success",
             .series = {{.name = "line", .points = {{0, 50}, {10, 90, actors::Interval{85, 95}}}},
                        {.name = "points", .points = {{5, 70}}, .joined = false}}});

  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
  EXPECT_EQ(Count(svg, "<circle"), 3);  // Two points and the legend's.
  EXPECT_EQ(Count(svg, "<path"), 1);
  EXPECT_EQ(Count(svg, "a &lt; b"), 1);
  EXPECT_EQ(Count(svg, ">line<") + Count(svg, ">points<"), 2);
  // The bar: 85 and 95 on an axis of 50 to 95, which ticks of 10 make 50 to 100.
  EXPECT_EQ(Count(svg, "y1=\"148.0\" x2=\"530.0\" y2=\"76.0\""), 1) << svg;
}

TEST(ToSvg, TellsSixteenSeriesApart) {
  Plot plot;
  for (int i = 0; i < 16; ++i) plot.series.push_back({.name = std::to_string(i)});

  std::set<std::string> marks;  // Of the legend: shape and colour.
  std::istringstream lines(ToSvg(plot));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("<circle") || line.find("width=\"8\"") != std::string::npos)
      marks.insert(line.substr(0, 5) + line.substr(line.find("fill=")));
  }
  EXPECT_EQ(marks.size(), 16u);
}

TEST(ToSvg, LeavesOutWhatIsNoNumber) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = ToSvg({.series = {{.name = "a", .points = {{1, none}, {2, 3}}},
                                            {.name = "b", .points = {{none, none}}}}});

  EXPECT_EQ(Count(svg, "nan"), 0);
  EXPECT_EQ(Count(svg, "<circle"), 2);
  EXPECT_EQ(Count(ToSvg({}), "nan"), 0);
}

}  // namespace
}  // namespace londi::launch::study
