"""The peer of bench_babyai: the same levels in the Python package, with the text rule of the golden traces.

  oracle/bin/pip install minigrid==3.2.0
  oracle/bin/python tests/bench/actors/babyai_minigrid.py [seconds per level] [GoToLocal ...]
"""

import contextlib
import os
import sys
import time
from pathlib import Path

import gymnasium as gym
import minigrid  # noqa: F401  (registers the levels)
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "golden" / "babyai"))
from mixed_levels import KINDS, MixedLevel, kind_of_seed  # noqa: E402
from text_rule import describe  # noqa: E402


def make(level):
    """Returns seed -> environment."""
    if level == "MixedTrain":
        envs = {kind: MixedLevel(kind, "train", 8) for kind in KINDS}
        return lambda seed: envs[kind_of_seed(seed)]
    env = gym.make(f"BabyAI-{level}-v0", disable_env_checker=True).unwrapped
    return lambda seed: env


def measure(level, seconds):
    env_of_seed = make(level)
    actions = np.random.default_rng(0).integers(0, 6, size=4096).tolist()
    steps = episodes = text_bytes = 0
    start = time.process_time()
    while time.process_time() - start < seconds:
        env = env_of_seed(episodes)
        env.reset(seed=episodes)
        episodes += 1
        done = False
        while not done:
            obs, _, terminated, truncated, _ = env.step(actions[steps % len(actions)])
            text_bytes += sum(map(len, describe(obs["image"].tolist(), env.carrying)))
            steps += 1
            done = terminated or truncated
    elapsed = time.process_time() - start
    return f"minigrid_text,babyai/{level},{steps},{episodes},{elapsed:.2f},{steps / elapsed:.0f},{1e6 * elapsed / steps:.3f}"


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    levels = sys.argv[2:] or ["GoToLocal", "PutNextLocal", "UnlockLocal", "MixedTrain"]
    print("name,level,steps,episodes,cpu_seconds,steps_per_s,us_per_step", flush=True)
    for level in levels:
        with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):  # Rejections are printed.
            row = measure(level, seconds)
        print(row, flush=True)


if __name__ == "__main__":
    main()
