"""The peer of bench_replay: cpprb, 512 fp16 features and ten scalars a row, successors stored once.

  python -m venv peers && peers/bin/pip install cpprb==11.0.0
  build/release/tests/bench/learner/bench_replay 1000000 peers/bin/python

Speaks the protocol of tests/bench/support/peer_process.h: a number of rows in; rows inserted per second (32 at a time) and
batches of 256 sampled, gathered and re-prioritized per second out.
"""

import sys
import time

import numpy as np
from cpprb import PrioritizedReplayBuffer

NUM_FEATURES = 512
PER_CALL = 32
BATCH = 256
BATCHES = 2000


def rates(num_rows):
    buffer = PrioritizedReplayBuffer(
        num_rows,
        {
            "obs": {"shape": NUM_FEATURES, "dtype": np.float16},
            "scalars": {"shape": 10},
        },
        next_of="obs",
        alpha=0.6,
    )
    random = np.random.default_rng(1)
    features = random.standard_normal((PER_CALL, NUM_FEATURES)).astype(np.float16)
    scalars = np.zeros((PER_CALL, 10), np.float32)
    begin = time.perf_counter()
    for _ in range(0, num_rows, PER_CALL):
        buffer.add(obs=features, next_obs=features, scalars=scalars)
    inserted = num_rows / (time.perf_counter() - begin)
    begin = time.perf_counter()
    for _ in range(BATCHES):
        batch = buffer.sample(BATCH, beta=0.4)
        for key in ("obs", "next_obs"):
            batch[key].astype(np.float32)
        buffer.update_priorities(batch["indexes"], random.random(BATCH))
    return inserted, BATCHES / (time.perf_counter() - begin)


def main():
    print("ready", flush=True)
    for line in sys.stdin:
        print(*rates(int(line)), flush=True)


main()
