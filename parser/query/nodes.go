package query

import "slices"

// The three methods of every node from which Walk, Transform and Equal follow:
// eachChild calls fn with the address of each child that is there, shallowCopy
// copies the node so that its child slots can be overwritten, sameNode compares
// everything but children and place. A new node kind needs an entry here and
// nowhere else in this package.

func (n *Var) eachChild(func(*Expr)) {}

func (n *Var) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *Var) sameNode(e Expr) bool {
	o, ok := e.(*Var)
	return ok && n.sameHeader(o.Header) && n.VarNo == o.VarNo && n.AttNo == o.AttNo && n.LevelsUp == o.LevelsUp && n.NullingRels == o.NullingRels && n.Returning == o.Returning
}

func (n *Const) eachChild(func(*Expr)) {}

func (n *Const) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *Const) sameNode(e Expr) bool {
	o, ok := e.(*Const)
	return ok && n.sameHeader(o.Header) && n.Null == o.Null && n.Value == o.Value
}

func (n *Param) eachChild(func(*Expr)) {}

func (n *Param) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *Param) sameNode(e Expr) bool {
	o, ok := e.(*Param)
	return ok && n.sameHeader(o.Header) && n.Kind == o.Kind && n.Number == o.Number
}

func (n *Aggref) eachChild(fn func(*Expr)) {
	eachOf(n.DirectArgs, fn)
	eachTarget(n.Args, fn)
	if n.Filter != nil {
		fn(&n.Filter)
	}
}

func (n *Aggref) shallowCopy() Expr {
	c := *n
	c.DirectArgs = slices.Clone(n.DirectArgs)
	c.Args = cloneTargets(n.Args)
	return &c
}

func (n *Aggref) sameNode(e Expr) bool {
	o, ok := e.(*Aggref)
	return ok && n.sameHeader(o.Header) && n.Func == o.Func && n.InputColl == o.InputColl && n.Star == o.Star && n.Variadic == o.Variadic && n.Kind == o.Kind && n.LevelsUp == o.LevelsUp && n.Split == o.Split && sameClauses(n.Order, o.Order) && sameClauses(n.Distinct, o.Distinct)
}

func (n *GroupingFunc) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *GroupingFunc) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *GroupingFunc) sameNode(e Expr) bool {
	o, ok := e.(*GroupingFunc)
	return ok && n.sameHeader(o.Header) && n.LevelsUp == o.LevelsUp && slices.Equal(n.Refs, o.Refs)
}

func (n *WindowFunc) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
	if n.Filter != nil {
		fn(&n.Filter)
	}
}

func (n *WindowFunc) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *WindowFunc) sameNode(e Expr) bool {
	o, ok := e.(*WindowFunc)
	return ok && n.sameHeader(o.Header) && n.Func == o.Func && n.InputColl == o.InputColl && n.WinRef == o.WinRef && n.Star == o.Star && n.IsAgg == o.IsAgg
}

func (n *SubscriptingRef) eachChild(fn func(*Expr)) {
	eachOf(n.Upper, fn)
	eachOf(n.Lower, fn)
	fn(&n.Container)
	if n.Assign != nil {
		fn(&n.Assign)
	}
}

func (n *SubscriptingRef) shallowCopy() Expr {
	c := *n
	c.Upper = slices.Clone(n.Upper)
	c.Lower = slices.Clone(n.Lower)
	return &c
}

func (n *SubscriptingRef) sameNode(e Expr) bool {
	o, ok := e.(*SubscriptingRef)
	return ok && n.sameHeader(o.Header) && n.ContainerType == o.ContainerType && n.ElementType == o.ElementType && len(n.Upper) == len(o.Upper) && len(n.Lower) == len(o.Lower)
}

func (n *FuncExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *FuncExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *FuncExpr) sameNode(e Expr) bool {
	o, ok := e.(*FuncExpr)
	return ok && n.sameHeader(o.Header) && n.Func == o.Func && n.RetSet == o.RetSet && n.Variadic == o.Variadic && n.InputColl == o.InputColl
}

