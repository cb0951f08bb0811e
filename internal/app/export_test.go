package app

import (
	"slices"

	"absah/internal/portal/web"
)

// AllRoutes lists the pages of all parts of the portal, for the access matrix.
func (a *App) AllRoutes() []web.Route { return slices.Concat(a.routes()...) }
