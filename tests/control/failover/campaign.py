"""Scenarios with random moments, as many seeds as are asked for. Prints one JSON object.

    python -m tests.control.failover.campaign SEEDS FIRST
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from control.configuration import Replication
from tests.control.failover.cluster import Cluster
from tests.control.failover.scenarios import LOCAL, REPLICATED


def main(seeds: int, first: int) -> dict:
    runs, acknowledged, lost, different = 0, 0, 0, []
    with tempfile.TemporaryDirectory() as name, Cluster(Path(name)) as cluster:
        for seed in range(first, first + seeds):
            for mode, scenarios in (("replicated", REPLICATED), ("local", LOCAL)):
                for title, scenario in scenarios.items():
                    stream = f"{title}-{seed}"
                    folder = Path(name) / stream
                    folder.mkdir()
                    settings = Replication(servers=cluster.urls, stream=stream, mode=mode, ttl_ms=1000, margin_ms=300)
                    cluster.ready(stream)
                    begin = time.monotonic()
                    result = scenario(cluster, folder, settings, seed)
                    runs, acknowledged, lost = runs + 1, acknowledged + result["acknowledged"], lost + result["lost"]
                    different += [stream] if not result["same"] else []
                    print(f"{stream}: {time.monotonic() - begin:.1f} s {json.dumps(result)}", file=sys.stderr, flush=True)
    return {"seeds": seeds, "first": first, "runs": runs, "acknowledged": acknowledged, "lost": lost, "different": different}


if __name__ == "__main__":
    told = main(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(told))
    sys.exit(told["lost"] > 0 or bool(told["different"]))
