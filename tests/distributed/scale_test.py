#!/usr/bin/env python3
"""32 ranks on this machine and 1,200 shards: what they open and read, and what that takes.

`bazel test //tests/distributed:scale_test --test_output=all` prints the table of docs/scaling.md.
"""

import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

RANKS, SHARDS, BATCH = 32, 1200, 512
HEADER = 72  # Bytes that are read of each shard when a rank first needs it.

work = pathlib.Path(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]))


def make_shards():
    """The digits' shards, by many names: 1,200 of 32 samples."""
    subprocess.run(["tools/pack", "--input=tools/sample_data/digits/train.tar", f"--output={work}/packed",
                    "--samples_per_shard=32"], check=True, stdout=subprocess.DEVNULL)
    manifest = json.loads((work / "packed/dataset.json").read_text())
    whole = [shard for shard in manifest["shards"] if shard["samples"] == 32]
    (work / "data").mkdir()
    manifest["shards"] = []
    for i in range(SHARDS):
        shard = dict(whole[i % len(whole)])
        os.link(work / "packed" / shard["file"], work / f"data/{i:05}.shard")
        manifest["shards"].append(dict(shard, file=f"{i:05}.shard"))
    (work / "data/dataset.json").write_text(json.dumps(manifest))


def run(order):
    command = ["tools/build_defs/mpi_run.sh", str(RANKS), "tests/distributed/scale_run", f"--data={work}/data",
               f"--run={work}/run-{order}", f"--order={order}", f"--batch={BATCH}"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    ranks = [json.loads(line[5:]) for line in result.stdout.splitlines() if line.startswith("rank ")]
    assert len(ranks) == RANKS, result.stdout
    return ranks


def main():
    make_shards()
    size = sum(os.path.getsize(path) for path in (work / "data").glob("*.shard"))
    for order in ("quasi_random", "shuffled"):
        ranks = run(order)
        of = {name: [rank[name] for rank in ranks] for name in ranks[0]}
        samples, needed, read = sum(of["samples"]), sum(of["needed"]), sum(of["read"])
        print(f"{order}: {RANKS} ranks, {SHARDS} shards, {size / 1e6:.1f} MB, {samples} samples in an epoch")
        print(f"  bytes read in the epoch: {read / 1e6:.2f} MB, {read / needed:.3f} of what its samples have; "
              f"of a rank {min(of['read']) / 1e6:.3f} to {max(of['read']) / 1e6:.3f} MB")
        print(f"  to open the data set: {max(of['opens'])} opens, {max(of['open_bytes']) / 1e6:.2f} MB, by one rank; "
              f"{sum(of['opens'])} by all; {statistics.median(of['open_seconds']):.2f} s")
        print(f"  opens of a rank with the epoch's: {statistics.median(of['all_opens'])}, of the first {max(of['all_opens'])}")
        print(f"  memory of a rank: {max(of['peak'])} MB, {max(of['memory'])} MB of them for data and training")
        print(f"  collectives of a step: {max(of['collectives']):.2f}, messages of a rank: {max(of['messages']):.2f}")
        assert samples == SHARDS * 32 // BATCH * BATCH, samples
        # And what is made ahead for the next epoch.
        ahead = 3 * BATCH / samples
        assert read <= (1.05 + ahead) * needed + HEADER * sum(of["all_opens"]), (read, needed)
        assert sum(of["opens"]) == SHARDS + 1, of["opens"]
        for rank in ranks:
            assert rank["read"] <= (1.05 + ahead) * rank["needed"] + HEADER * rank["all_opens"], rank
            assert rank["opens"] <= SHARDS + 1, rank
            assert rank["all_opens"] <= SHARDS + 1, rank
            assert rank["collectives"] <= 2.5, rank
            # Rounds of the small ones; R-1 each if they were direct.
            assert rank["messages"] <= math.ceil(math.log2(RANKS)) * rank["collectives"], rank


if __name__ == "__main__":
    sys.exit(main())
