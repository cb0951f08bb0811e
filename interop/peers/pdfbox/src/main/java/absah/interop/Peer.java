package absah.interop;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Calendar;
import java.util.List;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureInterface;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * Lets PDFBox do what command ours does: {@code sign KEY CERT CHAIN IN N [OUT]}.
 */
public final class Peer {
  private final PrivateKey key;
  private final List<X509Certificate> chain;

  private Peer(PrivateKey key, List<X509Certificate> chain) {
    this.key = key;
    this.chain = chain;
  }

  public static void main(String[] args) throws Exception {
    PrivateKey key = key(args[1]);
    Peer peer = new Peer(key, List.of(certificate(args[2]), certificate(args[3])));
    if (args.length == 7) {
      try (OutputStream out = new FileOutputStream(args[6])) {
        peer.sign(Loader.loadPDF(new File(args[4])), out);
      }
      return;
    }
    byte[] file = Files.readAllBytes(Path.of(args[4]));
    int n = Integer.parseInt(args[5]);
    for (int i = 0; i < n; i++) { // warm
      peer.sign(Loader.loadPDF(file), new ByteArrayOutputStream());
    }
    long start = System.nanoTime();
    for (int i = 0; i < n; i++) {
      peer.sign(Loader.loadPDF(file), new ByteArrayOutputStream());
    }
    System.out.printf("%.0f%n", n / ((System.nanoTime() - start) / 1e9));
  }

  private static PrivateKey key(String name) throws Exception {
    String text = Files.readString(Path.of(name)).replaceAll("-----[^-]+-----|\\s", "");
    var spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text));
    try {
      return KeyFactory.getInstance("RSA").generatePrivate(spec);
    } catch (java.security.spec.InvalidKeySpecException e) {
      return KeyFactory.getInstance("EC").generatePrivate(spec);
    }
  }

  private static X509Certificate certificate(String name) throws Exception {
    try (InputStream in = Files.newInputStream(Path.of(name))) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  private void sign(PDDocument document, OutputStream out) throws Exception {
    try (document) {
      PDSignature signature = new PDSignature();
      signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
      signature.setSubFilter(PDSignature.SUBFILTER_ETSI_CADES_DETACHED);
      signature.setSignDate(Calendar.getInstance());
      SignatureInterface cms = this::cms;
      document.addSignature(signature, cms);
      document.saveIncremental(out);
    }
  }

  private byte[] cms(InputStream content) {
    try {
      var signer = new JcaContentSignerBuilder(key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA").build(key);
      var generator = new CMSSignedDataGenerator();
      generator.addSignerInfoGenerator(
          new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build()).build(signer, chain.get(0)));
      generator.addCertificates(new JcaCertStore(chain));
      byte[] data = content.readAllBytes();
      return generator.generate(new CMSProcessableByteArray(new ASN1ObjectIdentifier("1.2.840.113549.1.7.1"), data), false).getEncoded();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
