package runtime

// ConstraintError stands for the violation of one constraint. Generated code
// declares one per constraint, to be compared with errors.Is:
//
//	var ErrAuthorsNameKey error = &runtime.ConstraintError{
//		Schema: "public", Table: "authors", Constraint: "authors_name_key",
//	}
//
//	if errors.Is(err, library.ErrAuthorsNameKey) { … }
type ConstraintError struct {
	// Schema, Table and Constraint are the constraint's place and name; Table is
	// empty for the constraint of a domain, and Schema the domain's. An empty
	// Schema matches any, for code that runs with several search paths.
	Schema, Table, Constraint string
	// Partitions lists where else the same rule can be violated if Table is
	// partitioned: PostgreSQL reports the partition and, for UNIQUE, PRIMARY KEY
	// and EXCLUDE, a constraint name of its own. All levels below Table are
	// listed, whether they hold rows or not. For a FOREIGN KEY that references a
	// partitioned table it lists the names that the server gives it for each of
	// that table's partitions.
	Partitions []Partition
}

// Partition is the constraint of one partition that enforces that of the
// partitioned table. An empty Schema is that of the [ConstraintError], an empty
// Constraint too.
type Partition struct {
	Schema, Table, Constraint string
}

func (c *ConstraintError) Error() string {
	prefix := ""
	if c.Schema != "" {
		prefix = c.Schema + "."
	}
	if c.Table == "" {
		return "violates constraint " + prefix + c.Constraint
	}
	return "violates constraint " + c.Constraint + " of " + prefix + c.Table
}

// matches compares with what the server reported. A foreign key that stops a
// DELETE or UPDATE of the referenced table is reported with the referencing
// table and its constraint, as declared here.
func (c *ConstraintError) matches(e *Error) bool {
	if e.Constraint == "" || !e.IsConstraint() {
		return false
	}
	if c.Constraint == e.Constraint && c.Table == e.Table && (c.Schema == "" || c.Schema == e.Schema) {
		return true
	}
	for _, p := range c.Partitions {
		schema, constraint := p.Schema, p.Constraint
		if schema == "" {
			schema = c.Schema
		}
		if constraint == "" {
			constraint = c.Constraint
		}
		if constraint == e.Constraint && p.Table == e.Table && (schema == "" || schema == e.Schema) {
			return true
		}
	}
	return false
}
