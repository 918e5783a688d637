#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "actors/envs/babyai/world.h"

namespace londi::actors::babyai {

// A way from the agent to `finish`. Crossing a cell costs one step, turns cost nothing.
struct Route {
  Position finish;
  Position first_step;            // Where to go first; the agent's own cell if length is 0.
  int length = 0;                 // Cells after the agent's.
  bool through_blockers = false;  // Crosses keys, balls or boxes that have to be moved away.
};

// Which cells the bot has seen in this episode, and path search on them. It reads true contents,
// but never walks on from a cell that was not seen.
// Source: baby_ai_bot.py, _process_obs, _breadth_first_search and _shortest_path.
class BotMap {
 public:
  using Accept = std::function<bool(Position)>;

  // `world` must outlive the map.
  explicit BotMap(const World& world) : world_(world) {}

  // New episode: nothing was seen.
  void Reset();

  // Marks what `view`, the world's current view, shows.
  void See(const View& view);
  bool Seen(Position p) const { return seen_[Index(p)] != 0; }

  const World& world() const { return world_; }
  const Grid& grid() const { return world_.grid; }

  // The nearest accepted cell; among equally near ones the order is that of a search which goes
  // straight on first. Walls and closed doors may be reached, not crossed; the same holds for
  // objects, unless `may_cross_blockers`: then, if nothing else helps, they are crossed, starting
  // anew from every cell that was reached without. nullopt: no way.
  std::optional<Route> FindRoute(const Accept& accept, bool may_cross_blockers = false);

 private:
  // What one breadth-first search found out. Positions are cell indices.
  struct Search {
    std::vector<int> visited;   // In order.
    std::vector<int> previous;  // [cells] kUnvisited, kStart or where the cell was reached from.
  };
  // A cell to visit, entered in direction (dx, dy).
  struct State {
    Position at;
    Position heading;
    int from;
  };

  std::size_t Index(Position p) const {
    return static_cast<std::size_t>(p.y * world_.grid.width() + p.x);
  }
  bool CanCross(Position p, bool ignore_blockers) const;
  // Works off queue_, which holds the starts. Returns the accepted cell.
  std::optional<Position> Run(const Accept& accept, bool ignore_blockers, Search& search);
  // Extends `route` backwards from cell `index` to the start of `search`; returns that start.
  static int Trace(const Search& search, int index, Route& route, int width);

  const World& world_;
  std::vector<std::uint8_t> seen_;  // [cells]
  std::vector<State> queue_;
  Search clear_;     // Without crossing blockers.
  Search crossing_;  // With.
};

}  // namespace londi::actors::babyai