func (n *NamedArgExpr) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *NamedArgExpr) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *NamedArgExpr) sameNode(e Expr) bool {
	o, ok := e.(*NamedArgExpr)
	return ok && n.sameHeader(o.Header) && n.Number == o.Number && n.Name == o.Name
}

func (n *OpExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *OpExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *OpExpr) sameNode(e Expr) bool {
	o, ok := e.(*OpExpr)
	return ok && n.sameHeader(o.Header) && n.sameOp(o)
}

func (n *DistinctExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *DistinctExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *DistinctExpr) sameNode(e Expr) bool {
	o, ok := e.(*DistinctExpr)
	return ok && n.sameHeader(o.Header) && n.sameOp(&o.OpExpr)
}

func (n *NullIfExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *NullIfExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *NullIfExpr) sameNode(e Expr) bool {
	o, ok := e.(*NullIfExpr)
	return ok && n.sameHeader(o.Header) && n.sameOp(&o.OpExpr)
}

func (n *ScalarArrayOpExpr) eachChild(fn func(*Expr)) {
	fn(&n.Args[0])
	fn(&n.Args[1])
}

func (n *ScalarArrayOpExpr) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *ScalarArrayOpExpr) sameNode(e Expr) bool {
	o, ok := e.(*ScalarArrayOpExpr)
	return ok && n.sameHeader(o.Header) && n.Op == o.Op && n.UseOr == o.UseOr && n.InputColl == o.InputColl
}

func (n *BoolExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *BoolExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *BoolExpr) sameNode(e Expr) bool {
	o, ok := e.(*BoolExpr)
	return ok && n.sameHeader(o.Header) && n.Op == o.Op
}

func (n *SubLink) eachChild(fn func(*Expr)) {
	if n.Test != nil {
		fn(&n.Test)
	}
}

func (n *SubLink) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *SubLink) sameNode(e Expr) bool {
	o, ok := e.(*SubLink)
	return ok && n.sameHeader(o.Header) && n.Kind == o.Kind && n.ID == o.ID && EqualQuery(n.Subselect, o.Subselect)
}

func (n *SubPlan) eachChild(fn func(*Expr)) {
	if n.Test != nil {
		fn(&n.Test)
	}
	eachOf(n.Args, fn)
}

func (n *SubPlan) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *SubPlan) sameNode(e Expr) bool {
	o, ok := e.(*SubPlan)
	return ok && n.sameHeader(o.Header) && n.Kind == o.Kind && n.PlanID == o.PlanID && n.UseHash == o.UseHash
}

func (n *AlternativeSubPlan) eachChild(fn func(*Expr)) {
	eachOf(n.Plans, fn)
}

func (n *AlternativeSubPlan) shallowCopy() Expr {
	c := *n
	c.Plans = slices.Clone(n.Plans)
	return &c
}

func (n *AlternativeSubPlan) sameNode(e Expr) bool {
	o, ok := e.(*AlternativeSubPlan)
	return ok && n.sameHeader(o.Header)
}

func (n *FieldSelect) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *FieldSelect) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *FieldSelect) sameNode(e Expr) bool {
	o, ok := e.(*FieldSelect)
	return ok && n.sameHeader(o.Header) && n.Field == o.Field
}

func (n *FieldStore) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
	eachOf(n.New, fn)
}

func (n *FieldStore) shallowCopy() Expr {
	c := *n
	c.New = slices.Clone(n.New)
	return &c
}

func (n *FieldStore) sameNode(e Expr) bool {
	o, ok := e.(*FieldStore)
	return ok && n.sameHeader(o.Header) && slices.Equal(n.Fields, o.Fields)
}

func (n *RelabelType) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *RelabelType) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *RelabelType) sameNode(e Expr) bool {
	o, ok := e.(*RelabelType)
	return ok && n.sameHeader(o.Header)
}

