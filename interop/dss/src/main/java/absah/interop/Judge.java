package absah.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;

/**
 * What EU DSS says of PDF signatures, beside what absah verify says. The manifest is the one of
 * pyhanko_judge.py.
 *
 * <p>Exit status 1 when a verdict or a level disagrees, but for Ed25519.
 */
public final class Judge {
  private static final Map<String, SignatureLevel> LEVELS =
      Map.of(
          "B-B", SignatureLevel.PAdES_BASELINE_B,
          "B-T", SignatureLevel.PAdES_BASELINE_T,
          "B-LT", SignatureLevel.PAdES_BASELINE_LT,
          "B-LTA", SignatureLevel.PAdES_BASELINE_LTA);

  /** What DSS says of every Ed25519 signature, under the policy that comes with it. */
  private static final String NO_EDDSA = "The algorithm EdDSA with SHA512 is not authorised";

  private Judge() {}

  public static void main(String[] args) throws Exception {
    int judged = 0;
    int both = 0;
    int ours = 0;
    int theirs = 0;
    int disagree = 0;
    ObjectMapper json = new ObjectMapper();
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      JsonNode c = json.readTree(line);
      String name = c.get("name").asText();
      String verdict = c.get("ours").asText();
      boolean wanted = c.get("want").asText().equals("valid");
      List<String> why;
      try {
        why = judge(c);
      } catch (Exception e) {
        why = List.of(e.toString());
      }
      judged++;
      boolean valid = why.isEmpty();
      boolean we = verdict.equals("valid");
      if (valid && we) {
        both++;
      } else if (we) {
        ours++;
      } else if (valid) {
        theirs++;
      }
      if (!(wanted || we) || valid) {
        continue;
      }
      if (why.stream().allMatch(w -> w.contains(NO_EDDSA))) {
        System.out.printf("  (known: %s: its policy of algorithms knows no EdDSA)%n", name);
        continue;
      }
      disagree++;
      System.out.printf("  DISAGREES %s: absah says %s, DSS: %s%n", name, verdict, String.join("; ", why));
    }
    System.out.printf(
        "EU DSS judged %d files: %d valid for both, %d for absah alone, %d for DSS alone, %d disagreements%n",
        judged, both, ours, theirs, disagree);
    System.exit(disagree > 0 || judged == 0 ? 1 : 0);
  }

  /** Holds the CRLs of the case, as revocation data that is at hand. */
  private static ExternalResourcesCRLSource source(List<String> files) throws IOException {
    List<DSSDocument> documents = new ArrayList<>();
    for (String f : files) {
      documents.add(new FileDocument(f));
    }
    return new ExternalResourcesCRLSource(documents.toArray(new DSSDocument[0]));
  }

  /** Returns why DSS does not call every signature of the file valid. */
  private static List<String> judge(JsonNode c) throws IOException {
    CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
    trusted.addCertificate(DSSUtils.loadCertificate(new File(c.get("trust").asText())));
    CommonCertificateVerifier verifier = new CommonCertificateVerifier(); // without sources: asks nobody
    verifier.setTrustedCertSources(trusted);
    List<String> crls = new ArrayList<>();
    c.get("crls").forEach(name -> crls.add(name.asText()));
    verifier.setCrlSource(source(crls));
    SignedDocumentValidator validator =
        SignedDocumentValidator.fromDocument(new FileDocument(c.get("file").asText()));
    validator.setCertificateVerifier(verifier);
    String at = c.get("at").asText();
    if (!at.isEmpty()) {
      validator.setValidationTime(Date.from(Instant.parse(at)));
    }
    Reports reports = validator.validateDocument();
    SimpleReport report = reports.getSimpleReport();
    List<String> why = new ArrayList<>();
    if (report.getSignaturesCount() == 0) {
      why.add("no signature");
    }
    String level = c.get("level").asText();
    for (String id : report.getSignatureIdList()) {
      Indication indication = report.getIndication(id);
      if (indication != Indication.TOTAL_PASSED) {
        List<String> texts = new ArrayList<>();
        report.getAdESValidationErrors(id).forEach(m -> texts.add(m.getValue()));
        why.add(indication + " " + report.getSubIndication(id) + " " + String.join(" ", texts));
      }
      SignatureLevel found = report.getSignatureFormat(id);
      if (!level.isEmpty() && found != LEVELS.get(level)) {
        why.add("level " + found + " in place of " + level);
      }
    }
    return why;
  }
}
