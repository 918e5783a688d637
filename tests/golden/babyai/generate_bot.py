"""Writes what Minigrid's own bot advises when others act: the golden file of actors/envs/babyai/bot.h.

  python3 -m venv oracle && oracle/bin/pip install minigrid==3.2.0
  oracle/bin/python tests/golden/babyai/generate_bot.py tests/golden/babyai/bot.jsonl 6 [FIRST_SEED]

One JSON object per line and episode:
  level, options, seed, policy
  advice    one digit per step: what the bot advised (Minigrid's index); "x": it raised, it was done
            or did not return; the episode stops there
  actions   one digit per step: what was executed; one less than the advice after an "x"
  return    reward of the last step
Policies: "bot" does what is advised; "noisy" does something else in 30 % of the steps; "careful" likewise, but never
toggles on its own, because an opened box ends the bot's advice.
"""

import contextlib
import io
import json
import sys

import gymnasium as gym
import minigrid  # noqa: F401  (registers the levels)
import numpy as np
from minigrid.utils.baby_ai_bot import BabyAIBot

from generate import MIXED_LEVELS, PLAIN_LEVELS
from mixed_levels import KINDS, MixedLevel, kind_of_seed

# Not registered in ours; LevelGen draws them, and they need all of the bot: mazes, blockers, keys, long missions.
GENERATED_LEVELS = ["MiniBossLevel", "SynthSeq", "BossLevel"]
# Episodes that take rare branches: starts of the search through blockers, an object to be next to one step away, a
# key that is kept, a doorway where nothing can be dropped.
RARE_SEEDS = {"MiniBossLevel": [20042, 20043, 20113, 20202]}
DONE = 6
NOISE = 0.3
OTHER_ACTIONS = {"bot": [], "noisy": [0, 1, 2, 3, 4, 5], "careful": [0, 1, 2, 2, 3, 4]}
MAX_SEARCHES = 1000  # Per call. Calls that return were never seen to need more than 12.


class Endless(Exception):
    pass


class LimitedBot(BabyAIBot):
    """Minigrid's bot, but a call that would not return raises."""

    max_searches_seen = 0

    def replan(self, action_taken=None):
        self.first_search = self.bfs_counter
        advice = super().replan(action_taken)
        LimitedBot.max_searches_seen = max(LimitedBot.max_searches_seen, self.bfs_counter - self.first_search)
        return advice

    def _breadth_first_search(self, *args, **kwargs):
        if self.bfs_counter - self.first_search > MAX_SEARCHES:
            raise Endless
        return super()._breadth_first_search(*args, **kwargs)


def advise(bot, taken):
    """One digit; "x" when the bot has no more advice."""
    try:
        advice = int(bot.replan(taken))
    except (AssertionError, AttributeError, TypeError, Endless):
        return "x"
    except Exception as error:  # DisappearedBoxError is a plain Exception.
        if type(error).__name__ != "DisappearedBoxError":
            raise
        return "x"
    return "x" if advice == DONE else str(advice)


def episode(env, seed, policy):
    env.reset(seed=seed)
    bot = LimitedBot(env)
    rng = np.random.default_rng([seed, len(policy)])
    others = OTHER_ACTIONS[policy]
    advice, actions = "", ""
    taken, reward, done = None, 0.0, False
    while not done:
        advice += advise(bot, taken)
        if advice[-1] == "x":
            break
        action = int(advice[-1])
        if others and rng.uniform() < NOISE:
            action = others[int(rng.integers(0, len(others)))]
        taken = env.actions(action)
        _, reward, terminated, truncated, _ = env.step(taken)
        actions += str(action)
        done = terminated or truncated
    return {"seed": seed, "policy": policy, "advice": advice, "actions": actions, "return": float(reward)}


def levels():
    """Yields level, options and a function from seed to environment."""
    for level in PLAIN_LEVELS + GENERATED_LEVELS:
        env = gym.make(f"BabyAI-{level}-v0", disable_env_checker=True).unwrapped
        yield level, {}, lambda seed, env=env: env
    for split, num_distractors in MIXED_LEVELS:
        envs = {kind: MixedLevel(kind, split, num_distractors) for kind in KINDS}
        level = "MixedTrain" if split == "train" else "MixedTest"
        yield level, {"num_distractors": num_distractors}, lambda seed, envs=envs: envs[kind_of_seed(seed)]


def main():
    path = sys.argv[1]
    num_seeds = int(sys.argv[2])
    first_seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    with open(path, "w") as out:
        for level, options, make_env in levels():
            solved = {policy: 0 for policy in OTHER_ACTIONS}
            seeds = [*range(first_seed, first_seed + num_seeds), *RARE_SEEDS.get(level, [])]
            for policy in OTHER_ACTIONS:
                for seed in seeds:
                    with contextlib.redirect_stdout(io.StringIO()):  # Minigrid prints every rejection.
                        entry = episode(make_env(seed), seed, policy)
                    solved[policy] += entry["return"] > 0
                    out.write(json.dumps({"level": level, "options": options, **entry}, separators=(",", ":")) + "\n")
            print(level, options, "solved", solved, "of", len(seeds), "searches", LimitedBot.max_searches_seen, flush=True)


if __name__ == "__main__":
    main()
