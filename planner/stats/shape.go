package stats

// Shape returns a copy of a file at level [LevelShape]: without the values of
// columns (most common values, histogram and range bounds, array elements, ends
// of indexes, values of extended statistics), with all counts, frequencies,
// widths and sizes. Bounds of partitions and definitions of indexes stay: the
// schema has them too.
func Shape(file *File) *File {
	out := *file
	out.Level = LevelShape
	out.Tables = make(map[string]*Relation, len(file.Tables))
	for name, rel := range file.Tables {
		r := *rel
		r.Columns, r.Tree = shapeColumns(rel.Columns), shapeColumns(rel.Tree)
		r.Indexes = shapeMap(rel.Indexes, func(x *Index) {
			x.Min, x.Max = nil, nil
			x.Columns = shapeColumns(x.Columns)
		})
		r.Extended, r.ExtendedTree = shapeMap(rel.Extended, shapeExtended), shapeMap(rel.ExtendedTree, shapeExtended)
		out.Tables[name] = &r
	}
	return &out
}

func shapeMap[V any](m map[string]*V, change func(*V)) map[string]*V {
	if m == nil {
		return nil
	}
	out := make(map[string]*V, len(m))
	for k, v := range m {
		c := *v
		change(&c)
		out[k] = &c
	}
	return out
}

func shapeColumns(m map[string]*Column) map[string]*Column {
	return shapeMap(m, func(c *Column) {
		c.MCV, c.Histogram, c.MCElem, c.RangeLengths, c.RangeBounds = nil, nil, nil, nil, nil
	})
}

func shapeExtended(x *Extended) {
	items := x.MCV
	x.MCV = nil
	for _, item := range items {
		x.MCV = append(x.MCV, ExtMCV{Values: []*string{}, Freq: item.Freq, BaseFreq: item.BaseFreq})
	}
	list := x.ExprStats
	x.ExprStats = nil
	for _, c := range list {
		d := *c
		d.MCV, d.Histogram, d.MCElem, d.RangeLengths, d.RangeBounds = nil, nil, nil, nil, nil
		x.ExprStats = append(x.ExprStats, &d)
	}
}
