"""Writes the golden traces of actors/envs/babyai from Minigrid itself.

  python3 -m venv oracle && oracle/bin/pip install minigrid==3.2.0
  oracle/bin/python tests/golden/babyai/generate.py tests/golden/babyai

One file per level, one JSON object per line and episode:
  level, options, seed, policy, mission, kind, max_steps
  actions   one digit per step (Minigrid's index)
  digests   8 hex digits per state, the reset's first: CRC-32 of the line that `state_line` makes
  texts     for the first seeds only: the readable part of each line, so that a mismatch can be shown
rng.json holds draws of NumPy's generator.
"""

import contextlib
import io
import json
import os
import struct
import sys
import zlib

import gymnasium as gym
import minigrid  # noqa: F401  (registers the levels)
import numpy as np
from minigrid.utils.baby_ai_bot import BabyAIBot

from mixed_levels import KINDS, MixedLevel, kind_of_seed
from text_rule import describe

NUM_SEEDS = 50
NUM_SEEDS_WITH_TEXT = 2
MAX_RANDOM_STEPS = 48
# "vandal" picks up, drops and toggles much more than a uniform policy: verifier and door corner cases.
POLICY_ACTIONS = {"random": [0, 1, 2, 3, 4, 5], "vandal": [0, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 5]}

PLAIN_LEVELS = [
    "GoToRedBallGrey", "GoToRedBall", "GoToObj", "GoToLocal", "GoToLocalS5N2", "PickupLoc", "PutNextLocal",
    "PutNextLocalS5N3", "UnlockLocal", "UnlockLocalDist", "OpenRedDoor", "OpenDoor", "OpenDoorDebug", "OpenDoorLoc",
    "OpenRedBlueDoorsDebug", "OpenDoorsOrderN4", "OpenDoorsOrderN4Debug", "ActionObjDoor",
]
VIEW_SIZES = [("GoToLocal", 5), ("OpenDoor", 9)]
MIXED_LEVELS = [(split, d) for split in ("train", "test") for d in (0, 8)]


def state_line(env, obs, reward, terminated, truncated):
    """Everything a step shows, as text in two parts; the C++ test makes the same line."""
    grid = env.grid.encode().tobytes().hex()
    image = obs["image"].tobytes().hex()
    text = "|".join(describe(obs["image"].tolist(), env.carrying))
    pose = f"{int(env.agent_pos[0])} {int(env.agent_pos[1])} {int(obs['direction'])}"
    return (
        f"{grid} {image}",
        f" {pose} {struct.pack('>d', reward).hex()} {int(terminated)} {int(truncated)} {text}",
    )


def episode(env, seed, policy, with_text):
    obs, _ = env.reset(seed=seed)
    lines = [state_line(env, obs, 0.0, False, False)]
    actions = []
    bot = BabyAIBot(env) if policy == "bot" else None
    rng = np.random.default_rng(seed)
    terminated = truncated = False
    while not (terminated or truncated) and (bot or len(actions) < MAX_RANDOM_STEPS):
        if bot:
            action = int(bot.replan())
            if action == 6:
                break
        else:
            choices = POLICY_ACTIONS[policy]
            action = choices[int(rng.integers(0, len(choices)))]
        obs, reward, terminated, truncated, _ = env.step(env.actions(action))
        actions.append(action)
        lines.append(state_line(env, obs, float(reward), terminated, truncated))
    result = {
        "seed": seed,
        "policy": policy,
        "mission": env.mission,
        "max_steps": int(env.max_steps),
        "actions": "".join(map(str, actions)),
        "digests": "".join(f"{zlib.crc32((map_ + readable).encode()):08x}" for map_, readable in lines),
    }
    if with_text:
        result["texts"] = [readable for _, readable in lines]
    return result


def write_level(folder, name, level, options, make_env):
    path = os.path.join(folder, name + ".jsonl")
    with open(path, "w") as out:
        for policy in ("random", "vandal", "bot"):
            for seed in range(NUM_SEEDS):
                with contextlib.redirect_stdout(io.StringIO()):  # Minigrid prints every rejection.
                    env = make_env(seed)
                    entry = episode(env, seed, policy, policy != "random" and seed < NUM_SEEDS_WITH_TEXT)
                head = {"level": level, "options": options}
                out.write(json.dumps({**head, **entry}, separators=(",", ":")) + "\n")
    print(f"{path}: {os.path.getsize(path) // 1024} KiB", flush=True)


def write_rng(folder):
    cases = []
    for seed in [0, 1, 7, 42, 12345, 2**31, 2**32 - 1, 2**32, 2**32 + 5, 2**63 + 11, 2**64 - 1]:
        cases.append({"entropy": [seed], "draws": draws(np.random.default_rng(seed))})
    for seed in (3, 2**32 + 1):
        cases.append({"entropy": [seed, 5], "draws": draws(np.random.default_rng([seed, 5]))})
    with open(os.path.join(folder, "rng.json"), "w") as out:
        json.dump(cases, out, separators=(",", ":"))


def draws(rng):
    """Ranges of 1 to 40, some large ones, and doubles between: [low, high, value] or ["u", hex of the double]."""
    out = []
    for k in range(300):
        if k % 13 == 5:
            out.append(["u", struct.pack(">d", rng.uniform(0, 1)).hex()])
        else:
            low = k % 5 - 2
            high = low + (k * 7) % 40 + 1 if k % 29 else low + 3_000_000_000
            out.append([low, high, int(rng.integers(low, high))])
    return out


def main():
    folder = sys.argv[1]
    write_rng(folder)
    for level in PLAIN_LEVELS:
        env = gym.make(f"BabyAI-{level}-v0", disable_env_checker=True).unwrapped
        write_level(folder, level, level, {}, lambda seed: env)
    for level, size in VIEW_SIZES:
        env = gym.make(f"BabyAI-{level}-v0", disable_env_checker=True, agent_view_size=size).unwrapped
        write_level(folder, f"{level}View{size}", level, {"view_size": size}, lambda seed: env)
    for split, num_distractors in MIXED_LEVELS:
        level = "MixedTrain" if split == "train" else "MixedTest"
        envs = {kind: MixedLevel(kind, split, num_distractors) for kind in KINDS}
        write_level(
            folder, f"{level}{num_distractors}", level, {"num_distractors": num_distractors},
            lambda seed: envs[kind_of_seed(seed)],
        )


if __name__ == "__main__":
    main()
