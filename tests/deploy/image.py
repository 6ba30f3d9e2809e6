"""deploy/docker/Dockerfile, read by a parser of Dockerfiles."""

import json
import re
import shlex
from functools import cached_property
from pathlib import Path

from dockerfile_parse import DockerfileParser

from processes import REPOSITORY

DOCKERFILE = REPOSITORY / "deploy/docker/Dockerfile"


class Image:
    """What the image says of itself: of its last stage, unless something else is said."""

    def __init__(self, dockerfile=DOCKERFILE):
        self.path = Path(dockerfile)
        self.parser = DockerfileParser(str(self.path), parent_env={})

    @cached_property
    def instructions(self):
        """Every instruction, as (stage, name, words), comments left out. Stages are counted from 0; what is before the first is -1."""
        found, stage = [], -1
        for entry in self.parser.structure:
            if entry["instruction"] == "COMMENT":
                continue
            stage += entry["instruction"] == "FROM"
            found.append((stage, entry["instruction"], entry["value"]))
        return found

    def of(self, name, stage=None):
        """The values of all instructions of a name."""
        return [value for at, found, value in self.instructions if found == name and stage in (None, at)]

    @cached_property
    def last(self):
        return max(stage for stage, _, _ in self.instructions)

    @cached_property
    def environment(self):
        """What ENV sets in the last stage."""
        words = [word for value in self.of("ENV", self.last) for word in shlex.split(value)]
        return dict(word.split("=", 1) for word in words)

    @cached_property
    def arguments(self):
        """The defaults of every ARG that has one."""
        return dict(value.split("=", 1) for value in self.of("ARG") if "=" in value)

    @cached_property
    def bases(self):
        """What each stage is made FROM, with defaults in the place of arguments, and its name."""
        stages = []
        for value in self.of("FROM"):
            words = value.split()
            base = re.sub(r"\$\{(\w+)\}", lambda match: self.arguments[match[1]], words[0])
            stages.append((base, words[2] if len(words) == 3 else None))
        return stages

    @cached_property
    def copies(self):
        """Every COPY, as (stage, flags, sources, destination)."""
        found = []
        for stage, name, value in self.instructions:
            if name == "COPY":
                words = value.split()
                flags = dict(word.removeprefix("--").partition("=")[::2] for word in words if word.startswith("--"))
                *sources, destination = [word for word in words if not word.startswith("--")]
                found.append((stage, flags, sources, destination))
        return found

    @cached_property
    def command(self):
        return json.loads(self.of("CMD", self.last)[-1])

    @cached_property
    def health(self):
        """The command of HEALTHCHECK."""
        value = self.of("HEALTHCHECK", self.last)[-1]
        return json.loads(value[value.index("["):])
