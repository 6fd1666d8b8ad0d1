# One image for every node of a Ray cluster: workers and head need the same versions.
#   docker build -f deploy/ray.Dockerfile -t snapshelf-ray:1 .
FROM rayproject/ray:2.60.0-py311
COPY --chown=ray:users constraints.txt pyproject.toml README.md LICENSE /home/ray/snapshelf/
COPY --chown=ray:users src /home/ray/snapshelf/src
RUN pip install --no-cache-dir --constraint /home/ray/snapshelf/constraints.txt \
    "/home/ray/snapshelf[cluster]"
# Systems that need PyTorch: install "/home/ray/snapshelf[torch,cluster]" instead.
