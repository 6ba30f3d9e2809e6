"""As much of an API server as Helm's `lookup` asks."""

import base64
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

SECRETS = {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["get", "list"]}


def answers(secrets):
    """What is answered, by path; everything else is not there."""
    there = {
        "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [SECRETS]},
    }
    for (namespace, name), data in secrets.items():
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        metadata = {"name": name, "namespace": namespace}
        there[f"/api/v1/namespaces/{namespace}/secrets/{name}"] = {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": encoded}
    return there


@contextmanager
def serving(secrets, directory):
    """Serves these Secrets: {(namespace, name): {key: text}}. Yields a kubeconfig."""
    there = answers(secrets)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = there.get(self.path.split("?")[0])
            missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            body = json.dumps(found or missing).encode()
            self.send_response(200 if found else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kubeconfig(server.server_port, directory)
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
