"""What an API server would say of each object by itself."""

import json
import re
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate

# The oldest Kubernetes that the chart takes, and the newest that there are schemas of.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]

# Kinds of the Prometheus operator, of which Kubernetes has no schemas.
CUSTOM = {
    kind: json.loads((Path(__file__).parent / f"schemas/{kind.lower()}.json").read_text())
    for kind in ("ServiceMonitor", "PrometheusRule")
}

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
QUALIFIED_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def problem(thing):
    """What is wrong with an object, or nothing."""
    return problem_of(json.dumps(thing, sort_keys=True))


@cache
def problem_of(text):
    """The same; many sets have the same object."""
    thing = json.loads(text)
    try:
        if thing["kind"] in CUSTOM:
            assert thing["apiVersion"] == "monitoring.coreos.com/v1"
            jsonschema.validate(thing["spec"], CUSTOM[thing["kind"]])
        else:
            for version in VERSIONS:
                kubernetes_validate.validate(thing, version, strict=True)
    except (jsonschema.ValidationError, AssertionError) as error:
        return str(error)
    return metadata_problem(thing)


def metadata_problem(thing):
    metadata = thing["metadata"]
    if not DNS_LABEL.fullmatch(metadata["name"]):
        return f"{metadata['name']!r} is no name"
    labels = metadata.get("labels", {})
    for key, value in labels.items():
        if not QUALIFIED_NAME.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
            return f"{key}: {value!r} is no label"
    for key, value in metadata.get("annotations", {}).items():
        if not QUALIFIED_NAME.fullmatch(key) or not isinstance(value, str):
            return f"{key}: {value!r} is no annotation"
    return None
