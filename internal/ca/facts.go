package ca

import "time"

// IssuingCRLLife is how long a full list of an issuing CA is in force at most.
func IssuingCRLLife() time.Duration { return issuingCRLLife }
