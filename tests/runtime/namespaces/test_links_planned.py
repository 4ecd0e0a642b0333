"""What is decided before anything is raised: addresses nobody uses, names that are this run's, rates, refusals."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from placid.errors import InputError, RunError
from placid.network.graph import Link, Network, Node
from placid.runtime.namespaces import addresses, commands
from placid.runtime.namespaces.addresses import free_block, used_networks
from placid.runtime.namespaces.bucket import forgiven_bytes
from placid.runtime.namespaces.enter import enter
from placid.runtime.namespaces.plan import Run, plan_links

STAR = Network(
    (Node("hub"), *(Node(f"leaf {i}") for i in range(3))),
    tuple(Link("hub", f"leaf {i}", 0.01, rate) for i, rate in enumerate((1e3, 5e6, float("inf")))),
)


def test_a_block_that_nobody_uses() -> None:
    for used, first in (
        ([], "198.18.0.0/16"),
        (["198.18.4.0/24"], "198.19.0.0/16"),
        (["198.0.0.0/8", "10.0.0.0/9"], "10.128.0.0/16"),
        (["198.18.0.0/15", "10.0.0.0/8", "172.16.3.1/32"], "172.17.0.0/16"),
    ):
        assert free_block(map(IPv4Network, used)) == IPv4Network(first)
    with pytest.raises(RunError, match="no /16 of private addresses is free"):
        free_block([IPv4Network("0.0.0.0/0")])


def test_routes_and_addresses_of_the_machine_count(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {
        "route": [{"dst": "default"}, {"dst": "10.9.0.0/16"}, {"dst": "192.0.2.7"}],
        "address": [{"addr_info": [{"local": "172.20.1.3", "prefixlen": 20}]}, {"ifname": "bare"}],
    }
    monkeypatch.setattr(addresses, "read", lambda *command: told[command[3]])
    assert set(map(str, used_networks())) == {"10.9.0.0/16", "192.0.2.7/32", "172.20.0.0/20"}


def test_every_address_and_device_is_there_once() -> None:
    run = Run.mine()
    plan = plan_links(STAR, run, IPv4Network("10.7.0.0/16"))
    hosts = [plan.gateway, *(p.host for p in plan.places.values())]
    ends = [end for link in plan.links for end in (link.a, link.b)]
    assert all(host in plan.management for host in hosts)
    assert not any(end.host in plan.management for end in ends)
    assert len({*hosts, *(e.host for e in ends)}) == len(hosts) + len(ends)
    assert len({e.mac for e in ends}) == len({(e.namespace, e.device) for e in ends}) == len(ends)
    assert all(len(name) < 16 for name in (plan.bridge, *(p.outer for p in plan.places.values())))
    # both ends of a link are in one network of two
    assert all(int(link.a.host) ^ 1 == int(link.b.host) for link in plan.links)
    assert [link.rate_bytes_per_s for link in plan.links] == [1e3, 5e6, None]
    assert plan.reached("hub") == {f"leaf {i}": str(plan.links[i].a.host) for i in range(3)}
    assert plan.reached("leaf 2") == {"hub": str(plan.links[2].b.host)}
    assert IPv4Address(plan.reached("leaf 2")["hub"]) in IPv4Network("10.7.128.0/17")


def test_a_network_that_is_too_large() -> None:
    many = Network(tuple(Node(f"n{i}") for i in range(1024)), ())
    with pytest.raises(InputError, match="1,023 nodes"):
        plan_links(many, Run.mine(), IPv4Network("10.7.0.0/16"))


def test_a_run_is_known_by_its_mark() -> None:
    run = Run.mine()
    assert Run.of(run.mark) == Run.of(f"{run.mark}-17") == run
    assert run.lives()
    assert Run.mine() != run, "one process may have two networks"
    assert not Run(run.pid, run.began - 1, run.token).lives(), "another process had that number before"
    for other in ("x", "placid", "placid-1-2", "placid-a-2-c", "placid-1-2-c-3-4", "docker-1-2-c"):
        assert Run.of(other) is None


def test_what_a_bucket_forgives() -> None:
    # a message of one packet all of it, the last packet of several, and never more than the message
    slow = 684.0
    one, several = forgiven_bytes(100, slow), forgiven_bytes(3072, slow)
    assert 100 < one < 100 + 600
    assert several < 1515
    assert forgiven_bytes(3072, 125e6) < 3072 + 800
    assert forgiven_bytes(1 << 20, 125e6) == pytest.approx(125e6 * 0.5e-3, rel=0.03)


@pytest.mark.parametrize(
    ("spoilt", "match"),
    [
        ({"geteuid": 1000}, "only root may make network namespaces"),
        ({"which": None}, "'ip' .* is not installed"),
        ({"platform": "darwin"}, "Linux's, and this is darwin"),
    ],
)
def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, spoilt: dict[str, Any], match: str) -> None:
    monkeypatch.setattr(commands.os, "geteuid", lambda: spoilt.get("geteuid", 0))
    monkeypatch.setattr(commands.shutil, "which", lambda tool: spoilt.get("which", tool))
    monkeypatch.setattr(commands.sys, "platform", spoilt.get("platform", "linux"))
    with pytest.raises(InputError, match=f"{match}.*'--links process', needs nothing"):
        commands.check_permitted()


def test_a_namespace_that_is_not_there() -> None:
    with pytest.raises(RunError, match="'no-such-one' cannot be opened"):
        enter("no-such-one")
