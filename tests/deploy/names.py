"""What there is by name: options and variables of the binaries, paths of the HTTP and WebSocket API, ports, metrics, files, and
targets of make. And finders of names in texts that nothing has."""

import re
import subprocess
from functools import cache
from pathlib import Path

from processes import REPOSITORY, carillon

SERVICES = ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"]

# Whose texts name things: manifests, compose, units, configurations, and documents.
TEXTS = ["deploy/**/*", "k8s/**/*", "docs/*.md", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Makefile"]
NOT_TEXTS = {".json", ".tgz", ".png", ".svg", ".lock"}


@cache
def texts():
    """Every such file, by its path in the repository."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True,
                            cwd=REPOSITORY, check=True).stdout.splitlines()
    wanted = {path for pattern in TEXTS for path in REPOSITORY.glob(pattern)}
    files = [REPOSITORY / name for name in listed]
    return {
        str(file.relative_to(REPOSITORY)): file.read_text()
        for file in files
        if file in wanted and file.is_file() and file.suffix not in NOT_TEXTS
    }


# ---- what there is -----------------------------------------------------------------------------------------------------


@cache
def helps():
    """What every binary, and every command of `carillon`, says of itself."""
    found = {name: asked(name) for name in [*SERVICES, "carillon"]}
    listed = found["carillon"].split("Commands:")[1].split("Options:")[0]
    for command in re.findall(r"(?m)^  ([a-z]+) ", listed):
        found[f"carillon {command}"] = asked("carillon", command) if command != "help" else ""
    return found


def asked(name, *arguments):
    return subprocess.run([carillon(name), *arguments, "--help"], capture_output=True, text=True, check=True).stdout


def flags_of(text):
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]*)", text))


@cache
def flags():
    """The options of everything that is built here, tools of the tests included."""
    # Helm's, by which a chart's pages name its values.
    found = {"--set"} | {flag for text in helps().values() for flag in flags_of(text)}
    for source in [*REPOSITORY.glob("tests/**/*.rs"), *REPOSITORY.glob("crates/testkit/src/**/*.rs")]:
        for field in re.findall(r"#\[arg\([^\]]*?long[^\]]*\]\s*(?:pub(?:\([a-z]+\))? )?(\w+):", source.read_text()):
            found.add("--" + field.replace("_", "-"))
    return found


@cache
def variables():
    """Variables that a binary reads, by its help; or that something else here reads, by its source."""
    found = {name for text in helps().values() for name in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\bDEBUG\b", text)}
    for source in [*REPOSITORY.glob("services/*/src/**/*.rs"), *REPOSITORY.glob("crates/**/*.rs"), *REPOSITORY.glob("tests/**/*.rs")]:
        found |= set(re.findall(r'"((?:CARILLON|OTEL|AWS|GOOGLE|AZURE)_[A-Z0-9_]+)"', source.read_text()))
    for pattern in ("tests/**/*.py", "deploy/**/*.sh", "deploy/**/*.sql", "scripts/*.sh", "Makefile", "clients/**/*.py", "clients/**/*.mjs", "clients/**/*.ts"):
        for source in REPOSITORY.glob(pattern):
            if {"node_modules", ".venv", "dist"} & set(source.parts) or not source.is_file():
                continue
            found |= set(re.findall(r"(?:environ(?:\.get)?[\[(]\"|process\.env\.|\$\{?)(CARILLON_[A-Z0-9_]+)", source.read_text()))
    # Compose has variables of its own, and says what they are without anybody setting them.
    compose = (REPOSITORY / "deploy/compose/compose.yaml").read_text()
    return found | set(re.findall(r"\$\{(CARILLON_[A-Z0-9_]+):-", compose))


@cache
def patterns():
    """Every path that a gateway or an operator's port serves, as patterns of segments."""
    found = {"/healthz", "/readyz", "/metrics"}
    # The tables of routes and endpoints, and what the gateway itself answers.
    for name in ("crates/contract/src/route.rs", "crates/contract/src/endpoint.rs", "services/gateway/src/edge/events.rs"):
        source = (REPOSITORY / name).read_text().split("#[cfg(test)]")[0]
        found |= set(re.findall(r'"(/(?:api|ws|blobs|\.well-known)[^" ]*)"', source))
    return [pattern.strip("/").split("/") for pattern in found]


@cache
def metrics():
    """Metrics by docs/metrics.md, which is written out of what processes register; and recording rules."""
    found = set(re.findall(r"(?m)^\| `([a-z_]+)` \| (?:counter|gauge|histogram)", (REPOSITORY / "docs/metrics.md").read_text()))
    histograms = re.findall(r"(?m)^\| `([a-z_]+)` \| histogram", (REPOSITORY / "docs/metrics.md").read_text())
    found |= {name + suffix for name in histograms for suffix in ("_bucket", "_sum", "_count")}
    rules = (REPOSITORY / "deploy/prometheus/carillon.recording.yml").read_text()
    return found | set(re.findall(r"record: (\S+)", rules))


@cache
def ports():
    """Ports that something listens on: by the binaries' defaults, the image, compose, and the servers' configurations."""
    # Where every OpenTelemetry collector listens for HTTP.
    found = {4318}
    found |= {int(port) for text in helps().values() for port in re.findall(r"default: [a-z:/0-9.]*:(\d+)\]", text)}
    for file, pattern in {
        "deploy/docker/Dockerfile": r"(?m)(?:^EXPOSE |(?<=\d) )(\d{4})(?= |$)",
        "deploy/compose/compose.yaml": r":(\d+)(?=\"\])",
        "deploy/nats/trial.conf": r"port: (\d+)",
        "deploy/nats/server.conf": r"port: (\d+)",
        "deploy/nats/cluster.conf": r"port: (\d+)",
        "deploy/nginx/carillon/gateways.conf": r"server 127\.0\.0\.1:(\d+)",
        "crates/testkit/src/bin/cluster.rs": r"default_value_t = (\d+)",
    }.items():
        text = (REPOSITORY / file).read_text() if (REPOSITORY / file).exists() else ""
        found |= {int(port) for port in re.findall(pattern, text)}
    return found


@cache
def targets():
    return set(re.findall(r"(?m)^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text()))


# ---- what a text names that there isn't --------------------------------------------------------------------------------


def wrong_variables(text, path=""):
    """Variables of Carillon's own, and those that the documents it replaces gave names to."""
    named = re.findall(r"\bCARILLON_[A-Z0-9_]*[A-Z0-9]\b(?!_|…|\*)", text)
    named += re.findall(r"\b(?:ALLOWED_HOSTS|KEYCLOAK_[A-Z_]+|MAX_[A-Z]+_[A-Z_]+|USE_PRODUCTION_[A-Z_]+)\b", text)
    return {name for name in named if name not in variables()}


def wrong_flags(text, path=""):
    """Options in the command lines of our binaries, and options that a document names in backticks."""
    found = set()
    for program, line in command_lines(text):
        known = flags_of(helps()[program]) | {"--help", "--version"}
        found |= {f"{program} {flag}" for flag in flags_of(line) if flag not in known}
    if path.endswith(".md"):
        found |= {flag for flag in re.findall(r"`(--[a-z][a-z0-9-]*[a-z0-9])\b(?!…|-)", text) if flag not in flags()}
    return found


def command_lines(text):
    """What is started by our binaries' names: in shells, units, manifests and compose."""
    text = re.sub(r"\\\n\s*", " ", text)
    names = "|".join(sorted((name for name in helps() if name not in SERVICES), key=len, reverse=True))
    starts = rf"(?:^|[`$|&(]|ExecStart=|/usr/local/bin/|exec |-- )\s*(?:\w+=\S+ )*(?:/usr/local/bin/)?({names}|{'|'.join(SERVICES)})(?= -)([^\n`|#;)]*)"
    for match in re.finditer(starts, text, re.MULTILINE):
        yield match[1], match[2].split(" -- ")[0]


def wrong_paths(text, path=""):
    """Paths of the API that no route or endpoint has."""
    found = set()
    for named in re.findall(r"(?<![\w./$}*-])(/(?:api|ws)/[^\s`\"'?,;)|<>\\]*|/(?:healthz|readyz)\b)", text):
        # In nginx a location is what paths begin with; in documents an ellipsis, or a wildcard, stands for the rest.
        exact = named.rstrip("/.:…*").rstrip("/") or named
        if not any(covers(pattern, exact.strip("/").split("/")) for pattern in patterns()):
            found.add(named)
    return found


def covers(pattern, named):
    """Whether these are the first segments of a pattern."""
    if len(named) > len(pattern):
        return False
    return all(is_parameter(expected) or is_parameter(found) or expected == found for expected, found in zip(pattern, named))


def is_parameter(segment):
    return bool(re.search(r"[{$*…]", segment))


def wrong_metrics(text, path=""):
    """Metrics that no process registers, and recording rules that there aren't."""
    named = re.findall(r"\bcarillon_[a-z]+_[a-z_]*[a-z]\b(?![-./*…])", text)
    # A recording rule is a metric between levels and operations: those parts are its own.
    rules = set(re.findall(r"(?<![\w/$])[a-z_]+:carillon_[a-z_]+:[a-z0-9_]+", text))
    named = [name for name in named if not any(name in rule for rule in rules)] + list(rules)
    return {name for name in named if name not in metrics() and not is_name_of_something_else(name)}


def is_name_of_something_else(name):
    """Crates, and names in configurations, look like metrics."""
    crates = {f"carillon_{path.parent.name.replace('-', '_')}" for path in REPOSITORY.glob("*/*/Cargo.toml")}
    nginx = "".join(path.read_text() for path in REPOSITORY.glob("deploy/**/*.conf"))
    return name in crates or re.search(rf"(?:upstream |\$|zone |@){name}\b", nginx) is not None


def wrong_files(text, path=""):
    """Files of the repository that a text names, and that aren't there. A pattern is fine if anything matches it."""
    found = set()
    base = (REPOSITORY / path).parent
    if path.endswith(".md"):
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in link and not link.startswith("mailto:") and not (base / link).exists():
                found.add(link)
    tops = "crates|services|deploy|docs|proto|scripts|tests|k8s|clients"
    for named in re.findall(rf"(?<![\w./$<-])((?:{tops})/[\w./*-]*[\w*])", text):
        ignored = subprocess_ignores(named)
        if not list(REPOSITORY.glob(named)) and not list(base.glob(named)) and not ignored:
            found.add(named)
    return found


@cache
def subprocess_ignores(path):
    """Whether git ignores the path: what is built or unpacked there."""
    answer = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", path], cwd=REPOSITORY)
    return answer.returncode == 0


def wrong_anchors(text, path=""):
    """Links into documents, to headings that they don't have."""
    found = set()
    for link, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", text) if path.endswith(".md") else []:
        target = (REPOSITORY / path).parent / link if link else REPOSITORY / path
        if "://" in link or not target.is_file():
            continue
        headings = re.findall(r"(?m)^#+ (.+)$", target.read_text())
        if anchor not in {slug(heading) for heading in headings}:
            found.add(f"{link}#{anchor}")
    return found


def slug(heading):
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return words.replace(" ", "-")


def wrong_ports(text, path=""):
    """Ports of this machine that nothing listens on."""
    # In a unit's template the instance is behind the first digits: 127.0.0.1:800%i.
    named = re.findall(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d+)\b(?!%)", text)
    named += re.findall(r"(?:containerPort|targetPort): (\d+)", text)
    return {port for port in named if int(port) not in ports()}


def wrong_targets(text, path=""):
    """Targets that the Makefile doesn't have."""
    return {name for name in re.findall(r"`make ([a-z][a-z0-9-]*)|^make ([a-z][a-z0-9-]*)", text, re.MULTILINE)
            for name in name if name and name not in targets()}
