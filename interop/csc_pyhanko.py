"""pyHanko signs PDF files through our CSC API, and judges what came of it.

    python csc_pyhanko.py DIRECTORY

DIRECTORY holds what the command remote wrote. pyHanko reads the credential
(credentials/info), lays the signature out, has its hash authorised with the
passphrase (credentials/authorize) and signed (signatures/signHash), embeds it, and
then validates the file against the root.
"""

import asyncio
import json
import pathlib
import sys

import aiohttp
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, async_sign_pdf
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers.csc_signer import (
    CSCAuthorizationManager,
    CSCServiceSessionInfo,
    CSCSigner,
    fetch_certs_in_csc_credential,
)
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext


class Passphrase(CSCAuthorizationManager):
    """Authorises exactly the hashes that are about to be signed."""

    def __init__(self, session, info, credential, passphrase):
        super().__init__(info, credential)
        self.session, self.passphrase = session, passphrase

    async def authorize_signature(self, hash_b64s):
        body = self.format_csc_auth_request(
            num_signatures=len(hash_b64s), pin=self.passphrase, hash_b64s=hash_b64s
        )
        url = self.csc_session_info.endpoint_url("credentials/authorize")
        async with self.session.post(
            url, headers=self.csc_session_info.auth_headers, json=body, raise_for_status=True
        ) as answer:
            return self.parse_csc_auth_response(await answer.json())


async def sign(session, directory: pathlib.Path, told: dict) -> bytes:
    form = {"grant_type": "client_credentials", "client_id": told["client"], "client_secret": told["secret"]}
    async with session.post(told["url"] + "/csc/v1/oauth2/token", data=form, raise_for_status=True) as answer:
        token = (await answer.json())["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    async with session.post(
        told["url"] + "/csc/v1/credentials/list", headers=headers, json={"userID": told["user"]}, raise_for_status=True
    ) as answer:
        (credential_id,) = (await answer.json())["credentialIDs"]
    info = CSCServiceSessionInfo(told["url"], credential_id, oauth_token=token)
    credential = await fetch_certs_in_csc_credential(session, info)
    assert credential.hash_pinning_required, "the SAD is not bound to hashes"
    assert credential.max_batch_size == 100, credential.max_batch_size
    signer = CSCSigner(session, Passphrase(session, info, credential, told["passphrase"]))
    with open(directory / "letter.pdf", "rb") as source:
        out = await async_sign_pdf(
            IncrementalPdfFileWriter(source),
            PdfSignatureMetadata(field_name="Sig", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256"),
            signer=signer,
        )
    return out.getvalue()


async def judge(directory: pathlib.Path, signed: pathlib.Path) -> str:
    """Returns what is wrong with the file, or nothing."""
    root = load_cert_from_pemder(directory / "root.pem")
    with open(signed, "rb") as source:
        reader = PdfFileReader(source)
        (embedded,) = reader.embedded_signatures
        status = await async_validate_pdf_signature(embedded, ValidationContext(trust_roots=[root], allow_fetching=False))
    return "" if status.bottom_line else status.pretty_print_details()


async def main() -> int:
    directory = pathlib.Path(sys.argv[1])
    failed = 0
    async with aiohttp.ClientSession() as session:
        for told in json.loads((directory / "remote.json").read_text()):
            try:
                signed = directory / f"signed-{told['algorithm']}.pdf"
                signed.write_bytes(await sign(session, directory, told))
                wrong = await judge(directory, signed)
            except Exception as e:  # noqa: BLE001 (every fault is a verdict)
                wrong = f"{type(e).__name__}: {e}"
            print(f"  pyHanko signs by {told['algorithm']} through CSC v1: {wrong or 'valid'}")
            failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
