"""What pyHanko says of PDF signatures, beside what absah verify says.

    python pyhanko_judge.py MANIFEST

MANIFEST has one JSON object a line:
    file     the PDF
    name     what it is, for people
    ours     the verdict of absah verify: valid, invalid, indeterminate, unsigned
    want     "valid": pyHanko must say so too; "": it is a disagreement only when
             we call valid what it does not
    level    baseline level at which the file was signed, or ""
    trust    root certificate (PEM)
    crls     CRLs (DER) to judge by besides those in the file
    at       time of judgement (RFC 3339), or "" for now
Exit status 1 when a verdict disagrees, but for what KNOWN explains.
"""

import asyncio
import datetime
import json
import logging
import pathlib
import re
import sys

from asn1crypto import crl, ocsp
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.ades import (
    ades_lta_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
from pyhanko_certvalidator.registry import SimpleTrustManager

# Where pyHanko is known to refuse what the standards permit: the case, what it
# says, and why that counts for nothing.
KNOWN = [
    (r"plain-hybrid-.*", "hybrid-reference files", "it reads no hybrid-reference files when it is strict"),
    (r".*/P[23]/signature field in the margin", "ILLEGAL_MODIFICATIONS", "a visible signature field behind a certification is more than it lets pass"),
    (r".*/P3/note in the margin", "ILLEGAL_MODIFICATIONS", "it has no rule for the annotations that DocMDP 3 permits"),
    (r".*/resources moved to an object of their own", "ILLEGAL_MODIFICATIONS", "it has no rule for a value that is written again unchanged as an object"),
]


def known(case: dict, why: list[str]) -> str | None:
    """Returns the explanation of a refusal, when it is the only thing refused."""
    name = case["name"].replace("_", " ")
    for pattern, text, explanation in KNOWN:
        if re.fullmatch(pattern, name) and all(text in w for w in why):
            return explanation
    return None


def context(case: dict, root) -> ValidationContext:
    """Trusts the root, asks nobody, and demands that nothing is revoked."""
    moment = datetime.datetime.fromisoformat(case["at"]) if case["at"] else None
    return ValidationContext(
        trust_roots=[root],
        allow_fetching=False,
        revocation_mode="require",
        crls=[pathlib.Path(name).read_bytes() for name in case["crls"]],
        moment=moment,
        best_signature_time=moment,
    )


def long_term(root, reader: PdfFileReader) -> PdfSignatureValidationSpec:
    """Revocation data of the file alone, and all of it."""
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=[root]),
        revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
    )
    return PdfSignatureValidationSpec(
        SignatureValidationSpec(
            cert_validation_policy=policy,
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
            ),
            local_knowledge=knowledge(reader),
        )
    )


def knowledge(reader: PdfFileReader) -> LocalKnowledge:
    """What the DSS of the file holds."""
    dss = DocumentSecurityStore.read_dss(reader)
    ocsps = [ocsp.OCSPResponse.load(r.get_object().data) for r in dss.ocsps]
    crls = [crl.CertificateList.load(r.get_object().data) for r in dss.crls]
    return LocalKnowledge(
        known_ocsps=[c for o in ocsps for c in OCSPContainer.load_multi(o)],
        known_crls=[CRLContainer(crl_data=c) for c in crls],
        known_certs=list(dss.load_certs()),
    )


async def long_term_indication(s, level: str, spec: PdfSignatureValidationSpec):
    """EN 319 102-1 5.5 for B-LT; 5.6, in which document timestamps take part, for
    B-LTA."""
    if level == "B-LTA":
        return await ades_lta_validation(s, spec)
    s.compute_integrity_info()
    return await ades_with_time_validation(
        s.signed_data,
        spec.signature_validation_spec,
        raw_digest=s.compute_digest(),
    )


async def judge(case: dict) -> list[str]:
    """Returns why pyHanko does not call every signature of the file valid."""
    root = load_cert_from_pemder(case["trust"])
    why = []
    with open(case["file"], "rb") as f:
        reader = PdfFileReader(f, strict=True)
        signatures = list(reader.embedded_regular_signatures)
        stamps = list(reader.embedded_timestamp_signatures)
        if not signatures and not stamps:
            why.append("no signature")
        for s in signatures:
            status = await async_validate_pdf_signature(s, context(case, root))
            if not status.bottom_line:
                why.append(f"{s.field_name}: {status.summary()}")
            if case["level"] in ("B-LT", "B-LTA"):
                result = await long_term_indication(s, case["level"], long_term(root, reader))
                if result.ades_subindic != AdESPassed.OK:
                    why.append(f"{s.field_name}: {result.ades_subindic}: {result.failure_msg}")
            if case["level"] in ("B-T", "B-LT", "B-LTA") and status.timestamp_validity is None:
                why.append(f"{s.field_name}: no signature timestamp")
        for s in stamps:
            status = await async_validate_pdf_timestamp(s, context(case, root))
            if not (status.intact and status.valid and status.trusted):
                why.append(f"{s.field_name}: {status.summary()}")
        if case["level"] == "B-LTA" and not stamps:
            why.append("no document timestamp")
    return why


def main() -> int:
    logging.disable(logging.CRITICAL)
    disagree = judged = both = ours = theirs = 0
    with open(sys.argv[1]) as f:
        cases = [json.loads(line) for line in f]
    for case in cases:
        try:
            why = asyncio.run(judge(case))
        except Exception as e:  # every way of not reading a file is a refusal
            why = [f"{type(e).__name__}: {e}"]
        judged += 1
        valid = not why
        we = case["ours"] == "valid"
        both += valid and we
        ours += we and not valid
        theirs += valid and not we
        if not (case["want"] == "valid" or we) or valid:
            continue
        if explanation := known(case, why):
            print(f"  (known: {case['name']}: {explanation})")
            continue
        disagree += 1
        print(f"  DISAGREES {case['name']}: absah says {case['ours']}, pyHanko: {'; '.join(why)}")
    print(f"pyHanko judged {judged} files: {both} valid for both, {ours} for absah alone, {theirs} for pyHanko alone, {disagree} disagreements")
    return 1 if disagree or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
