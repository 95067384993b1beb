"""A Ray cluster of several nodes on this machine, in a process of its own: it ends when its input ends.

    python -m tests.launchers.ray_cluster FOLDER

Each line of its input is a command: ``add CPUS [PYTHONPATH]`` adds a node with a temporary folder of its own, ``remove
NUMBER`` kills one. Each is answered by a line; the first is the address.
"""

import os
import sys
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

SMALL = {"object_store_memory": 80_000_000, "include_dashboard": False}


def main(folder: Path) -> None:
    """Serve."""
    os.environ["RAY_TMPDIR"] = str(folder)
    Path(folder, "ray").mkdir()
    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **SMALL})
    print(cluster.address, flush=True)
    nodes: list[Any] = []
    for line in sys.stdin:
        word, *more = line.split()
        if word == "add":
            temporary = folder / f"node{len(nodes)}"
            temporary.mkdir()
            variables = {"TMPDIR": str(temporary), **({"PYTHONPATH": more[1]} if more[1:] else {})}
            nodes.append(cluster.add_node(num_cpus=int(more[0]), env_vars=variables, **SMALL))
        else:
            cluster.remove_node(nodes[int(more[0])], allow_graceful=False)
        print("ready", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
