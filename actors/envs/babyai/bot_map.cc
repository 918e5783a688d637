#include "actors/envs/babyai/bot_map.h"

namespace londi::actors::babyai {
namespace {

constexpr int kUnvisited = -2;
constexpr int kStart = -1;

}  // namespace

void BotMap::Reset() {
  const Grid& grid = world_.grid;
  seen_.assign(static_cast<std::size_t>(grid.width() * grid.height()), 0);
}

void BotMap::See(const View& view) {
  for (int x = 0; x < view.size; ++x) {
    for (int y = 0; y < view.size; ++y) {
      if (!view.IsVisible(x, y)) continue;
      const Position p = world_.ViewToWorld(view.size, x, y);
      if (world_.grid.Contains(p)) seen_[Index(p)] = 1;
    }
  }
}

bool BotMap::CanCross(Position p, bool ignore_blockers) const {
  if (!Seen(p)) return false;
  const Cell cell = world_.grid.CellAt(p);
  switch (cell.type) {
    case ObjectType::kEmpty:
      return true;
    case ObjectType::kWall:
      return false;
    case ObjectType::kDoor:
      return cell.state == kDoorOpen;
    default:
      return ignore_blockers;
  }
}

std::optional<Position> BotMap::Run(const Accept& accept, bool ignore_blockers, Search& search) {
  search.visited.clear();
  search.previous.assign(seen_.size(), kUnvisited);
  for (std::size_t next = 0; next < queue_.size(); ++next) {
    const State state = queue_[next];
    const auto index = static_cast<int>(Index(state.at));
    int& previous = search.previous[static_cast<std::size_t>(index)];
    if (previous != kUnvisited) continue;
    previous = state.from;
    search.visited.push_back(index);
    if (accept(state.at)) return state.at;
    if (!CanCross(state.at, ignore_blockers)) continue;
    // Straight on first, straight back last; what lies between depends on the axis.
    const auto [dx, dy] = state.heading;
    for (const Position step : {Position{dx, dy}, {dy, dx}, {-dy, -dx}, {-dx, -dy}}) {
      queue_.push_back({state.at + step, step, index});
    }
  }
  return std::nullopt;
}

int BotMap::Trace(const Search& search, int index, Route& route, int width) {
  while (search.previous[static_cast<std::size_t>(index)] != kStart) {
    route.first_step = {index % width, index / width};
    ++route.length;
    index = search.previous[static_cast<std::size_t>(index)];
  }
  return index;
}

std::optional<Route> BotMap::FindRoute(const Accept& accept, bool may_cross_blockers) {
  const int width = world_.grid.width();
  queue_.clear();
  queue_.push_back({world_.agent, Vector(world_.direction), kStart});
  if (const auto finish = Run(accept, /*ignore_blockers=*/false, clear_)) {
    Route route{.finish = *finish, .first_step = *finish};
    Trace(clear_, static_cast<int>(Index(*finish)), route, width);
    return route;
  }
  if (!may_cross_blockers) return std::nullopt;
  queue_.clear();
  for (const int index : clear_.visited) {
    queue_.push_back({{index % width, index / width}, {1, 0}, kStart});
  }
  const auto finish = Run(accept, /*ignore_blockers=*/true, crossing_);
  if (!finish) return std::nullopt;
  Route route{.finish = *finish, .first_step = *finish, .through_blockers = true};
  const int entry = Trace(crossing_, static_cast<int>(Index(*finish)), route, width);
  Trace(clear_, entry, route, width);
  return route;
}

}  // namespace londi::actors::babyai
