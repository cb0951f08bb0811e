package ca

import (
	"bytes"
	"crypto/sha256"
	"fmt"
)

// Request asks for the certificate of one registration. It carries what the
// authority needs to judge the approvals itself, whoever hands it in.
type Request struct {
	RegistrationID string
	ApplicantID    string // employee
	FirstOfficer   string // employee who gave the first approval that stands
	SecondOfficer  string // employee who gave the second

	SnapshotHash []byte // SHA-256 of what the registration says now
	FirstHash    []byte // ... of what the first officer approved
	SecondHash   []byte // ... of what the second officer approved

	CSR          []byte // PKCS #10, DER, signed when the passphrase was set
	ExpectedSPKI []byte // SubjectPublicKeyInfo of the credential
	Subject      Subject

	// Renewed says that the approvals were given to the registration before and
	// carry over, and that the old key vouches for the new one (package rekey).
	Renewed bool

	blocked    *bool              // whether the table of blocked keys has ExpectedSPKI; nil: nobody has looked
	signatures [2]*signedApproval // under the approvals, as the database has them
}

// CheckApprovals fails with ErrApproval unless three different people took
// part and both officers approved what the registration says now.
func (r Request) CheckApprovals() error {
	people := []string{r.ApplicantID, r.FirstOfficer, r.SecondOfficer}
	for i, p := range people {
		if p == "" {
			return fmt.Errorf("%w: applicant or officer is missing", ErrApproval)
		}
		for _, q := range people[:i] {
			if p == q {
				return fmt.Errorf("%w: applicant and officers are not three different people", ErrApproval)
			}
		}
	}
	if len(r.SnapshotHash) != sha256.Size {
		return fmt.Errorf("%w: no hash of the registration", ErrApproval)
	}
	if !bytes.Equal(r.FirstHash, r.SnapshotHash) {
		return fmt.Errorf("%w: the registration changed after the first approval", ErrApproval)
	}
	if !bytes.Equal(r.SecondHash, r.SnapshotHash) {
		return fmt.Errorf("%w: the registration changed after the second approval", ErrApproval)
	}
	return nil
}
