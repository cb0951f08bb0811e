"""Lets pyHanko do what command ours does.

    pyhanko_peer.py sign KEY CERT CHAIN IN N [OUT]
    pyhanko_peer.py verify CHAIN FILE N
"""

import io
import logging
import sys
import time

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext


def rate(n: int, once) -> None:
    once()
    start = time.perf_counter()
    for _ in range(n):
        once()
    print(f"{n / (time.perf_counter() - start):.1f}")


def main() -> None:
    logging.disable(logging.CRITICAL)
    args = sys.argv[1:]
    if args[0] == "sign":
        key, cert, chain, source = args[1:5]
        signer = signers.SimpleSigner.load(key, cert, ca_chain_files=(chain,))
        meta = signers.PdfSignatureMetadata(field_name="Signature1", subfilter=fields.SigSeedSubFilter.PADES)

        def sign(file, output):
            return signers.sign_pdf(IncrementalPdfFileWriter(file), meta, signer=signer, output=output)

        if len(args) == 7:
            with open(source, "rb") as f, open(args[6], "w+b") as out:
                sign(f, out)
            return
        with open(source, "rb") as f:
            data = f.read()
        rate(int(args[5]), lambda: sign(io.BytesIO(data), io.BytesIO()))
        return
    root = load_cert_from_pemder(args[1])
    with open(args[2], "rb") as f:
        data = f.read()

    def verify() -> None:
        signature = PdfFileReader(io.BytesIO(data)).embedded_signatures[0]
        status = validate_pdf_signature(signature, ValidationContext(trust_roots=[root]))
        if not status.intact or not status.valid:
            raise SystemExit("pyHanko does not call the signature valid")

    rate(int(args[3]), verify)


main()
