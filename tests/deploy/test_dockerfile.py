"""deploy/docker: every path, command and flag in the Dockerfile is there, and the image is what is promised of it."""

import json
import os
import re
import shlex
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from image import DOCKERFILE, Image
from processes import REPOSITORY, carillon

PROGRAMS = ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"]


@pytest.fixture(scope="module")
def image():
    return Image()


# ---- its sources ------------------------------------------------------------------------------------------------------


def test_every_source_is_in_the_repository_and_in_the_context(image):
    assert missing(image) == []


def test_a_source_that_is_not_there_would_be_found(tmp_path):
    wrong = tmp_path / "Dockerfile"
    text = DOCKERFILE.read_text()
    wrong.write_text(text.replace("COPY proto proto", "COPY protobuf proto\nCOPY docs docs"))
    assert missing(Image(wrong)) == ["protobuf: not in the repository", "docs: kept out of the context by .dockerignore"]


def missing(image):
    """The sources of COPY that can't be copied, and why."""
    found = []
    stages = {name for _, name in image.bases if name}
    for _, flags, sources, _ in image.copies:
        if "from" in flags:
            if flags["from"] not in stages:
                found.append(f"{flags['from']}: no such stage")
            continue
        for source in sources:
            if not list(REPOSITORY.glob(source)):
                found.append(f"{source}: not in the repository")
            elif is_ignored(source):
                found.append(f"{source}: kept out of the context by .dockerignore")
    return found


def is_ignored(path):
    """By Docker's rules: the last pattern that matches the path, or a directory that it is in, decides."""
    ignored = False
    for line in Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines():
        pattern = line.strip().removeprefix("!").removeprefix("**/")
        if not pattern or line.startswith("#"):
            continue
        parts = Path(path).parts
        if any(fnmatch("/".join(parts[: length + 1]), pattern) for length in range(len(parts))):
            ignored = not line.startswith("!")
    return ignored


def test_the_whole_workspace_is_in_the_context(image):
    """Cargo wants every member's manifest, whichever binary it builds."""
    metadata = cargo_metadata()
    copied = [source for _, flags, sources, _ in image.copies if "from" not in flags for source in sources]
    for package in metadata["packages"]:
        place = Path(package["manifest_path"]).relative_to(REPOSITORY)
        assert place.parts[0] in copied, place
    for file in ("Cargo.toml", "Cargo.lock"):
        assert file in copied


def test_what_the_binaries_embed_is_in_the_context(image):
    """Files that sources of what is built include, beyond their own packages."""
    copied = [source for _, flags, sources, _ in image.copies if "from" not in flags for source in sources]
    embedded = []
    for source in [*REPOSITORY.glob("crates/*/src/**/*.rs"), *REPOSITORY.glob("services/*/src/**/*.rs")]:
        if source.is_relative_to(REPOSITORY / "crates/testkit"):
            # Of tests alone; no binary of the image depends on it.
            continue
        for included in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', source.read_text()):
            embedded.append((source.parent / included).resolve().relative_to(REPOSITORY))
    assert embedded
    for file in embedded:
        assert (REPOSITORY / file).exists() and file.parts[0] in copied, file


# ---- its commands -----------------------------------------------------------------------------------------------------


def cargo_metadata():
    answer = subprocess.run(["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"], capture_output=True,
                            text=True, cwd=REPOSITORY)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def commands(image):
    """The commands of every RUN, without its mounts, as lists of words."""
    found = []
    for value in image.of("RUN"):
        for command in re.split(r"&&|;", value):
            words = [word for word in shlex.split(command) if not word.startswith("--mount=")]
            found.append([word for word in words if word not in ("do", "done")])
    return [words for words in found if words]


def test_cargo_is_asked_for_what_there_is(image):
    targets = {target["name"]: target["kind"] for package in cargo_metadata()["packages"] for target in package["targets"]
               if "bin" in target["kind"]}
    [build] = [words for words in commands(image) if words[:2] == ["cargo", "build"]]
    names = [words for flag, words in zip(build, build[1:]) if flag == "--bin"]
    assert names and set(names) <= set(targets)
    flags = {word for word in build if word.startswith("--")}
    known = subprocess.run(["cargo", "build", "--help"], capture_output=True, text=True).stdout
    assert all(flag in known for flag in flags) and "--locked" in flags and "--no-such-flag" not in known
    assert set(PROGRAMS) < set(targets)


def test_the_other_commands_take_their_flags(image):
    """The commands of the builder are those of this Debian."""
    for words in commands(image):
        program = words[0]
        if program in ("for", "cargo", "apt-get", "npm"):
            continue
        known = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
        assert known, program
        arguments = words[1:]
        nested = arguments.index("-exec") if "-exec" in arguments else len(arguments)
        for flag in arguments[:nested]:
            if flag.startswith("--"):
                assert flag.split("=")[0] in known, f"{program} {flag}"


