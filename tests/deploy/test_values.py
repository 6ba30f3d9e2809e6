"""Values do what they say, and those that say nothing are refused with their name."""

import json
import re
import shutil

import pytest
import yaml

from matrix import COMPONENTS, PLAIN, SERVICES, TRIAL, both, key, rendered
from objects import containers, environment, find, of_kind
from tools import CHART, NAMESPACE, RELEASE, Refused, render, run

REFUSED = {
    "gateways": {"gateways": {}},
    "replica": {"gateway": {"replica": 2}},
    "cpus": {"chat": {"autoscaling": {"cpus": 70}}},
    "connectionPerAddress": {"gateway": {"limits": {"connectionPerAddress": 5}}},
    "/trial/enabled": {"trial": {"enabled": "yes"}},
    "/gateway/mode": {"gateway": {"mode": "prod"}},
    "/gateway/drainSeconds": {"gateway": {"drainSeconds": "30s"}},
    "/gateway/service/port": {"gateway": {"service": {"port": 70000}}},
    "/gateway/allowedHosts": {"gateway": {"allowedHosts": "a.example"}},
    "terminationGracePeriodSeconds": {"gateway": {"terminationGracePeriodSeconds": 5}},
    "/auth/accessTokenLifetime": {"auth": {"accessTokenLifetime": "an hour"}},
    "/defaults/replicas": {"defaults": {"replicas": -1}},
    "/defaults/resources/limits/memory": {"defaults": {"resources": {"limits": {"memory": "2 GB"}}}},
    "/defaults/env": {"defaults": {"env": {"not a name": "x"}}},
    "/nats/url": {"nats": {"url": "http://nats.example"}},
    "/database/url": {"database": {"url": "sqlite:file.db"}},
    "/blobs/store": {"blobs": {"store": "/var/files"}},
    "/image/digest": {"image": {"digest": "sha256:short"}},
    "/identity/jwks/url": {"identity": {"jwks": {"url": "id.example"}}},
    "/ingress/controller": {"ingress": {"controller": "envoy"}},
    "/networkPolicy/prometheus": {"networkPolicy": {"prometheus": []}},
    "/monitoring/enabled": {"monitoring": {"enabled": "always"}},
    "/tracing/ratio": {"tracing": {"ratio": 2}},
    # What contradicts other values.
    "ingress.hosts": {"ingress": {"enabled": True}},
    "gateway.enabled": {"ingress": {"enabled": True, "hosts": ["a.example"]}, "gateway": {"enabled": False}},
    "ingress.tls.secretName": {"ingress": {"enabled": True, "hosts": ["a.example"], "tls": {"enabled": True}}},
    "nats.existingSecret": {"nats": {"existingSecret": "another"}},
    "database.existingSecret": {"database": {"existingSecret": "another"}},
    "trial.enabled": TRIAL,
    "auth.demo": {"auth": {"demo": True}},
    "blobs.volume.enabled": {"blobs": {"store": "s3://bucket", "volume": {"enabled": True}}},
    "chat.autoscaling": {"chat": {"autoscaling": {"minReplicas": 5, "maxReplicas": 2}}},
}


@pytest.mark.parametrize("named", REFUSED)
def test_a_wrong_value_is_refused_with_its_name(named):
    with pytest.raises(Refused) as refusal:
        render(both(PLAIN, REFUSED[named]))
    assert named in str(refusal.value)


@pytest.mark.parametrize("missing", ["nats", "database"])
def test_what_is_missing_is_named(missing):
    with pytest.raises(Refused) as refusal:
        render({name: value for name, value in PLAIN.items() if name != missing})
    assert f"{missing}.url or {missing}.existingSecret" in str(refusal.value)
    assert "trial.enabled=true" in str(refusal.value)


