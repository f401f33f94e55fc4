package ddl

import (
	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// eachMessage calls fn for every message below a node of the grammar; fn returns
// false to leave out what is below one.
func eachMessage(m protoreflect.Message, fn func(proto.Message) bool) {
	if !m.IsValid() || !fn(m.Interface()) {
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Kind() != protoreflect.MessageKind {
			return true
		}
		if f.IsList() {
			for i := range v.List().Len() {
				eachMessage(v.List().Get(i).Message(), fn)
			}
			return true
		}
		eachMessage(v.Message(), fn)
		return true
	})
}

// eachCall calls fn for every function call in a statement.
func eachCall(n *pg.Node, fn func(*pg.FuncCall)) {
	eachMessage(n.ProtoReflect(), func(m proto.Message) bool {
		if c, ok := m.(*pg.FuncCall); ok {
			fn(c)
		}
		return true
	})
}