func (n *CoerceViaIO) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *CoerceViaIO) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *CoerceViaIO) sameNode(e Expr) bool {
	o, ok := e.(*CoerceViaIO)
	return ok && n.sameHeader(o.Header)
}

func (n *ArrayCoerceExpr) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
	fn(&n.Elem)
}

func (n *ArrayCoerceExpr) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *ArrayCoerceExpr) sameNode(e Expr) bool {
	o, ok := e.(*ArrayCoerceExpr)
	return ok && n.sameHeader(o.Header)
}

func (n *ConvertRowtypeExpr) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *ConvertRowtypeExpr) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *ConvertRowtypeExpr) sameNode(e Expr) bool {
	o, ok := e.(*ConvertRowtypeExpr)
	return ok && n.sameHeader(o.Header)
}

func (n *CollateExpr) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *CollateExpr) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *CollateExpr) sameNode(e Expr) bool {
	o, ok := e.(*CollateExpr)
	return ok && n.sameHeader(o.Header)
}

func (n *CaseExpr) eachChild(fn func(*Expr)) {
	if n.Arg != nil {
		fn(&n.Arg)
	}
	for _, w := range n.Whens {
		fn(&w.Cond)
		fn(&w.Result)
	}
	if n.Default != nil {
		fn(&n.Default)
	}
}

func (n *CaseExpr) shallowCopy() Expr {
	c := *n
	c.Whens = cloneWhens(n.Whens)
	return &c
}

func (n *CaseExpr) sameNode(e Expr) bool {
	o, ok := e.(*CaseExpr)
	return ok && n.sameHeader(o.Header) && len(n.Whens) == len(o.Whens)
}

func (n *CaseTestExpr) eachChild(func(*Expr)) {}

func (n *CaseTestExpr) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *CaseTestExpr) sameNode(e Expr) bool {
	o, ok := e.(*CaseTestExpr)
	return ok && n.sameHeader(o.Header)
}

func (n *ArrayExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Elements, fn)
}

func (n *ArrayExpr) shallowCopy() Expr {
	c := *n
	c.Elements = slices.Clone(n.Elements)
	return &c
}

func (n *ArrayExpr) sameNode(e Expr) bool {
	o, ok := e.(*ArrayExpr)
	return ok && n.sameHeader(o.Header) && n.ElementType == o.ElementType && n.Multidims == o.Multidims
}

func (n *RowExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *RowExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *RowExpr) sameNode(e Expr) bool {
	o, ok := e.(*RowExpr)
	return ok && n.sameHeader(o.Header)
}

func (n *RowCompareExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Left, fn)
	eachOf(n.Right, fn)
}

func (n *RowCompareExpr) shallowCopy() Expr {
	c := *n
	c.Left = slices.Clone(n.Left)
	c.Right = slices.Clone(n.Right)
	return &c
}

func (n *RowCompareExpr) sameNode(e Expr) bool {
	o, ok := e.(*RowCompareExpr)
	return ok && n.sameHeader(o.Header) && n.Kind == o.Kind && slices.Equal(n.Ops, o.Ops) && slices.Equal(n.InputColls, o.InputColls)
}

func (n *CoalesceExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *CoalesceExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *CoalesceExpr) sameNode(e Expr) bool {
	o, ok := e.(*CoalesceExpr)
	return ok && n.sameHeader(o.Header)
}

func (n *MinMaxExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
}

func (n *MinMaxExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *MinMaxExpr) sameNode(e Expr) bool {
	o, ok := e.(*MinMaxExpr)
	return ok && n.sameHeader(o.Header) && n.Least == o.Least && n.InputColl == o.InputColl
}

func (n *SQLValueFunction) eachChild(func(*Expr)) {}

func (n *SQLValueFunction) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *SQLValueFunction) sameNode(e Expr) bool {
	o, ok := e.(*SQLValueFunction)
	return ok && n.sameHeader(o.Header) && n.Name == o.Name
}

