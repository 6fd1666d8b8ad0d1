# One image for every node of a Ray cluster: workers and head need the same versions.
FROM rayproject/ray:2.60.0-py311
COPY constraints.txt pyproject.toml README.md LICENSE /home/ray/snapshelf/
COPY src /home/ray/snapshelf/src
RUN pip install --no-cache-dir --constraint /home/ray/snapshelf/constraints.txt \
    "/home/ray/snapshelf[cluster]"
# Systems that need PyTorch: install "/home/ray/snapshelf[torch,cluster]" instead.
