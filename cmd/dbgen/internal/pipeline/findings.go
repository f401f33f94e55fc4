package pipeline

import "github.com/dbgen/dbgen/parser/diag"

// Findings returns what the rules say of all plans.
func (p *Project) Findings() diag.List { return nil }

// FindingsOf returns what the rules say of one query's plan.
func (p *Project) FindingsOf(*Query) diag.List { return nil }

// Render renders.
func (p *Project) Render() ([]Output, diag.List) { return nil, nil }
