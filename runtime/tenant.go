package runtime

// TenantDB is a DB within a transaction that belongs to one tenant, whose
// settings row-level security reads. Generated repositories that are scoped to
// a tenant take one instead of a [DB], so that running them on a pool, or in a
// transaction of nobody, does not compile. *txn.TenantTx is one.
type TenantDB interface {
	DB
	// Tenant is the tenant's id, as the setting holds it.
	Tenant() string

	tenantScoped()
}

// TenantScope is embedded by what is a [TenantDB], which nothing becomes by
// accident.
type TenantScope struct {
	// ID is the tenant's id.
	ID string
}

// Tenant returns the tenant's id.
func (s TenantScope) Tenant() string { return s.ID }

func (TenantScope) tenantScoped() {}

var _ interface{ tenantScoped() } = TenantScope{} // what makes it one
