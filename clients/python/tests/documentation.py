"""Code out of documents, to be run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent
REPOSITORY = CLIENT.parent.parent


def blocks(file: Path, language: str) -> list[str]:
    """The code of a language in a Markdown file."""
    return re.findall(rf"^```{language}\n(.*?)^```", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def block(file: Path, language: str, containing: str) -> str:
    """The one that has this text."""
    (found,) = [code for code in blocks(file, language) if containing in code]
    return found
