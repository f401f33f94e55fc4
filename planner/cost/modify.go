package cost

// LockRows is the cost of locking rows (create_lockrows_path, pathnode.c).
func LockRows(p Params, in Estimate) Estimate {
	return Estimate{
		Rows: in.Rows, Startup: in.Startup,
		Total: in.Total + float64(p.CPUTupleCost*in.Rows), Disabled: in.Disabled,
	}
}

// ModifyTable is the cost of changing rows: PostgreSQL charges nothing for it.
// Without RETURNING no rows come out (create_modifytable_path, pathnode.c).
func ModifyTable(in Estimate, returning bool) Estimate {
	if !returning {
		in.Rows = 0
	}
	return in
}

// Limit is the cost of a LIMIT and OFFSET: the part of the input that is read.
// 0 stands for no bound, a negative number for one that is not known
// (adjust_limit_rows_costs, pathnode.c).
func Limit(in Estimate, offset, count int64) Estimate {
	e := in
	if offset != 0 {
		rows := ClampRows(in.Rows * 0.10)
		if offset > 0 {
			rows = float64(offset)
		}
		rows = min(rows, e.Rows)
		if in.Rows > 0 {
			e.Startup += float64((in.Total-in.Startup)*rows) / in.Rows
		}
		e.Rows = max(e.Rows-rows, 1)
	}
	if count != 0 {
		rows := ClampRows(in.Rows * 0.10)
		if count > 0 {
			rows = float64(count)
		}
		rows = min(rows, e.Rows)
		if in.Rows > 0 {
			e.Total = e.Startup + float64((in.Total-in.Startup)*rows)/in.Rows
		}
		e.Rows = max(rows, 1)
	}
	return e
}
