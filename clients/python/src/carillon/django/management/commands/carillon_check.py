"""`manage.py carillon_check`: whether the connection to Carillon works, and how to mend what doesn't."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...examination import Finding, examine


class Command(BaseCommand):
    help = "Checks the connection to Carillon: address, tokens, scopes, channel layer. Publishes nothing to anybody."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--origin", help="also whether pages of this origin may connect, as https://app.example.com"
        )
        parser.add_argument("--json", action="store_true", help="print one object")

    def handle(self, *_: Any, **options: Any) -> None:
        findings: list[Finding] = []
        for finding in examine(options["origin"]):
            findings.append(finding)
            if not options["json"]:
                self._say(finding)
        failed = sum(finding.status == "failed" for finding in findings)
        if options["json"]:
            report = {"ok": not failed, "checks": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(report))
        if failed:
            raise CommandError(f"{failed} of {len(findings)} checks failed", returncode=1)

    def _say(self, finding: Finding) -> None:
        style = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "failed": self.style.ERROR}
        status = style.get(finding.status, str)(f"{finding.status:8}")
        self.stdout.write(f"{finding.check:28} {status} {finding.detail}")
        if finding.mend:
            self.stdout.write(f"{'':37} {finding.mend}")
