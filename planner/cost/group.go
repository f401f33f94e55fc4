package cost

// GroupInput is what the cost of grouping without aggregates depends on.
type GroupInput struct {
	Input     Estimate // with the input's rows
	GroupCols int
	Groups    float64
	Having    Filter
}

// Group is the cost of grouping sorted rows (cost_group).
func Group(p Params, g GroupInput) Estimate {
	e := Estimate{Rows: g.Groups, Startup: g.Input.Startup, Total: g.Input.Total, Disabled: g.Input.Disabled}
	e.Total += float64(p.CPUOperatorCost * g.Input.Rows * float64(g.GroupCols))
	g.Having.apply(&e)
	return e
}

// Unique is the cost of dropping adjacent duplicates by so many columns
// (create_upper_unique_path, pathnode.c).
func Unique(p Params, in Estimate, cols int, groups float64) Estimate {
	return Estimate{
		Rows: groups, Startup: in.Startup,
		Total:    in.Total + float64(p.CPUOperatorCost*in.Rows*float64(cols)),
		Disabled: in.Disabled,
	}
}
