"""The values with which the chart is rendered, and which every object of it has to be right with."""

from copy import deepcopy
from functools import cache

from tools import render

SERVICES = ["auth", "notification", "chat", "ticket-presence", "metrics"]
COMPONENTS = ["gateway", *SERVICES]

# Where everything is, told in the plainest way.
PLAIN = {"nats": {"url": "nats://nats.example:4222"}, "database": {"url": "postgres://carillon:secret@db.example/carillon"}}

# Secrets that the operator has made.
REFERENCES = {
    "nats": {"existingSecret": "my-nats", "peers": [{"ipBlock": {"cidr": "192.0.2.0/28"}}]},
    "database": {"existingSecret": "my-database", "caSecret": "my-database-ca"},
    "auth": {"bootstrapAdmin": {"name": "root", "existingSecret": "my-admin", "secretKey": "word"}},
    "blobs": {"store": "s3://bucket/files", "existingSecret": "my-blobs", "credentialsSecret": "my-bucket"},
    "identity": {"jwt": {"existingSecret": "my-django", "secretKey": "SECRET_KEY"}},
}

EVERYTHING = {
    **REFERENCES,
    "image": {"repository": "example/carillon", "digest": "sha256:" + "0" * 64, "pullSecrets": ["registry"]},
    "nats": {
        **REFERENCES["nats"],
        "credentialsSecret": "my-credentials",
        "caSecret": "my-nats-ca",
        "certificateSecret": "my-certificate",
    },
    "identity": {
        "bareIds": "keycloak",
        "leewaySeconds": 10,
        "jwt": {"existingSecret": "my-django", "name": "django", "userClaim": "id", "issuer": "i", "audience": "a", "roles": "staff=admin"},
        "jwks": {"url": "https://id.example/keys", "name": "keycloak", "userClaim": "sub", "issuer": "i", "audience": "a", "roles": "boss=admin"},
    },
    "defaults": {
        "extraEnv": [{"name": "RUST_BACKTRACE", "value": "1"}],
        "podAnnotations": {"example/team": "a"},
        "podLabels": {"example/team": "a"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "priorityClassName": "high",
        "serviceAccount": {"annotations": {"example/role": "bucket"}},
        "topologySpread": {"whenUnsatisfiable": "DoNotSchedule"},
    },
    "gateway": {
        "mode": "production",
        "allowedHosts": [".example.com"],
        "corsOrigins": ["https://app.example.com"],
        "trustedProxies": ["10.0.0.0/8"],
        "forwardedHeader": "forwarded",
        "proxyProtocol": True,
        "allowAnonymous": ["notifications"],
        "defaultDialect": "ticketing",
        "compression": True,
        "console": True,
        "heartbeatSeconds": 20,
        "drainSeconds": 60,
        "limits": {"connectionsPerAddress": 1000, "maxConnections": 1000000},
        "extraArgs": ["--queue-bytes=2097152"],
        "env": {"CARILLON_RECENT_BYTES": 67108864},
        "service": {"type": "LoadBalancer", "port": 443, "externalTrafficPolicy": "Local", "loadBalancerSourceRanges": ["192.0.2.0/24"]},
        "autoscaling": {"connections": {"enabled": True, "average": 40000}},
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "edge", "operator": "Exists"}]}]}}},
    },
    "chat": {"logAge": "72h", "roomAccess": ["chat:eng-=org:acme"], "attachmentBytes": 1048576},
    "notification": {"logAge": "72h", "inboxAge": "90d"},
    "ticketPresence": {"logAge": "72h"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "hosts": ["rt.example.com", "rt.example.org"],
        "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
        "tls": {"enabled": True, "secretName": "my-tls"},
    },
    "networkPolicy": {"clients": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}]},
    "monitoring": {"enabled": True, "labels": {"release": "prometheus"}},
    "tracing": {"endpoint": "http://collector.example:4318", "ratio": 0.01},
}


def both(base, more):
    """One set of values over another."""
    merged = deepcopy(base)
    for name, value in more.items():
        nested = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = both(merged[name], value) if nested else deepcopy(value)
    return merged


def key(component):
    """A component's name among the values."""
    return "ticketPresence" if component == "ticket-presence" else component


TRIAL = {"trial": {"enabled": True}}

MATRIX = {
    "default": PLAIN,
    "trial": TRIAL,
    "trial of two replicas": both(TRIAL, {"defaults": {"replicas": 3}, "chat": {"replicas": 2}}),
    "trial with the demo": both(TRIAL, {"auth": {"demo": True}}),
    "trial without files": both(TRIAL, {"trial": {"blobs": {"enabled": False}}}),
    "references": REFERENCES,
    "everything": EVERYTHING,
    "TLS in the gateway": both(PLAIN, {"gateway": {"tls": {"existingSecret": "my-certificate"}}, "test": {"caSecret": "my-ca"}}),
    "TLS in the gateway behind HAProxy": both(
        PLAIN,
        {
            "gateway": {"tls": {"existingSecret": "my-certificate"}},
            "ingress": {"enabled": True, "controller": "haproxy", "hosts": ["a.example"]},
        },
    ),
    "ingress without TLS": both(PLAIN, {"ingress": {"enabled": True, "hosts": ["a.example"]}}),
    "files on a volume": both(PLAIN, {"blobs": {"volume": {"enabled": True, "storageClass": "nfs"}}}),
    "files on a volume of mine": both(PLAIN, {"blobs": {"volume": {"enabled": True, "existingClaim": "mine"}}}),
    "nothing but workloads": both(
        PLAIN,
        {
            "networkPolicy": {"enabled": False},
            "migrations": {"enabled": False},
            "test": {"enabled": False},
            "monitoring": {"enabled": False, "dashboard": {"enabled": False}},
            "auth": {"bootstrapAdmin": {"name": ""}},
            "defaults": {
                "autoscaling": {"enabled": False},
                "podDisruptionBudget": {"enabled": False},
                "serviceAccount": {"create": False},
                "topologySpread": {"enabled": False},
            },
        },
    ),
    "IPv6": both(PLAIN, {"listenAddress": "[::]"}),
    "a gateway alone": both({"nats": PLAIN["nats"]}, {key(service): {"enabled": False} for service in SERVICES}),
    **{f"without {name}": both(PLAIN, {key(name): {"enabled": False}}) for name in COMPONENTS},
    **{f"trial without {name}": both(TRIAL, {key(name): {"enabled": False}}) for name in COMPONENTS},
}

# What is in the namespace before: the Secrets and claims that values name.
ALREADY_THERE = {
    ("Secret", "my-nats"): COMPONENTS,
    ("Secret", "my-database"): SERVICES,
    ("Secret", "my-database-ca"): ["ca.crt"],
    ("Secret", "my-admin"): ["word"],
    ("Secret", "my-blobs"): ["secret"],
    ("Secret", "my-bucket"): ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    ("Secret", "my-django"): ["SECRET_KEY", "secret"],
    ("Secret", "my-credentials"): [f"{name}.creds" for name in COMPONENTS],
    ("Secret", "my-nats-ca"): ["ca.crt"],
    ("Secret", "my-ca"): ["ca.crt"],
    ("Secret", "my-certificate"): ["tls.crt", "tls.key"],
    ("Secret", "my-tls"): ["tls.crt", "tls.key"],
    ("Secret", "registry"): [".dockerconfigjson"],
    ("PersistentVolumeClaim", "mine"): [],
    ("ServiceAccount", "default"): [],
}


@cache
def rendered(name):
    """The objects of one entry of the matrix."""
    return render(MATRIX[name])
