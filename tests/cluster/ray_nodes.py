"""A Ray cluster of several nodes on this machine, for tests: ``ray_nodes.py CPUS...``.

Prints its address, then obeys lines of standard input: ``kill N`` ends node N with all that runs
on it. It ends with its input.
"""

# ruff: noqa: T201 - the parent process reads what is printed

import sys

from ray.cluster_utils import Cluster

STORE_BYTES = 100_000_000


def main() -> None:
    first, *others = (int(cpus) for cpus in sys.argv[1:])
    cluster = Cluster(
        initialize_head=True,
        shutdown_at_exit=True,
        head_node_args={
            "num_cpus": first,
            "object_store_memory": STORE_BYTES,
            "include_dashboard": False,
        },
    )
    nodes = [cluster.head_node]
    # A command connects to the node that has its machine's address: the first.
    for number, cpus in enumerate(others, start=2):
        nodes.append(
            cluster.add_node(
                num_cpus=cpus,
                object_store_memory=STORE_BYTES,
                node_ip_address=f"127.0.0.{number}",
            )
        )
    print(cluster.address, flush=True)
    for line in sys.stdin:
        cluster.remove_node(nodes[int(line.split()[1])], allow_graceful=False)
        print("done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
