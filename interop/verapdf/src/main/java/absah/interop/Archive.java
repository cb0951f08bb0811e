package absah.interop;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Judges files by the rules of PDF/A and PDF/UA.
 *
 * <p>Its argument is a list with a line "FLAVOUR FILE" for each, with flavours such as 2b and ua1. Exit
 * status 1 when a file does not conform; the broken rules are printed.
 */
public final class Archive {
  private Archive() {}

  public static void main(String[] args) throws Exception {
    Logger.getLogger("").setLevel(Level.OFF);
    VeraGreenfieldFoundryProvider.initialise();
    int files = 0;
    int broken = 0;
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String[] parts = line.split(" ", 2);
      PDFAFlavour flavour = PDFAFlavour.byFlavourId(parts[0]);
      if (flavour == PDFAFlavour.NO_FLAVOUR) {
        throw new IllegalArgumentException("no such standard: " + parts[0]);
      }
      files++;
      try (PDFAParser parser = Foundries.defaultInstance().createParser(new File(parts[1]), flavour);
          var validator = Foundries.defaultInstance().createValidator(flavour, false)) {
        ValidationResult result = validator.validate(parser);
        if (result.isCompliant()) {
          continue;
        }
        broken++;
        System.out.println("  " + parts[1] + " is not " + name(flavour));
        result.getTestAssertions().stream()
            .filter(a -> a.getStatus() == TestAssertion.Status.FAILED)
            .map(a -> "    " + a.getRuleId().getClause() + "-" + a.getRuleId().getTestNumber() + ": " + a.getMessage())
            .distinct()
            .limit(10)
            .forEach(System.out::println);
      }
    }
    System.out.println("veraPDF judged " + files + " files, " + broken + " do not conform");
    System.exit(files == 0 || broken > 0 ? 1 : 0);
  }

  private static String name(PDFAFlavour flavour) {
    String id = flavour.getId();
    return id.startsWith("ua") ? "PDF/UA-" + id.substring(2) : "PDF/A-" + id;
  }
}
