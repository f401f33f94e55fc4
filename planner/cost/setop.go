package cost

// SetOp is the cost of INTERSECT or EXCEPT over one input that holds the rows
// of both arms, as up to PostgreSQL 17 (create_setop_path, pathnode.c).
func SetOp(p Params, in Estimate, cols int, rows float64) Estimate {
	return Estimate{
		Rows: rows, Startup: in.Startup,
		Total:    in.Total + float64(p.CPUOperatorCost*in.Rows*float64(cols)),
		Disabled: in.Disabled,
	}
}

// RecursiveUnion is the cost of WITH RECURSIVE, whose recursive term is thought
// to run ten times (cost_recursive_union).
func RecursiveUnion(p Params, first, recursive Estimate) Estimate {
	e := Estimate{Rows: first.Rows, Startup: first.Startup, Total: first.Total, Disabled: first.Disabled + recursive.Disabled}
	e.Total += float64(10 * recursive.Total)
	e.Rows += float64(10 * recursive.Rows)
	e.Total += float64(p.CPUTupleCost * e.Rows)
	return e
}
