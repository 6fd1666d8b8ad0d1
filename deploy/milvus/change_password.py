"""Give the user root of a Milvus server another password: ``change_password.py http://HOST:PORT``.

Every server of version 2.3 begins with the password "Milvus", which everybody knows. The new one is
taken from the environment, `MILVUS_ROOT_PASSWORD`; `MILVUS_OLD_PASSWORD` is the one before, if it
was changed already.
"""

import os
import sys

from pymilvus import MilvusClient, MilvusException


def main() -> None:
    """Change it, and see that it holds."""
    if len(sys.argv) != 2 or not os.environ.get("MILVUS_ROOT_PASSWORD"):
        sys.exit("usage: MILVUS_ROOT_PASSWORD=... change_password.py http://HOST:PORT")
    address, new = sys.argv[1], os.environ["MILVUS_ROOT_PASSWORD"]
    old = os.environ.get("MILVUS_OLD_PASSWORD", "Milvus")
    try:
        client = MilvusClient(address, token=f"root:{old}", dedicated=True)
        client.update_password("root", old, new)
        client.close()
        changed = MilvusClient(address, token=f"root:{new}", dedicated=True)
        changed.list_collections()
        changed.close()
    except MilvusException as error:
        sys.exit(f"the password of root at {address} is not changed: {error.message}")


if __name__ == "__main__":
    main()
