package absah.interop;

import com.itextpdf.kernel.pdf.PdfReader;
import com.itextpdf.kernel.pdf.StampingProperties;
import com.itextpdf.signatures.BouncyCastleDigest;
import com.itextpdf.signatures.PdfSigner;
import com.itextpdf.signatures.PrivateKeySignature;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Lets iText do what command ours does: {@code sign KEY CERT CHAIN IN N [OUT]}. */
public final class Peer {
  private final PrivateKey key;
  private final Certificate[] chain;

  private Peer(PrivateKey key, Certificate... chain) {
    this.key = key;
    this.chain = chain;
  }

  public static void main(String[] args) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    Peer peer = new Peer(key(args[1]), certificate(args[2]), certificate(args[3]));
    if (args.length == 7) {
      try (InputStream in = new FileInputStream(args[4]); OutputStream out = new FileOutputStream(args[6])) {
        peer.sign(new PdfReader(in), out);
      }
      return;
    }
    byte[] file = Files.readAllBytes(Path.of(args[4]));
    int n = Integer.parseInt(args[5]);
    for (int i = 0; i < n; i++) { // warm
      peer.sign(new PdfReader(new ByteArrayInputStream(file)), new ByteArrayOutputStream());
    }
    long start = System.nanoTime();
    for (int i = 0; i < n; i++) {
      peer.sign(new PdfReader(new ByteArrayInputStream(file)), new ByteArrayOutputStream());
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

  private static Certificate certificate(String name) throws Exception {
    try (InputStream in = Files.newInputStream(Path.of(name))) {
      return CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  private void sign(PdfReader in, OutputStream out) throws Exception {
    PdfSigner signer = new PdfSigner(in, out, new StampingProperties().useAppendMode());
    signer.signDetached(new BouncyCastleDigest(), new PrivateKeySignature(key, "SHA-256", null), chain, null, null, null, 0, PdfSigner.CryptoStandard.CADES);
  }
}
