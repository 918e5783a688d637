"""The peer of bench_durability over the network: Reverb, 448 fp16 features and ten scalars a row, each row an item.

  python -m venv peers && peers/bin/pip install dm-reverb==0.14.0 tensorflow-cpu==2.15.1
  build/release/tests/bench/learner/bench_durability FOLDER 60000 2 peers/bin/python

Speaks the protocol of tests/bench/support/peer_process.h: "ROWS CLIENTS" in, rows of all clients per second out, from the first row
to the confirmation of the last. Server and clients are processes of their own.
"""

import multiprocessing
import os
import sys
import time

import numpy as np
import reverb

NUM_FEATURES = 448
UNDER_WAY = 512  # Items that a client has not had confirmed.


def send(port, rows, barrier):
    client = reverb.Client(f"127.0.0.1:{port}")
    features = np.random.default_rng(1).standard_normal(NUM_FEATURES).astype(np.float16)
    row = {"features": features, "scalars": np.zeros(10, np.float32)}
    with client.trajectory_writer(num_keep_alive_refs=1) as writer:
        barrier.wait()
        for _ in range(rows):
            writer.append(row)
            writer.create_item("rows", 1.0, {name: column[-1:] for name, column in writer.history.items()})
            writer.flush(block_until_num_items=UNDER_WAY)
        writer.flush()
    barrier.wait()


def rate(context, rows, clients):
    table = reverb.Table(
        "rows",
        sampler=reverb.selectors.Uniform(),
        remover=reverb.selectors.Fifo(),
        max_size=rows * clients,
        rate_limiter=reverb.rate_limiters.MinSize(1),
    )
    server = reverb.Server([table])
    barrier = context.Barrier(clients + 1)
    processes = [context.Process(target=send, args=(server.port, rows, barrier)) for _ in range(clients)]
    for process in processes:
        process.start()
    barrier.wait()
    begin = time.perf_counter()
    barrier.wait()
    seconds = time.perf_counter() - begin
    for process in processes:
        process.join()
    server.stop()
    return rows * clients / seconds


def main():
    context = multiprocessing.get_context("spawn")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What the library prints is no answer.
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        rows, clients = map(int, line.split())
        print(rate(context, rows, clients), file=answers, flush=True)


if __name__ == "__main__":
    main()
