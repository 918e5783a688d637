"""A peer of bench_replay: torchrl, 512 fp16 features and ten scalars a row, successors read from the next row.

  python -m venv peers && peers/bin/pip install torchrl==0.14.1
  build/release/tests/bench/learner/bench_replay 1000000 PYTHON_WITH_CPPRB peers/bin/python

Speaks the protocol of tests/bench/support/peer_process.h, as replay_cpprb.py does.
"""

import sys
import time

import torch
from tensordict import TensorDict
from torchrl.data import LazyTensorStorage, TensorDictPrioritizedReplayBuffer

NUM_FEATURES = 512
PER_CALL = 32
BATCH = 256
BATCHES = 2000


def rates(num_rows):
    buffer = TensorDictPrioritizedReplayBuffer(
        alpha=0.6, beta=0.4, storage=LazyTensorStorage(num_rows), batch_size=BATCH, priority_key="priority"
    )
    rows = TensorDict(
        {"obs": torch.randn(PER_CALL, NUM_FEATURES).half(), "scalars": torch.zeros(PER_CALL, 10)},
        batch_size=[PER_CALL],
    )
    begin = time.perf_counter()
    for _ in range(0, num_rows, PER_CALL):
        buffer.extend(rows)
    inserted = num_rows / (time.perf_counter() - begin)
    begin = time.perf_counter()
    for _ in range(BATCHES):
        batch = buffer.sample()
        batch["obs"].float()
        buffer.storage[(batch["index"] + 1) % num_rows]["obs"].float()
        buffer.update_priority(batch["index"], torch.rand(BATCH))
    return inserted, BATCHES / (time.perf_counter() - begin)


def main():
    torch.set_num_threads(1)
    print("ready", flush=True)
    for line in sys.stdin:
        print(*rates(int(line)), flush=True)


main()
