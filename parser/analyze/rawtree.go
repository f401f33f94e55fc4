package analyze

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	pg "github.com/pganalyze/pg_query_go/v5"
)

// clearLocations zeroes every location below a grammar message.
func clearLocations(m protoreflect.Message) {
	if f := m.Descriptor().Fields().ByName("location"); f != nil {
		m.Clear(f)
	}
	eachMessage(m, clearLocations)
}

// eachMessage calls fn for every message directly below m, in field order.
func eachMessage(m protoreflect.Message, fn func(protoreflect.Message)) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Kind() != protoreflect.MessageKind || !m.Has(f) {
			continue
		}
		if f.IsList() {
			list := m.Get(f).List()
			for j := range list.Len() {
				fn(list.Get(j).Message())
			}
			continue
		}
		fn(m.Get(f).Message())
	}
}

// walkRaw visits the grammar messages below m, each before what is below it;
// where fn returns false it does not go further down
// (raw_expression_tree_walker, nodeFuncs.c).
func walkRaw(m protoreflect.Message, fn func(any) bool) {
	eachMessage(m, func(c protoreflect.Message) {
		if fn(c.Interface()) {
			walkRaw(c, fn)
		}
	})
}

func rawMessage(n *pg.Node) protoreflect.Message { return n.ProtoReflect() }
