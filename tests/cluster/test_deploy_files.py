"""What lies in `deploy/`: its parts agree with each other, with the versions used here, and with
the table of sizes. No Kubernetes cluster is asked."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml", reason="comes with the extra `cluster`")

import yaml

from snapshelf.cluster.replicas import Replicas
from snapshelf.store.milvus.address import parse_milvus_address

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
README = (DEPLOY / "README.md").read_text()
MANIFESTS = {
    path.name: yaml.safe_load(path.read_text())
    for path in DEPLOY.glob("*.yaml")
    if path.name != "shop-claim.yaml"
}
SPECS = {
    name: manifest["spec"].get("rayClusterSpec")
    or manifest["spec"].get("rayClusterConfig")
    or manifest["spec"]
    for name, manifest in MANIFESTS.items()
}
PINNED = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if "==" in line and not line.startswith("#")
)


def pods(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        group["template"]["spec"] for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"])
    ]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return only


@pytest.mark.parametrize("name", SPECS)
def test_the_operator_gives_the_token_to_all(name: str) -> None:
    spec = SPECS[name]
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["rayVersion"] == PINNED["ray"]
    assert f"ray:{PINNED['ray']}-" in (DEPLOY / "ray.Dockerfile").read_text()
    for pod in pods(spec):
        names = [each["name"] for each in container(pod).get("env", [])]
        # The operator leaves out what is set already, and would itself use another one.
        assert not [each for each in names if each.startswith("RAY_AUTH")]
    assert "1.5.1 or later" in README
    assert "1.5.1 or later" in " ".join(re.findall(r"# (.*)", (DEPLOY / name).read_text()))


@pytest.mark.parametrize("name", SPECS)
def test_workers_come_and_go_only_where_that_is_enabled(name: str) -> None:
    for group in SPECS[name]["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        if group["minReplicas"] != group["maxReplicas"]:
            assert SPECS[name]["enableInTreeAutoscaling"]


@pytest.mark.parametrize("name", SPECS)
def test_all_that_a_manifest_names_is_made_by_a_command(name: str) -> None:
    written = MANIFESTS[name]
    claim = yaml.safe_load((DEPLOY / "shop-claim.yaml").read_text())
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"], "several nodes mount it"
    assert f"deploy/{name}" in README
    images = set()
    for pod in pods(SPECS[name]):
        images.add(container(pod)["image"])
        for volume in pod["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
            else:
                name_of_it = volume["secret"]["secretName"]
                assert f"kubectl create secret generic {name_of_it} --from-file=keys.json" in README
        mounted = {each["name"] for each in container(pod)["volumeMounts"]}
        assert mounted <= {each["name"] for each in pod["volumes"]}
        for each in container(pod).get("env", []):
            if "valueFrom" in each:
                secret = each["valueFrom"]["secretKeyRef"]
                made = f"kubectl create secret generic {secret['name']} --from-literal="
                assert f"{made}{secret['key']}=" in README
    (image,) = images
    assert f"docker build -f deploy/ray.Dockerfile -t {image} ." in README
    assert written["kind"] in ("RayCluster", "RayJob", "RayService")


def test_the_shelf_is_one_that_several_nodes_may_use() -> None:
    config = yaml.safe_load(MANIFESTS["ray-service.yaml"]["spec"]["serveConfigV2"])
    (application,) = config["applications"]
    shelf = application["args"]["shelf"]
    address = parse_milvus_address(shelf)
    assert (address.host, address.port, address.name) == ("milvus", 19530, "shop")
    for command in (MANIFESTS["ray-index-job.yaml"]["spec"]["entrypoint"], README):
        assert set(re.findall(r"--shelf (\S+)", command)) == {shelf}
    # Large descriptions lie where the writer and all replicas see them.
    places = set()
    for spec, groups in (
        ("ray-index-job.yaml", 1),
        ("ray-cluster.yaml", 1),
        ("ray-service.yaml", 2),
    ):
        for pod in pods(SPECS[spec])[:groups]:
            env = {each["name"]: each for each in container(pod)["env"]}
            assert "SNAPSHELF_MILVUS_TOKEN" in env
            places.add(env["SNAPSHELF_FEATURES"]["value"])
            mounts = {each["name"]: each for each in container(pod)["volumeMounts"]}
            assert not mounts["shop"].get("readOnly")
    (place,) = places
    assert place.startswith("file:///shop/")


def test_the_nodes_have_room_for_all_replicas() -> None:
    config = yaml.safe_load(MANIFESTS["ray-service.yaml"]["spec"]["serveConfigV2"])
    args = config["applications"][0]["args"]
    wanted = Replicas(**{name: args[name] for name in ("least", "most", "cpus", "ongoing")})
    (group,) = SPECS["ray-service.yaml"]["workerGroupSpecs"]
    cpus = int(container(group["template"]["spec"])["resources"]["limits"]["cpu"])
    fit = cpus // wanted.cpus  # a replica does not lie on two nodes
    assert fit * group["minReplicas"] >= wanted.least + wanted.jobs
    assert fit * group["maxReplicas"] >= wanted.most + wanted.jobs
    (group,) = SPECS["ray-index-job.yaml"]["workerGroupSpecs"]
    cpus = int(container(group["template"]["spec"])["resources"]["limits"]["cpu"])
    command = shlex.split(MANIFESTS["ray-index-job.yaml"]["spec"]["entrypoint"])
    assert int(command[command.index("--ray-workers") + 1]) == cpus * group["replicas"]


def test_milvus_is_the_version_that_was_measured() -> None:
    version = f"v{PINNED['milvus']}"
    values = yaml.safe_load((DEPLOY / "milvus" / "values.yaml").read_text())
    assert values["image"]["all"]["tag"] == version
    compose = yaml.safe_load((DEPLOY / "milvus" / "compose.yaml").read_text())
    service = compose["services"]["milvus"]
    assert service["image"] == f"milvusdb/milvus:{version}"
    assert all(each.startswith("127.0.0.1:") for each in service["ports"])
    chart = "helm install milvus milvus/milvus --version 4.1.15 -f deploy/milvus/values.yaml"
    assert chart in README
    comment = (DEPLOY / "milvus" / "values.yaml").read_text()
    assert f"chart 4.1.15, of Milvus {PINNED['milvus']}" in comment
    # Coordinators are either one process or four.
    assert values["mixCoordinator"]["enabled"]
    for name in ("root", "query", "index", "data"):
        assert not values[f"{name}Coordinator"]["enabled"]


def test_the_sizes_are_those_of_the_table() -> None:
    sizing = str(ROOT / "benchmarks" / "cluster_sizing.py")
    measured = str(DEPLOY / "measured.json")
    printed = subprocess.run(
        [sys.executable, sizing, measured], capture_output=True, text=True, check=True
    ).stdout
    assert printed in (ROOT / "docs" / "cluster.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()]
    (row,) = [each for each in rows if each[:2] == ["100,000,000", "256"]]
    values = yaml.safe_load((DEPLOY / "milvus" / "values.yaml").read_text())
    nodes = values["queryNode"]
    assert nodes["replicas"] == int(row[rows[0].index("query nodes")])
    assert nodes["resources"]["limits"] == {"cpu": "16", "memory": "128Gi"}, "as the table has it"


@pytest.mark.cluster
def test_the_first_password_can_be_changed_before_anything_else(milvus_server: Any) -> None:
    for name in ("milvus/compose.yaml", "README.md"):
        told = (DEPLOY / name).read_text()
        assert told.index("change_password.py") < told.index("snapshelf index")
    script = DEPLOY / "milvus" / "change_password.py"
    host = milvus_server.address.removeprefix("milvus://").rstrip("/")

    def change(**passwords: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(script), f"http://{host}"],
            capture_output=True,
            text=True,
            env={**os.environ, **passwords},
        )

    refused = change(MILVUS_ROOT_PASSWORD="another", MILVUS_OLD_PASSWORD="wrong-one")
    assert refused.returncode == 1
    assert "the password of root" in refused.stderr
    changed = change(MILVUS_ROOT_PASSWORD="another")
    try:
        assert changed.returncode == 0, changed.stderr
        again = change(MILVUS_ROOT_PASSWORD="another")
        assert again.returncode == 1, "the first one does not hold any more"
    finally:
        back = change(MILVUS_ROOT_PASSWORD="Milvus", MILVUS_OLD_PASSWORD="another")
    assert back.returncode == 0, back.stderr
    assert change().returncode == 1