def every_value(values, schema, path=""):
    """The paths of values that have no place in the schema, or the other way round."""
    schema = resolved(schema)
    known = schema.get("properties")
    if known is None or not isinstance(values, dict):
        return
    for name, value in values.items():
        if name in known:
            yield from every_value(value, known[name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is in no schema"
    # What each service may have otherwise stands once, among the defaults; of what is left to Kubernetes nothing stands there.
    settings = schema is SETTINGS or "enabled" in known and set(SETTINGS["properties"]) & set(known)
    if (settings and path != ".defaults") or schema is resolved({"$ref": "#/$defs/probe"}) or re.search("[.](image|autoscaling|podDisruptionBudget|resources)$", path):
        known = set(known) - set(SETTINGS["properties"]) if settings else set()
    for name in set(known) - set(values) - {"global"}:
        yield f"{path}.{name} is in no values"


SCHEMA = json.loads((CHART / "values.schema.json").read_text())
SETTINGS = SCHEMA["$defs"]["settings"]


def resolved(schema):
    while reference := schema.get("$ref"):
        schema = SCHEMA
        for step in reference.removeprefix("#/").split("/"):
            schema = schema[step]
    return schema


def test_values_and_schema_have_the_same_names():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert list(every_value(values, SCHEMA)) == []


def every_object_schema(schema, path="#"):
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield path, schema
        for name, nested in schema.items():
            yield from every_object_schema(nested, f"{path}/{name}")


def test_the_schema_lets_no_misspelt_name_pass():
    lenient = [path for path, schema in every_object_schema(SCHEMA) if schema.get("additionalProperties") is not False]
    assert lenient == []


def test_chart_and_workspace_have_one_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    manifest = (CHART / "../../../Cargo.toml").resolve().read_text()
    version = manifest.split("[workspace.package]")[1].split('version = "')[1].split('"')[0]
    assert (chart["version"], chart["appVersion"]) == (version, version)


# ---------------------------------------------------------------------------------------------------------------------


def deployment(objects, component):
    return find(objects, "Deployment", f"carillon-{component}")


def variables(objects, component):
    [container] = deployment(objects, component)["spec"]["template"]["spec"]["containers"]
    return environment(container)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_service_is_optional(component):
    for entry in (f"without {component}", f"trial without {component}"):
        objects = rendered(entry)
        assert {thing["metadata"]["name"] for thing in of_kind(objects, "Deployment")} == {
            f"carillon-{name}" for name in COMPONENTS if name != component
        }
        text = json.dumps([thing for thing in objects if thing["metadata"]["name"] not in ("carillon-dashboard", "carillon-nats")])
        assert f"carillon-{component}" not in text


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_service_is_replaceable(component):
    other = {"image": {"repository": "example/other", "tag": "2"}, "command": ["/other"], "extraArgs": ["--more"], "env": {"MORE": 1}}
    objects = render(both(PLAIN, {key(component): other}))
    for whose, container in containers(of_kind(objects, "Deployment")):
        mine = whose == ("Deployment", f"carillon-{component}")
        assert (container["image"] == "example/other:2") is mine
        assert container["command"] == (["/other"] if mine else [f"/usr/local/bin/{container['name']}"])
        assert container.get("args") == (["--more"] if mine else None)
        assert environment(container).get("MORE") == ("1" if mine else None)


def test_a_service_of_its_own_settings_keeps_the_others():
    values = {"defaults": {"autoscaling": {"enabled": False}, "replicas": 3}, "chat": {"replicas": 5, "topologySpread": {"enabled": False}}}
    objects = render(both(PLAIN, values))
    assert {name: deployment(objects, name)["spec"]["replicas"] for name in COMPONENTS} == {name: 5 if name == "chat" else 3 for name in COMPONENTS}
    spread = {name for name in COMPONENTS if "topologySpreadConstraints" in deployment(objects, name)["spec"]["template"]["spec"]}
    assert spread == set(COMPONENTS) - {"chat"}


def test_a_trial_can_be_told_otherwise():
    objects = rendered("trial of two replicas")
    assert deployment(objects, "chat")["spec"]["replicas"] == 2
    # `trial.defaults` go before `defaults`.
    assert deployment(objects, "auth")["spec"]["replicas"] == 1


@pytest.mark.parametrize("drain", [0, 30, 300])
def test_the_grace_period_fits_the_drain(drain):
    objects = render(both(PLAIN, {"gateway": {"drainSeconds": drain}}))
    pod = deployment(objects, "gateway")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert environment(container)["CARILLON_DRAIN_SECONDS"] == str(drain)
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    # A gateway gives its last clients seven seconds more (LAST_GOODBYES).
    assert pod["terminationGracePeriodSeconds"] >= sleep + drain + 7 + 3


def test_a_variable_wins_over_what_the_chart_says():
    objects = render(both(PLAIN, {"gateway": {"env": {"CARILLON_MODE": "development", "CARILLON_LOG_FORMAT": ""}}}))
    [container] = deployment(objects, "gateway")["spec"]["template"]["spec"]["containers"]
    assert environment(container)["CARILLON_MODE"] == "development"
    assert "CARILLON_LOG_FORMAT" not in environment(container)
    names = [entry["name"] for entry in container["env"]]
    assert len(names) == len(set(names))


def test_production_and_trial_have_their_modes():
    assert variables(rendered("default"), "gateway")["CARILLON_MODE"] == "production"
    assert variables(rendered("trial"), "gateway")["CARILLON_MODE"] == "development"


def test_everything_is_told():
    told = variables(rendered("everything"), "gateway")
    expected = {
        "CARILLON_TRUSTED_PROXIES": "10.0.0.0/8",
        "CARILLON_PROXY_PROTOCOL": "true",
        "CARILLON_COMPRESSION": "true",
        "CARILLON_MAX_CONNECTIONS": "1000000",
        "MAX_CONNECTIONS_PER_IP": "1000",
        "CARILLON_RECENT_BYTES": "67108864",
        "KEYCLOAK_JWKS_URL": "https://id.example/keys",
        "CARILLON_BARE_IDS": "keycloak",
        "CARILLON_BLOB_STORE": "s3://bucket/files",
        "CARILLON_NATS_CREDENTIALS": "/etc/carillon/nats/gateway.creds",
        "OTEL_TRACES_SAMPLER_ARG": "0.01",
        "RUST_BACKTRACE": "1",
    }
    assert expected.items() <= told.items()
    hosts = told["ALLOWED_HOSTS"].split(",")
    assert {".example.com", "rt.example.com", "rt.example.org", "carillon-gateway", "carillon-gateway.carillon.svc"} <= set(hosts)
    assert variables(rendered("everything"), "chat")["CARILLON_ROOM_ACCESS"] == "chat:eng-=org:acme"


def test_gateways_and_auth_are_told_of_one_owner_of_bare_ids():
    """Gateways find out for themselves; auth has to be told the same, or nobody is let in."""
    cases = [
        ({}, None),
        ({"jwt": {"existingSecret": "my-django"}}, "django"),
        ({"jwt": {"existingSecret": "my-django", "name": "shop"}}, "shop"),
        ({"jwt": {"existingSecret": "my-django"}, "jwks": {"url": "https://id.example"}}, "keycloak"),
        ({"bareIds": "carillon", "jwks": {"url": "https://id.example"}}, "carillon"),
    ]
    for identity, expected in cases:
        objects = render(both(PLAIN, {"identity": identity}))
        assert variables(objects, "auth").get("CARILLON_BARE_IDS") == expected


def test_ipv6():
    told = variables(rendered("IPv6"), "gateway")
    assert (told["CARILLON_LISTEN"], told["CARILLON_OPS_LISTEN"]) == ("[::]:8000", "[::]:9000")


def test_gateways_scale_by_connections_where_the_cluster_can():
    def metrics(*arguments):
        [scaler] = [
            thing for thing in of_kind(render(PLAIN, *arguments), "HorizontalPodAutoscaler") if thing["metadata"]["name"] == "carillon-gateway"
        ]
        return [metric["type"] for metric in scaler["spec"]["metrics"]]

    assert metrics() == ["Resource"]
    assert metrics("--api-versions", "custom.metrics.k8s.io/v1beta1") == ["Resource", "Pods"]


def test_the_operator_gets_monitors_where_it_is():
    def kinds(*arguments):
        return {thing["kind"] for thing in render(PLAIN, *arguments)} & {"ServiceMonitor", "PrometheusRule"}

    assert kinds() == set()
    assert kinds("--api-versions", "monitoring.coreos.com/v1") == {"ServiceMonitor", "PrometheusRule"}


def test_websockets_pass_the_ingress():
    [ingress] = of_kind(rendered("everything"), "Ingress")
    annotations = ingress["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "3600"
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    assert annotations["cert-manager.io/cluster-issuer"] == "letsencrypt"
    [secure] = of_kind(rendered("TLS in the gateway behind HAProxy"), "Ingress")
    assert secure["metadata"]["annotations"]["haproxy-ingress.github.io/secure-backends"] == "true"


def test_the_probe_fits_the_limits_of_production():
    """Each endpoint is visited twice, and an address may reconnect ten times an hour after its first handshake."""
    [container] = find(rendered("default"), "Pod", "carillon-test")["spec"]["containers"]
    [endpoints] = [argument.split("=")[1].split(",") for argument in container["args"] if argument.startswith("--endpoints=")]
    assert 2 * len(endpoints) <= 11
    [container] = find(rendered("trial"), "Pod", "carillon-test")["spec"]["containers"]
    assert not [argument for argument in container["args"] if argument.startswith("--endpoints")]


def test_files_of_one_node_keep_their_pods_together():
    objects = rendered("trial")
    for component in ("gateway", "chat"):
        template = deployment(objects, component)["spec"]["template"]
        [term] = template["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    shared = rendered("files on a volume")
    assert "affinity" not in deployment(shared, "gateway")["spec"]["template"]["spec"]
    # An affinity of the operator's stays beside it.
    own = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    mixed = deployment(render(both(TRIAL, {"gateway": {"affinity": own}})), "gateway")["spec"]["template"]["spec"]["affinity"]
    assert set(mixed) == {"nodeAffinity", "podAffinity"}


def test_another_release_has_other_names():
    objects = render(TRIAL, release="shop")
    names = {thing["metadata"]["name"] for thing in objects}
    assert all(name.startswith("shop-carillon") for name in names)
    told = variables_of(objects, "shop-carillon-gateway")
    assert "shop-carillon-gateway" in told["ALLOWED_HOSTS"].split(",")


def variables_of(objects, name):
    [container] = find(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"]
    return environment(container)


def test_migrations_come_before_an_upgrade():
    job = find(rendered("default"), "Job", "carillon-migrate")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"
    told = {container["name"]: container for container in job["spec"]["template"]["spec"]["containers"]}
    assert sorted(told) == sorted(SERVICES)
    for service, container in told.items():
        assert container["args"] == ["migrate", "--services", service]
        [variable] = container["env"]
        assert variable["valueFrom"]["secretKeyRef"] == {"name": "carillon-database", "key": service}


def test_an_object_of_ones_own_is_a_template():
    more = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}
    assert find(render(both(PLAIN, {"extraObjects": [more]})), "ConfigMap", "carillon-more")


def notes(values, directory):
    """What Helm tells after an install: only a real one prints it, so that it becomes an object here."""
    copy = directory / "carillon"
    shutil.copytree(CHART, copy)
    (copy / "notes.txt").write_text((copy / "templates/NOTES.txt").read_text())
    wrapped = '{{ dict "kind" "Notes" "text" (tpl (.Files.Get "notes.txt") .) | toJson }}'
    (copy / "templates/notes.yaml").write_text(wrapped)
    (directory / "values.json").write_text(json.dumps(values))
    answer = run("helm", "template", RELEASE, copy, "-n", NAMESPACE, "-f", directory / "values.json", "-s", "templates/notes.yaml")
    assert answer.returncode == 0, answer.stderr
    return yaml.safe_load(answer.stdout)["text"]


def test_notes_say_what_to_do_next(tmp_path):
    text = notes(TRIAL, tmp_path)
    assert "helm test carillon --namespace carillon" in text
    assert "port-forward service/carillon-gateway 8000:8000" in text
    assert "get secret carillon-admin" in text and "This is a trial" in text


def test_a_demo_has_no_other_admin(tmp_path):
    objects = rendered("trial with the demo")
    told = variables(objects, "auth")
    assert told["CARILLON_DEMO"] == "true" and "CARILLON_BOOTSTRAP_ADMIN" not in told
    assert "carillon-admin" not in json.dumps(objects)
    [container] = find(objects, "Pod", "carillon-test")["spec"]["containers"]
    assert environment(container)["CARILLON_LOGIN"] == "alice"
    assert "alice, bob or admin" in notes(both(TRIAL, {"auth": {"demo": True}}), tmp_path)


def test_notes_warn_of_an_ingress_that_is_not_trusted(tmp_path):
    values = both(PLAIN, {"ingress": {"enabled": True, "hosts": ["a.example"]}})
    assert "gateway.trustedProxies is empty" in notes(values, tmp_path / "one")
    assert "trustedProxies" not in notes(both(values, {"gateway": {"trustedProxies": ["10.0.0.0/8"]}}), tmp_path / "other")
