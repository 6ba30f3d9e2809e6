"""Finding one's way in a set of Kubernetes objects."""

# Kinds that have a template of pods.
WORKLOADS = ("Deployment", "StatefulSet", "Job")


def name(thing):
    """An object's kind and name, for people and for looking it up."""
    return thing["kind"], thing["metadata"]["name"]


def of_kind(objects, *kinds):
    return [thing for thing in objects if thing["kind"] in kinds]


def find(objects, kind, called):
    [found] = [thing for thing in objects if name(thing) == (kind, called)]
    return found


def component(thing):
    """Which part of Carillon an object belongs to."""
    return thing["metadata"]["labels"]["app.kubernetes.io/component"]


def pods(objects):
    """Every pod that these objects start: its labels and its specification, by the object that starts it."""
    found = {}
    for thing in of_kind(objects, *WORKLOADS):
        template = thing["spec"]["template"]
        found[name(thing)] = (template["metadata"]["labels"], template["spec"])
    for thing in of_kind(objects, "Pod"):
        found[name(thing)] = (thing["metadata"]["labels"], thing["spec"])
    return found


def containers(objects):
    """Every container, with whose it is."""
    for whose, (_, pod) in pods(objects).items():
        for container in pod.get("initContainers", []) + pod["containers"]:
            yield whose, container


def environment(container):
    """A container's variables that have a value of their own."""
    return {entry["name"]: entry["value"] for entry in container.get("env", []) if "value" in entry}


def chosen(selector, labels):
    """Whether a label selector chooses these labels."""
    unknown = set(selector) - {"matchLabels"}
    assert not unknown, f"these tests can't read {unknown} of a selector"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
