package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// createPolicy is CREATE POLICY (CreatePolicy, policy.c).
func (a *applier) createPolicy(s *pg.CreatePolicyStmt) {
	t := a.policyTable(s.Table)
	switch {
	case (s.CmdName == "select" || s.CmdName == "delete") && s.WithCheck != nil:
		a.fail("42601", noLoc, "WITH CHECK cannot be applied to SELECT or DELETE")
	case s.CmdName == "insert" && s.Qual != nil:
		a.fail("42601", noLoc, "only WITH CHECK expression allowed for INSERT")
	}
	p := &catalog.Policy{
		Name: s.PolicyName, Permissive: s.Permissive, Command: s.CmdName, Roles: roles(s.Roles), Decl: a.decl(noLoc),
	}
	a.policyExprs(t, p, s.Qual, s.WithCheck)
	if slices.ContainsFunc(t.Policies, func(p *catalog.Policy) bool { return p.Name == s.PolicyName }) {
		a.fail("42710", noLoc, "policy %q for table %q already exists", s.PolicyName, t.Name)
	}
	a.cat.NewOID()
	t.Policies = append(t.Policies, p)
}

// alterPolicy is ALTER POLICY … USING, WITH CHECK and TO (AlterPolicy, policy.c).
func (a *applier) alterPolicy(s *pg.AlterPolicyStmt) {
	t := a.policyTable(s.Table)
	i := slices.IndexFunc(t.Policies, func(p *catalog.Policy) bool { return p.Name == s.PolicyName })
	if i < 0 {
		a.fail("42704", noLoc, "policy %q for table %q does not exist", s.PolicyName, t.Name)
	}
	p := *t.Policies[i]
	switch {
	case (p.Command == "select" || p.Command == "delete") && s.WithCheck != nil:
		a.fail("42601", noLoc, "only USING expression allowed for SELECT, DELETE")
	case p.Command == "insert" && s.Qual != nil:
		a.fail("42601", noLoc, "only WITH CHECK expression allowed for INSERT")
	}
	a.policyExprs(t, &p, s.Qual, s.WithCheck)
	if s.Roles != nil {
		p.Roles = roles(s.Roles)
	}
	t.Policies[i] = &p
}

func (a *applier) policyTable(r *pg.RangeVar) *catalog.Table {
	t := a.relation(r)
	if t.Kind != catalog.KindTable && t.Kind != catalog.KindPartitioned {
		a.fail("42809", int(r.Location), "%q is not a table", t.Name)
	}
	return t
}

func (a *applier) policyExprs(t *catalog.Table, p *catalog.Policy, using, check *pg.Node) {
	if using != nil {
		p.Using, _ = a.expr(t, using, analyze.KindPolicy, pgtype.BoolOID, pgtype.NoTypmod)
	}
	if check != nil {
		p.Check, _ = a.expr(t, check, analyze.KindPolicy, pgtype.BoolOID, pgtype.NoTypmod)
	}
}

// roles are the names of a TO clause, none for PUBLIC.
func roles(list []*pg.Node) []string {
	var out []string
	for _, n := range list {
		r := n.GetRoleSpec()
		switch r.GetRoletype() {
		case pg.RoleSpecType_ROLESPEC_CSTRING:
			out = append(out, r.Rolename)
		case pg.RoleSpecType_ROLESPEC_PUBLIC:
			return nil
		case pg.RoleSpecType_ROLESPEC_CURRENT_ROLE, pg.RoleSpecType_ROLESPEC_CURRENT_USER:
			out = append(out, "current_user")
		case pg.RoleSpecType_ROLESPEC_SESSION_USER:
			out = append(out, "session_user")
		}
	}
	return out
}
