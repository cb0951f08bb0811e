"""What independent programs say of a subscriber's certificate.

    python judge.py DIRECTORY

DIRECTORY holds NAME.pem, NAME.der, NAME.chain and NAME.p7b as a subscriber
downloads them, and NAME.crl of their issuer. pkilint lints the certificate
against RFC 5280, and cryptography checks the signatures up to the root and the
revocation list.
"""

import csv
import pathlib
import subprocess
import sys

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7


def lint(pem: pathlib.Path) -> list[str]:
    """Returns the findings of pkilint at ERROR or worse."""
    out = subprocess.run(
        ["lint_pkix_cert", "lint", "-s", "WARNING", "-f", "CSV", str(pem)],
        capture_output=True,
        text=True,
        check=False,
    )
    if not out.stdout.strip() and out.returncode != 0:
        raise SystemExit(f"pkilint did not run: {out.stderr}")
    bad = []
    for row in list(csv.reader(out.stdout.splitlines()))[1:]:
        if not row:
            continue
        node, _, severity, code, *_ = row
        print(f"  pkilint {severity}: {code} at {node}")
        if severity in ("ERROR", "FATAL"):
            bad.append(code)
    return bad


def chain(directory: pathlib.Path, name: str) -> None:
    """Fails unless all downloads hold the same chain with valid signatures."""
    leaf = x509.load_pem_x509_certificate((directory / f"{name}.pem").read_bytes())
    assert x509.load_der_x509_certificate((directory / f"{name}.der").read_bytes()) == leaf, "DER differs from PEM"
    path = x509.load_pem_x509_certificates((directory / f"{name}.chain").read_bytes())
    assert path[0] == leaf, "the chain does not begin with the certificate"
    bag = pkcs7.load_der_pkcs7_certificates((directory / f"{name}.p7b").read_bytes())
    assert leaf in bag, "the P7B lacks the certificate"
    for below, above in zip(path, path[1:]):
        below.verify_directly_issued_by(above)
    crl = x509.load_der_x509_crl((directory / f"{name}.crl").read_bytes())
    assert crl.is_signature_valid(path[1].public_key()), "the CRL's signature is wrong"
    assert crl.get_revoked_certificate_by_serial_number(leaf.serial_number) is None, "a fresh certificate is on the CRL"
    print(f"  cryptography: chain of {len(path)}, P7B of {len(bag)} and CRL {crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number} are sound")


def main() -> int:
    directory = pathlib.Path(sys.argv[1])
    passed = failed = 0
    for pem in sorted(directory.glob("*.pem")):
        print(f"-- {pem.stem}")
        try:
            chain(directory, pem.stem)
            passed += 1
        except Exception as e:  # noqa: BLE001 (every fault is a verdict)
            print(f"  FAILED: {type(e).__name__}: {e}")
            failed += 1
        if lint(pem):
            failed += 1
        else:
            print("  pkilint: no error")
            passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
