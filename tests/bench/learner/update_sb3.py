"""The peer of bench_update: stable-baselines3's DQN, 512 inputs, 256 x 3, batch 512, on random rows.

  python -m venv peers && peers/bin/pip install stable-baselines3==2.9.0
  build/release/tests/bench/learner/bench_update 3 1 peers/bin/python

Speaks the protocol of tests/bench/support/peer_process.h: a line of seconds in, updates per second out.
"""

import sys
import time

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.logger import configure

NUM_INPUTS = 512
NUM_ROWS = 50_000
BATCH = 512


class Rows(gym.Env):
    """Only its spaces are used."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (NUM_INPUTS,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        return np.zeros(NUM_INPUTS, np.float32), {}

    def step(self, action):
        return np.zeros(NUM_INPUTS, np.float32), 0.0, True, False, {}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    model = DQN(
        "MlpPolicy",
        Rows(),
        buffer_size=NUM_ROWS,
        batch_size=BATCH,
        policy_kwargs={"net_arch": [256, 256, 256]},
        device="cpu",
    )
    model.set_logger(configure(None, []))
    random = np.random.default_rng(1)
    for _ in range(NUM_ROWS):
        now, after = random.standard_normal((2, 1, NUM_INPUTS), np.float32)
        model.replay_buffer.add(
            now, after, random.integers(0, 2, 1), random.random(1), random.random(1) < 0.04, [{}]
        )
    print("ready", flush=True)
    for line in sys.stdin:
        begin, updates = time.perf_counter(), 0
        while time.perf_counter() - begin < float(line):
            model.train(gradient_steps=10, batch_size=BATCH)
            updates += 10
        print(updates / (time.perf_counter() - begin), flush=True)


main()