func (n *XMLExpr) eachChild(fn func(*Expr)) {
	eachOf(n.NamedArgs, fn)
	eachOf(n.Args, fn)
}

func (n *XMLExpr) shallowCopy() Expr {
	c := *n
	c.NamedArgs = slices.Clone(n.NamedArgs)
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *XMLExpr) sameNode(e Expr) bool {
	o, ok := e.(*XMLExpr)
	return ok && n.sameHeader(o.Header) && n.Op == o.Op && n.Name == o.Name && n.Content == o.Content && slices.Equal(n.ArgNames, o.ArgNames)
}

func (n *JSONExpr) eachChild(fn func(*Expr)) {
	eachOf(n.Args, fn)
	if n.Func != nil {
		fn(&n.Func)
	}
	if n.Coercion != nil {
		fn(&n.Coercion)
	}
}

func (n *JSONExpr) shallowCopy() Expr {
	c := *n
	c.Args = slices.Clone(n.Args)
	return &c
}

func (n *JSONExpr) sameNode(e Expr) bool {
	o, ok := e.(*JSONExpr)
	return ok && n.sameHeader(o.Header) && n.Op == o.Op && n.AbsentOnNull == o.AbsentOnNull && n.Unique == o.Unique
}

func (n *NullTest) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *NullTest) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *NullTest) sameNode(e Expr) bool {
	o, ok := e.(*NullTest)
	return ok && n.sameHeader(o.Header) && n.Not == o.Not && n.ArgIsRow == o.ArgIsRow
}

func (n *BooleanTest) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *BooleanTest) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *BooleanTest) sameNode(e Expr) bool {
	o, ok := e.(*BooleanTest)
	return ok && n.sameHeader(o.Header) && n.Kind == o.Kind
}

func (n *CoerceToDomain) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *CoerceToDomain) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *CoerceToDomain) sameNode(e Expr) bool {
	o, ok := e.(*CoerceToDomain)
	return ok && n.sameHeader(o.Header)
}

func (n *CoerceToDomainValue) eachChild(func(*Expr)) {}

func (n *CoerceToDomainValue) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *CoerceToDomainValue) sameNode(e Expr) bool {
	o, ok := e.(*CoerceToDomainValue)
	return ok && n.sameHeader(o.Header)
}

func (n *SetToDefault) eachChild(func(*Expr)) {}

func (n *SetToDefault) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *SetToDefault) sameNode(e Expr) bool {
	o, ok := e.(*SetToDefault)
	return ok && n.sameHeader(o.Header)
}

func (n *CurrentOfExpr) eachChild(func(*Expr)) {}

func (n *CurrentOfExpr) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *CurrentOfExpr) sameNode(e Expr) bool {
	o, ok := e.(*CurrentOfExpr)
	return ok && n.sameHeader(o.Header) && n.VarNo == o.VarNo && n.Cursor == o.Cursor
}

func (n *NextValueExpr) eachChild(func(*Expr)) {}

func (n *NextValueExpr) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *NextValueExpr) sameNode(e Expr) bool {
	o, ok := e.(*NextValueExpr)
	return ok && n.sameHeader(o.Header) && n.Sequence == o.Sequence
}

func (n *InferenceElem) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *InferenceElem) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *InferenceElem) sameNode(e Expr) bool {
	o, ok := e.(*InferenceElem)
	return ok && n.sameHeader(o.Header) && n.InferColl == o.InferColl && n.OpClass == o.OpClass
}

func (n *PlaceHolderVar) eachChild(fn func(*Expr)) {
	fn(&n.Arg)
}

func (n *PlaceHolderVar) shallowCopy() Expr {
	c := *n

	return &c
}

func (n *PlaceHolderVar) sameNode(e Expr) bool {
	o, ok := e.(*PlaceHolderVar)
	return ok && n.sameHeader(o.Header) && n.ID == o.ID && n.LevelsUp == o.LevelsUp && n.NullingRels == o.NullingRels
}
