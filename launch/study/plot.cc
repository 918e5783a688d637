#include "launch/study/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>

namespace londi::launch::study {
namespace {

constexpr double kWidth = 760, kHeight = 460;
constexpr double kLeft = 72, kRight = 530, kTop = 40, kBottom = 400;  // Of the axes' box.

// Okabe and Ito's colours, which the colour-blind can tell apart.
constexpr std::array<std::string_view, 8> kColours = {
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#999999"};

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else
      escaped += c;
  }
  return escaped;
}

bool IsFinite(const PlotPoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

// What is drawn of y: the bar, or the point alone.
actors::Interval Extent(const PlotPoint& point) {
  const bool has_bar = point.bar && std::isfinite(point.bar->low) && std::isfinite(point.bar->high);
  if (!has_bar) return {point.y, point.y};
  return {std::min(point.y, point.bar->low), std::max(point.y, point.bar->high)};
}

// One axis: the values it shows, from tick to tick, and where they are drawn.
struct Axis {
  double from, to, step;
  double drawn_from, drawn_to;

  Axis(double low, double high, double begin, double end) : drawn_from(begin), drawn_to(end) {
    if (!(high > low)) {
      const double half = low == 0 ? 0.5 : std::abs(low) * 0.05;
      low -= half;
      high += half;
    }
    step = TickStep(high - low, 8);
    from = std::floor(low / step + 1e-9) * step;
    to = std::ceil(high / step - 1e-9) * step;
  }
  double At(double value) const {
    return drawn_from + (value - from) / (to - from) * (drawn_to - drawn_from);
  }
  int num_ticks() const { return static_cast<int>(std::lround((to - from) / step)) + 1; }
  double Tick(int i) const {
    const double value = from + i * step;
    return std::abs(value) < step * 1e-6 ? 0 : value;  // Never "-0".
  }
};

class Drawing {
 public:
  Drawing(const Plot& plot, const Axis& x, const Axis& y) : plot_(plot), x_(x), y_(y) {}

  std::string Svg() {
    Add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        kWidth,
        kHeight);
    DrawText(kLeft, 24, "start", plot_.title, " font-size=\"15\" font-weight=\"bold\"");
    DrawAxes();
    for (std::size_t i = 0; i < plot_.series.size(); ++i) DrawSeries(i);
    svg_ += "</svg>\n";
    return std::move(svg_);
  }

 private:
  template <class... Arguments>
  void Add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(svg_), format, std::forward<Arguments>(arguments)...);
  }
  void DrawText(double x,
                double y,
                std::string_view anchor,
                std::string_view text,
                std::string_view more = "") {
    Add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n",
        x,
        y,
        anchor,
        more,
        Escaped(text));
  }
  void DrawLine(double x1, double y1, double x2, double y2, std::string_view colour) {
    Add("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n",
        x1,
        y1,
        x2,
        y2,
        colour);
  }

  void DrawAxes() {
    for (int i = 0; i < x_.num_ticks(); ++i) {
      const double at = x_.At(x_.Tick(i));
      DrawLine(at, kTop, at, kBottom, "#e5e5e5");
      DrawText(at, kBottom + 18, "middle", fmt::format("{:.4g}", x_.Tick(i)));
    }
    for (int i = 0; i < y_.num_ticks(); ++i) {
      const double at = y_.At(y_.Tick(i));
      DrawLine(kLeft, at, kRight, at, "#e5e5e5");
      DrawText(kLeft - 8, at + 4, "end", fmt::format("{:.4g}", y_.Tick(i)));
    }
    Add("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#444444\"/>\n",
        kLeft,
        kTop,
        kRight - kLeft,
        kBottom - kTop);
    DrawText((kLeft + kRight) / 2, kBottom + 42, "middle", plot_.x_label);
    DrawText(0,
             0,
             "middle",
             plot_.y_label,
             fmt::format(" transform=\"translate(18 {}) rotate(-90)\"", (kTop + kBottom) / 2));
  }

  void DrawSeries(std::size_t index) {
    const PlotSeries& series = plot_.series[index];
    const std::string_view colour = kColours[index % kColours.size()];
    std::string path;
    for (const PlotPoint& point : series.points) {
      if (!IsFinite(point)) continue;
      const double x = x_.At(point.x), y = y_.At(point.y);
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", x, y);
      const actors::Interval extent = Extent(point);
      if (extent.high > extent.low) DrawLine(x, y_.At(extent.low), x, y_.At(extent.high), colour);
      DrawMark(index, x, y);
    }
    if (series.joined && !path.empty())
      Add("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", path, colour);
    const double y = kTop + 12 + 20 * static_cast<double>(index);
    DrawMark(index, kRight + 18, y);
    DrawText(kRight + 30, y + 4, "start", series.name);
  }

  void DrawMark(std::size_t index, double x, double y) {
    const std::string_view colour = kColours[index % kColours.size()];
    // With the other mark when the colours begin anew.
    if ((index + index / kColours.size()) % 2 == 0) {
      Add("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>\n", x, y, colour);
    } else {
      Add("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"8\" height=\"8\" fill=\"{}\"/>\n",
          x - 4,
          y - 4,
          colour);
    }
  }

  const Plot& plot_;
  const Axis x_, y_;
  std::string svg_;
};

}  // namespace

double TickStep(double range, int count) {
  const double power = std::pow(10, std::floor(std::log10(range / count)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (range / (factor * power) <= count * (1 + 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::string ToSvg(const Plot& plot) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double x_low = kInfinity, x_high = -kInfinity, y_low = kInfinity, y_high = -kInfinity;
  for (const PlotSeries& series : plot.series) {
    for (const PlotPoint& point : series.points) {
      if (!IsFinite(point)) continue;
      x_low = std::min(x_low, point.x);
      x_high = std::max(x_high, point.x);
      y_low = std::min(y_low, Extent(point).low);
      y_high = std::max(y_high, Extent(point).high);
    }
  }
  if (x_low > x_high) x_low = y_low = 0, x_high = y_high = 1;  // Nothing to show.
  return Drawing(plot, Axis(x_low, x_high, kLeft, kRight), Axis(y_low, y_high, kBottom, kTop))
      .Svg();
}

}  // namespace londi::launch::study
