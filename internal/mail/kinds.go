package mail

// Kind implements Params.
func (EnrolLink) Kind() Kind { return KindEnrolLink }

// Kind implements Params.
func (LoginInformation) Kind() Kind { return KindLoginInformation }

// Kind implements Params.
func (CertificateIssued) Kind() Kind { return KindCertificateIssued }

// Kind implements Params.
func (RegistrationReceived) Kind() Kind { return KindRegistrationReceived }

// Kind implements Params.
func (RegistrationReturned) Kind() Kind { return KindRegistrationReturned }

// Kind implements Params.
func (RegistrationRejected) Kind() Kind { return KindRegistrationRejected }

// Kind implements Params.
func (RegistrationInvalidated) Kind() Kind { return KindRegistrationInvalidated }

// Kind implements Params.
func (LinkExpiring) Kind() Kind { return KindLinkExpiring }

// Kind implements Params.
func (ResetRequested) Kind() Kind { return KindResetRequested }

// Kind implements Params.
func (PassphraseChanged) Kind() Kind { return KindPassphraseChanged }

// Kind implements Params.
func (CertificateRevoked) Kind() Kind { return KindCertificateRevoked }

// Kind implements Params.
func (KeyDestroyed) Kind() Kind { return KindKeyDestroyed }

// Kind implements Params.
func (CertificateExpiring) Kind() Kind { return KindCertificateExpiring }

// Kind implements Params.
func (AgreementCopy) Kind() Kind { return KindAgreementCopy }

// Kind implements Params.
func (CorrectionSubmitted) Kind() Kind { return KindCorrectionSubmitted }

// Kind implements Params.
func (CorrectionDigest) Kind() Kind { return KindCorrectionDigest }

// Kind implements Params.
func (CorrectionDecided) Kind() Kind { return KindCorrectionDecided }

// Kind implements Params.
func (AccountInvitation) Kind() Kind { return KindAccountInvitation }

// Kind implements Params.
func (LoginLocked) Kind() Kind { return KindLoginLocked }

// Kind implements Params.
func (OfficerDigest) Kind() Kind { return KindOfficerDigest }

// Kind implements Params.
func (PasswordReset) Kind() Kind { return KindPasswordReset }

// Kind implements Params.
func (SecurityChanged) Kind() Kind { return KindSecurityChanged }

func (p *PasswordReset) value() Params           { return *p }
func (p *SecurityChanged) value() Params         { return *p }
func (p *EnrolLink) value() Params               { return *p }
func (p *LoginInformation) value() Params        { return *p }
func (p *CertificateIssued) value() Params       { return *p }
func (p *RegistrationReceived) value() Params    { return *p }
func (p *RegistrationReturned) value() Params    { return *p }
func (p *RegistrationRejected) value() Params    { return *p }
func (p *RegistrationInvalidated) value() Params { return *p }
func (p *LinkExpiring) value() Params            { return *p }
func (p *ResetRequested) value() Params          { return *p }
func (p *PassphraseChanged) value() Params       { return *p }
func (p *CertificateRevoked) value() Params      { return *p }
func (p *KeyDestroyed) value() Params            { return *p }
func (p *CertificateExpiring) value() Params     { return *p }
func (p *AgreementCopy) value() Params           { return *p }
func (p *CorrectionSubmitted) value() Params     { return *p }
func (p *CorrectionDigest) value() Params        { return *p }
func (p *CorrectionDecided) value() Params       { return *p }
func (p *AccountInvitation) value() Params       { return *p }
func (p *LoginLocked) value() Params             { return *p }
func (p *OfficerDigest) value() Params           { return *p }
