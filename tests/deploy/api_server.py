"""As much of an API server as Helm needs: it keeps objects, and remembers in which order it was asked to change them. Nothing runs
in it; of Jobs and Pods it says at once how they ended."""

import base64
import json
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from kubernetes_protobuf import secret

# What the chart is made of, by group and version.
KINDS = {
    "v1": ["ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"],
    "apps/v1": ["Deployment", "StatefulSet"],
    "autoscaling/v2": ["HorizontalPodAutoscaler"],
    "batch/v1": ["Job"],
    "networking.k8s.io/v1": ["Ingress", "NetworkPolicy"],
    "policy/v1": ["PodDisruptionBudget"],
}
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def plural(kind):
    name = kind.lower()
    if name.endswith("y"):
        return name[:-1] + "ies"
    return name + ("es" if name.endswith("ss") else "s")


def discovery():
    """What there is, by path."""
    there = {"/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}, "/api": {"kind": "APIVersions", "versions": ["v1"]}}
    groups, documents = [], {}
    for version, kinds in KINDS.items():
        resources = [{"name": plural(kind), "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": VERBS} for kind in kinds]
        root = "/api/v1" if version == "v1" else f"/apis/{version}"
        documents[root[1:]] = {"serverRelativeURL": f"/openapi/v3{root}"}
        there[f"/openapi/v3{root}"] = validation(root, version, kinds)
        there[root] = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}
        if version != "v1":
            named = {"groupVersion": version, "version": version.split("/")[1]}
            groups.append({"name": version.split("/")[0], "versions": [named], "preferredVersion": named})
    there["/openapi/v3"] = {"paths": documents}
    there["/apis"] = {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    return there


def validation(root, version, kinds):
    """That this server checks fields itself: then Helm doesn't."""
    group, _, version = version.rpartition("/")
    paths = {}
    for kind in kinds:
        about = {"group": group, "version": version, "kind": kind}
        patch = {"parameters": [{"name": "fieldValidation", "in": "query"}], "x-kubernetes-group-version-kind": about}
        paths[f"{root}/namespaces/{{namespace}}/{plural(kind)}/{{name}}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": version}, "paths": paths}


class Cluster:
    """Objects by their paths, and the changes that were asked for: (method, kind, name, body)."""

    def __init__(self):
        self.objects = {}
        self.changes = []
        self.jobs_succeed = True

    def object(self, kind, name):
        [found] = [thing for path, thing in self.objects.items() if path.endswith(f"/{plural(kind)}/{name}")]
        return found

    def get(self, path, query):
        found = discovery().get(path) or self.objects.get(path)
        if found:
            return 200, found
        if path.rsplit("/", 1)[-1] in {plural(kind) for kinds in KINDS.values() for kind in kinds}:
            return 200, self.list(path, query)
        return missing(path)

    def list(self, path, query):
        items = [thing for at, thing in self.objects.items() if at.rsplit("/", 1)[0] == path]
        for selector in query.get("labelSelector", [""])[0].split(","):
            key, _, value = selector.partition("=")
            items = [thing for thing in items if not key or thing["metadata"].get("labels", {}).get(key) == value]
        for selector in query.get("fieldSelector", []):
            name = selector.removeprefix("metadata.name=")
            items = [thing for thing in items if thing["metadata"]["name"] == name]
        [(version, kind)] = [(version, kind) for version, kinds in KINDS.items() for kind in kinds if path.endswith("/" + plural(kind))]
        return {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}

    def change(self, method, path, body):
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
        elif path not in self.objects:
            return missing(path)
        kind = (body if method in ("POST", "PUT") else self.objects[path])["kind"]
        self.changes.append((method, kind, path.rsplit("/", 1)[-1], body))
        if method == "DELETE":
            return 200, self.objects.pop(path)
        if method != "PATCH":
            # What a patch changes is remembered, and not carried out.
            self.objects[path] = self.completed(path, body)
        return 201 if method == "POST" else 200, self.objects[path]

    def completed(self, path, thing):
        """An object as the server keeps it, and as whatever it starts ends."""
        metadata = {"namespace": path.split("/namespaces/")[1].split("/")[0], "uid": str(uuid.uuid4()), "resourceVersion": "1"}
        thing = {**thing, "metadata": {**thing["metadata"], **metadata}}
        if texts := thing.pop("stringData", {}):
            thing["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        if thing["kind"] == "Job":
            how = "Complete" if self.jobs_succeed else "Failed"
            thing["status"] = {"conditions": [{"type": how, "status": "True", "reason": "Because"}]}
        if thing["kind"] == "Pod":
            thing["status"] = {"phase": "Succeeded"}
        return thing


def missing(path):
    return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": f"{path} not found"}


@contextmanager
def serving(directory):
    """A cluster without anything in it, and a kubeconfig for it."""
    cluster = Cluster()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            address = urlsplit(self.path)
            query = parse_qs(address.query)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if "watch" in query:
                # Nothing changes any more: who watches lists first.
                return self.send(422, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422})
            if self.command == "GET":
                return self.send(*cluster.get(address.path, query))
            # How something is to be deleted doesn't matter here.
            asked = {} if self.command == "DELETE" else secret(body) if body.startswith(b"k8s") else json.loads(body)
            return self.send(*cluster.change(self.command, address.path, asked))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def send(self, status, found):
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield cluster, kubeconfig(server.server_port, directory)
    finally:
        server.shutdown()
        server.server_close()


def kubeconfig(port, directory):
    file = directory / "kubeconfig"
    entry = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file.write_text(json.dumps(entry))
    return file
