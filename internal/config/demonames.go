package config

// DemoNames returns the keys that name the institution, its authority or its
// sender and still have the value of Default: fit for a trial alone.
func (c Config) DemoNames() []string {
	d := Default()
	var keys []string
	for _, k := range []struct{ key, is, was string }{
		{"identity.organisation", c.Identity.Organisation, d.Identity.Organisation},
		{"identity.issuer_name", c.Identity.IssuerName, d.Identity.IssuerName},
		{"identity.service_desk_email", c.Identity.DeskEmail, d.Identity.DeskEmail},
		{"mail.from", c.Mail.From, d.Mail.From},
		{"ca.organisation", c.CA.Organisation, d.CA.Organisation},
		{"ca.root_name", c.CA.RootName, d.CA.RootName},
		{"ca.issuing_name", c.CA.IssuingName, d.CA.IssuingName},
	} {
		if k.is == k.was {
			keys = append(keys, k.key)
		}
	}
	return keys
}
