"""A certificate authority of a test's own, made with openssl."""

import subprocess
from pathlib import Path


class Authority:
    """Certificates for names, of an authority that nobody else knows."""

    def __init__(self, directory, name="Carillon's test authority"):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.key, self.certificate = self.directory / "ca.key", self.directory / "ca.crt"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", self.key, "-out", self.certificate)

    def issue(self, directory, *names):
        """A certificate and its key for these names (of hosts, or addresses), as a Kubernetes Secret has them."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        key, request, certificate = (directory / name for name in ("tls.key", "tls.csr", "tls.crt"))
        alternatives = ",".join(("IP:" if name[0].isdigit() else "DNS:") + name for name in names)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={names[0]}",
                "-keyout", key, "-out", request)
        extensions = directory / "extensions"
        extensions.write_text(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", "2", "-extfile", extensions, "-out", certificate)
        (directory / "ca.crt").write_bytes(self.certificate.read_bytes())
        return directory


def openssl(*arguments):
    answer = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
