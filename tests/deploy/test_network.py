"""Network policies allow the flows of the architecture, and nothing else."""

import pytest

from matrix import COMPONENTS, SERVICES, both, TRIAL, rendered
from objects import chosen, component, of_kind, pods
from tools import build, render

# Who Prometheus and whoever else may be around are.
PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
STRANGER = {"app.kubernetes.io/name": "stranger"}

PORTS = {"clients": 8000, "ops": 9000, "nats": 4222, "postgres": 5432}


def flows(objects):
    """What may reach what: (from, to, port), for all pods, a Prometheus and a stranger."""
    parties = {component({"metadata": {"labels": labels}}): labels for labels, _ in pods(objects).values()}
    everyone = parties | {"prometheus": PROMETHEUS, "stranger": STRANGER}
    policies = of_kind(objects, "NetworkPolicy")
    return {
        (source, target, port)
        for source, from_labels in everyone.items()
        for target, to_labels in everyone.items()
        for port in PORTS.values()
        if source != target and target in parties
        if allows(policies, "egress", from_labels, to_labels, port) and allows(policies, "ingress", to_labels, from_labels, port)
    }


def allows(policies, direction, mine, theirs, port):
    """Whether the pod `mine` may, in this direction, talk with `theirs` at a port. Without a policy it may."""
    about = [policy["spec"] for policy in policies if chosen(policy["spec"]["podSelector"], mine)]
    about = [policy for policy in about if direction.capitalize() in policy["policyTypes"]]
    if not about:
        return True
    side = "to" if direction == "egress" else "from"
    return any(
        (not rule.get("ports") or any(entry["port"] == port for entry in rule["ports"]))
        and (not rule.get(side) or any(is_peer(peer, theirs) for peer in rule[side]))
        for policy in about
        for rule in policy.get(direction, [])
    )


def is_peer(peer, labels):
    """Whether a peer is a pod with these labels; those of other namespaces are Prometheus and the stranger."""
    if "ipBlock" in peer:
        return False
    in_ours = "app.kubernetes.io/part-of" in labels
    if "namespaceSelector" not in peer and not in_ours:
        return False
    if peer.get("namespaceSelector"):
        # One that is chosen by labels: none of those that there are here.
        return False
    return chosen(peer.get("podSelector", {}), labels)


def expected():
    """The flows of the architecture, of a deployment with everything in the cluster."""
    nats = {(name, "nats", 4222) for name in COMPONENTS}
    database = {(name, "postgres", 5432) for name in [*SERVICES, "migrate"]}
    scraped = {("prometheus", name, 9000) for name in COMPONENTS}
    return nats | database | scraped | {("stranger", "gateway", 8000), ("prometheus", "gateway", 8000), ("test", "gateway", 8000)}


def test_the_flows_of_a_trial_are_those_of_the_architecture():
    assert flows(rendered("trial")) == expected()


def test_kustomize_has_the_same_flows():
    assert flows(build("overlays/trial")) == expected() - {flow for flow in expected() if flow[0] in ("test", "migrate")}


def test_clients_can_be_the_ingress_alone():
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    objects = render(both(TRIAL, {"networkPolicy": {"clients": [peer]}}))
    assert flows(objects) == expected() - {("stranger", "gateway", 8000), ("prometheus", "gateway", 8000)}


@pytest.mark.parametrize("name", COMPONENTS)
def test_outside_the_cluster_only_what_it_stands_on_is_reached(name):
    objects = rendered("default")
    [policy] = [thing["spec"] for thing in of_kind(objects, "NetworkPolicy") if thing["metadata"]["name"] == f"carillon-{name}"]
    ports = {entry["port"] for rule in policy["egress"] for entry in rule["ports"]}
    assert ports == {53, 4222} | (set() if name == "gateway" else {5432})


def egress_ports(objects, name):
    [policy] = [thing["spec"] for thing in of_kind(objects, "NetworkPolicy") if thing["metadata"]["name"] == f"carillon-{name}"]
    return {entry["port"] for rule in policy["egress"] for entry in rule["ports"]}


def test_what_values_name_can_be_reached():
    objects = rendered("everything")
    assert egress_ports(objects, "gateway") == {53, 4222, 4318, 443}
    assert egress_ports(objects, "chat") == {53, 4222, 5432, 4318, 443}
    assert egress_ports(objects, "auth") == {53, 4222, 5432, 4318}
    [policy] = [thing["spec"] for thing in of_kind(objects, "NetworkPolicy") if thing["metadata"]["name"] == "carillon-auth"]
    [nats] = [rule for rule in policy["egress"] if {"port": 4222} in rule["ports"]]
    assert nats["to"] == [{"ipBlock": {"cidr": "192.0.2.0/28"}}]


def test_no_policies_if_none_are_wanted():
    assert not of_kind(rendered("nothing but workloads"), "NetworkPolicy")
