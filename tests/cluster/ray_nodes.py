"""A Ray cluster of several nodes on this machine, for tests: ``ray_nodes.py CPUS...``.

Prints its address, then obeys lines of standard input: ``kill N`` ends node N with all that runs
on it, ``add CPUS`` adds one. It ends with its input.
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

    def add(cpus: int) -> None:
        # A command connects to the node that has its machine's address: the first.
        address = f"127.0.0.{len(nodes) + 1}"
        nodes.append(
            cluster.add_node(
                num_cpus=cpus, object_store_memory=STORE_BYTES, node_ip_address=address
            )
        )

    for cpus in others:
        add(cpus)
    print(cluster.address, flush=True)
    for line in sys.stdin:
        order, number = line.split()
        if order == "kill":
            cluster.remove_node(nodes[int(number)], allow_graceful=False)
        else:
            add(int(number))
        print("done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
