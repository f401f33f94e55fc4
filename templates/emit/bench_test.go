package emit_test

import (
	"testing"

	"github.com/dbgen/dbgen/templates/emit"
	"github.com/dbgen/dbgen/templates/model"
)

// BenchmarkBookshop builds and writes the sample project: some 80 queries.
func BenchmarkBookshop(b *testing.B) {
	all := cases()
	g := all[len(all)-1]
	in := g.input(b)
	for b.Loop() {
		p, diags := model.Build(in)
		noErrors(b, diags)
		if _, err := emit.Render(p); err != nil {
			b.Fatal(err)
		}
	}
}
