package validation_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"time"

	"absah/pades"
	"absah/pades/certpath"
	"absah/pades/validation"
	"absah/pades/validation/validationtest"
)

// Who signed a file, and is it still so? A Validator is made once and judges any
// number of files; what it believes are the anchors. Revocation lists and OCSP
// answers are taken from the file and from Source, which in a program that has a
// network is a fetch.Client.
func ExampleValidator_Validate() {
	house := validationtest.Home()
	root, err := certpath.FromX509(house.Root.Cert)
	if err != nil {
		log.Fatal(err)
	}
	trust, err := certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{certpath.NewAnchor(root)}})
	if err != nil {
		log.Fatal(err)
	}
	validator, err := validation.New(validation.Config{
		Trust: trust, Source: house.Source(), Now: func() time.Time { return validationtest.Now },
	})
	if err != nil {
		log.Fatal(err)
	}
	judge := func(file []byte) {
		report, err := validator.Validate(context.Background(), bytes.NewReader(file), int64(len(file)), validation.Options{})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Verdict)
		for _, s := range report.Signatures {
			fmt.Println("  ", s.Field, s.Level, s.Signer.Subject, s.SigningTime.Format(time.DateOnly))
			for _, f := range s.Findings {
				fmt.Println("  ", f.Code)
			}
		}
	}
	signed := sign(house, validationtest.Letter(""))
	judge(signed)
	judge(bytes.Replace(signed, []byte("satu juta"), []byte("dua juta "), 1)) // what the page shows
	// Output:
	// valid
	//    Signature1 B-LT CN=Siti Contoh,O=Instansi Contoh 2026-11-02
	// invalid
	//    Signature1  CN=Siti Contoh,O=Instansi Contoh 2026-11-02
	//    hash-mismatch
}

func sign(house *validationtest.House, file []byte) []byte {
	signer, err := pades.NewSigner(pades.SignerConfig{Key: house.Signer.Key, Certificate: house.Signer.Cert})
	if err != nil {
		log.Fatal(err)
	}
	var signed bytes.Buffer
	_, err = pades.Sign(context.Background(), bytes.NewReader(file), int64(len(file)), &signed, signer, pades.Options{
		Level: pades.BLT, Clock: func() time.Time { return validationtest.SignedAt },
		Timestamper: house.Timestamper(validationtest.SignedAt), Evidence: house.Source(),
	})
	if err != nil {
		log.Fatal(err)
	}
	return signed.Bytes()
}
