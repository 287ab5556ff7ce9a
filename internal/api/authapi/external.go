package authapi

// externalRoutes are those of other ways to sign in.
func (a *API) externalRoutes() []route { return nil }

// describeExternal tells the sign-in page about other ways to sign in.
func (a *API) describeExternal(*providersView) {}