def test_the_console_is_built_as_its_script_does_it_and_lies_where_the_gateway_takes_it_from(image):
    """Of npm's flags its help tells none: scripts/build-console.sh, which the tests run, has the same commands."""
    script = (REPOSITORY / "scripts/build-console.sh").read_text()
    console = "clients/console"
    built = [" ".join(words).replace(console, '"$console"') for words in commands(image) if words[0] == "npm"]
    assert len(built) == 2
    for command in built:
        assert command in script.replace("--prefix $console", '--prefix "$console"'), command
    assert "build" in json.loads((REPOSITORY / console / "package.json").read_text())["scripts"]
    [copy] = [copy for copy in image.copies if copy[1].get("from") == "console"]
    assert copy[2:] == ([f"/src/{console}/dist"], f"{console}/dist")
    assert f"../../{console}/dist" in (REPOSITORY / "services/gateway/build.rs").read_text()


def test_packages_are_debians(image):
    [install] = [words for words in commands(image) if words[:2] == ["apt-get", "install"]]
    packages = [word for word in install[2:] if not word.startswith("-")]
    answer = subprocess.run(["apt-cache", "show", *packages], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert subprocess.run(["apt-cache", "show", "no-such-package"], capture_output=True).returncode != 0


def test_what_cargo_is_configured_by_is_in_the_context(image):
    """.cargo/config.toml has settings of the allocator, which are built into it."""
    assert (".cargo" in [source for _, _, sources, _ in image.copies for source in sources]) == (REPOSITORY / ".cargo").exists()


def test_every_program_is_in_the_image_by_its_name(image):
    [loop] = [words for words in commands(image) if words[0] == "for"]
    assert sorted(loop[3:]) == sorted(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_carillon_is_each_service_by_the_name_that_it_is_called_by(program, tmp_path):
    link = tmp_path / program
    link.symlink_to(carillon("carillon"))
    own, linked = (subprocess.run([path, "--help"], capture_output=True, text=True) for path in (carillon(program), link))
    assert own.returncode == linked.returncode == 0
    assert own.stdout == linked.stdout and f"Usage: {program} " in linked.stdout


def test_the_binary_needs_no_more_than_the_runtime_has():
    """distroless/cc: the C library, libgcc, and the loader."""
    answer = subprocess.run(["ldd", carillon("carillon")], capture_output=True, text=True)
    needed = set(re.findall(r"^\s+(?:/\S*/)?(\S+?\.so\S*)", answer.stdout, re.MULTILINE))
    assert needed <= {"linux-vdso.so.1", "libgcc_s.so.1", "libm.so.6", "libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


# ---- what it is --------------------------------------------------------------------------------------------------------


def test_bases_are_arguments_with_a_tag_and_can_have_a_digest(image):
    for value in image.of("FROM"):
        assert re.match(r"\$\{\w+\}", value), f"{value}: its digest can't be said by --build-arg"
    for base, _ in image.bases:
        assert re.fullmatch(r"[a-z0-9./-]+:[a-z0-9.-]+", base), base
        assert not base.endswith(":latest")


def test_the_compiler_is_that_of_the_repository(image):
    channel = re.search(r'channel = "([\d.]+)"', (REPOSITORY / "rust-toolchain.toml").read_text())[1]
    assert f":{channel}-" in image.arguments["RUST_IMAGE"]
    assert any(f"RUSTUP_TOOLCHAIN={channel}" in value for value in image.of("ENV"))


def test_builder_and_runtime_have_one_c_library(image):
    assert "bookworm" in image.arguments["RUST_IMAGE"] and "debian12" in image.arguments["RUNTIME_IMAGE"]


def test_it_runs_as_nobody_and_listens_where_it_says(image):
    assert image.of("USER", image.last) == ["65532:65532"]
    assert image.of("EXPOSE", image.last) == ["8000 9000"]
    assert image.environment["CARILLON_LISTEN"] == "0.0.0.0:8000"
    assert image.environment["CARILLON_OPS_LISTEN"] == "0.0.0.0:9000"
    assert image.of("STOPSIGNAL", image.last) == ["SIGTERM"]


def test_its_version_is_the_workspaces(image):
    version = re.search(r'(?m)^version = "([^"]+)"', (REPOSITORY / "Cargo.toml").read_text())[1]
    assert image.arguments["VERSION"] == version


def test_its_commands_and_variables_are_those_of_carillon(image):
    known = subprocess.run([carillon("carillon"), "up", "--help"], capture_output=True, text=True).stdout
    for name in image.environment:
        assert name == "PATH" or f"[env: {name}" in known, name
    for command in (image.command, image.health):
        answer = subprocess.run([carillon(command[0]), *command[1:], "--help"], capture_output=True, text=True)
        assert answer.returncode == 0, command
    wrong = subprocess.run([carillon("carillon"), "no-such-command", "--help"], capture_output=True, text=True)
    assert wrong.returncode != 0


def test_it_has_the_labels_of_an_image(image):
    labels = " ".join(image.of("LABEL", image.last))
    for name in ("title", "description", "licenses", "version", "revision", "base.name"):
        assert f"org.opencontainers.image.{name}=" in labels
    assert f'base.name="{image.arguments["RUNTIME_IMAGE"]}"' in labels


def test_the_directory_that_is_written_to_is_the_users(image):
    [copy] = [copy for copy in image.copies if copy[1].get("chown")]
    assert copy[1]["chown"] == "65532:65532" and copy[3].rstrip("/") == image.environment["CARILLON_DATA_DIR"]
    assert os.path.commonpath([copy[3], image.of("WORKDIR", image.last)[0]]) == copy[3].rstrip("/")
