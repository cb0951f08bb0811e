package rest

// webhookRoutes lists the calls of webhooks.
func (d *door) webhookRoutes() []route { return nil }
