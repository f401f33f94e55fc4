package txn

import (
	"context"
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/runtime"
)

// Tenant is whom a transaction belongs to.
type Tenant struct {
	// Setting is the name of the setting that row-level security reads, as in
	// USING (tenant_id = current_setting('app.tenant')::bigint).
	Setting string
	// ID is its value; an empty one is refused.
	ID string
}

// TenantTx is a transaction of one tenant: generated repositories that are
// scoped to a tenant run in it alone.
type TenantTx struct {
	*Tx
	runtime.TenantScope
}

// ID is the number by which the manager knows the transaction; that of the
// tenant is Tenant().
func (t *TenantTx) ID() uint64 { return t.Tx.ID() }

// Nested is [Tx.Nested] for the same tenant.
func (t *TenantTx) Nested(ctx context.Context, fn func(ctx context.Context, tx *TenantTx) error) error {
	return t.Tx.Nested(ctx, func(ctx context.Context, _ *Tx) error { return fn(ctx, t) })
}

// RunTenant is [Manager.Run] in a transaction that belongs to a tenant: the
// setting has the tenant's id until the transaction ends, and nowhere else.
//
// Called within a transaction of the same tenant, it joins it; within one of
// another tenant, or of none, it is refused with ErrIncompatibleOptions (with
// [PropagateNew] it begins one of its own). The setting cannot be given by an option.
//
// It is as strong as the policies in the database: SQL text of the caller's own
// can set the setting anew, and roles that bypass row-level security see
// everything.
func (m *Manager) RunTenant(ctx context.Context, t Tenant, fn func(ctx context.Context, tx *TenantTx) error, opts ...Option) error {
	o, err := m.options(opts)
	if err != nil {
		return err
	}
	if t.ID == "" {
		return fmt.Errorf("%w: a tenant without id", ErrIncompatibleOptions)
	}
	if _, given := lookup(o.Settings, t.Setting); given {
		return fmt.Errorf("%w: %s is the tenant's", ErrIncompatibleOptions, t.Setting)
	}
	setting := Setting{t.Setting, t.ID}
	if err := setting.validate(); err != nil {
		return err
	}
	o.Settings = withSettings(o.Settings, []Setting{setting})
	o.args = settingsArgs(o.Settings)
	o.tenant = t
	return m.run(ctx, o, func(ctx context.Context, tx *Tx) error {
		return fn(ctx, &TenantTx{Tx: tx, TenantScope: runtime.TenantScope{ID: t.ID}})
	})
}

// belongsTo refuses a tenant that is not the transaction's.
func (tx *Tx) belongsTo(t Tenant) error {
	own := tx.options.tenant
	switch {
	case t == Tenant{}:
		return nil
	case own == Tenant{}:
		return fmt.Errorf("%w: a tenant's transaction within one of nobody", ErrIncompatibleOptions)
	case own.ID != t.ID || !strings.EqualFold(own.Setting, t.Setting):
		return fmt.Errorf("%w: within a transaction of another tenant", ErrIncompatibleOptions)
	}
	return nil
}
