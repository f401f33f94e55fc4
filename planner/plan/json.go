package plan

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// MarshalJSON prints the plan as the Plan object of EXPLAIN (FORMAT JSON): the
// same keys in the same order, costs with two decimals.
func (n *Node) MarshalJSON() ([]byte, error) {
	var o object
	if err := n.fields(&o); err != nil {
		return nil, err
	}
	return o.bytes(), nil
}

// object is a JSON object being written, in the order of its keys.
type object struct {
	out bytes.Buffer
	err error
}

func (o *object) bytes() []byte {
	if o.out.Len() == 0 {
		return []byte("{}")
	}
	return append(o.out.Bytes(), '}')
}

func (o *object) raw(key, value string) {
	if o.out.Len() == 0 {
		o.out.WriteByte('{')
	} else {
		o.out.WriteByte(',')
	}
	o.out.WriteString(strconv.Quote(key))
	o.out.WriteByte(':')
	o.out.WriteString(value)
}

func (o *object) value(key string, v any) {
	b := &bytes.Buffer{}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil && o.err == nil {
		o.err = err
		return
	}
	o.raw(key, string(bytes.TrimRight(b.Bytes(), "\n")))
}

// text adds a string that is left out if empty.
func (o *object) text(key, v string) {
	if v != "" {
		o.value(key, v)
	}
}

func (n *Node) fields(o *object) error {
	o.value("Node Type", n.Kind.String())
	o.text("Strategy", n.Strategy)
	o.text("Partial Mode", n.PartialMode)
	o.text("Operation", n.Operation)
	o.text("Parent Relationship", n.Relationship)
	o.text("Subplan Name", n.SubplanName)
	o.value("Parallel Aware", n.ParallelAware)
	o.value("Async Capable", n.AsyncCapable)
	o.text("Scan Direction", n.ScanDirection)
	o.text("Index Name", n.IndexName)
	if n.ObjectKind != "" {
		o.text(n.ObjectKind, n.ObjectName)
	}
	o.text("Alias", n.Alias)
	o.text("Join Type", n.JoinType)
	o.text("Command", n.Command)
	o.raw("Startup Cost", number(n.Startup, 2))
	o.raw("Total Cost", number(n.Total, 2))
	o.raw("Plan Rows", number(n.Rows, 0))
	o.value("Plan Width", n.Width)
	if n.version >= 180000 {
		o.value("Disabled", n.Disabled)
	}
	for _, d := range n.Details {
		o.detail(d)
	}
	if n.Plans != nil {
		o.value("Plans", n.Plans)
	}
	return o.err
}

func (o *object) detail(d Detail) {
	switch v := d.Value.(type) {
	case sample:
		o.value("Sampling Method", v.method)
		o.value("Sampling Parameters", append([]string{}, v.args...))
		o.text("Repeatable Seed", v.seed)
	case []Target:
		type target struct {
			Relation string `json:"Relation Name"`
			Alias    string `json:"Alias"`
		}
		list := make([]target, 0, len(v))
		for _, t := range v {
			list = append(list, target{t.Relation, t.Alias})
		}
		o.value(d.Name, list)
	case []GroupingSet:
		type set struct {
			SortKey []string   `json:"Sort Key,omitempty"`
			Hash    [][]string `json:"Hash Keys,omitempty"`
			Group   [][]string `json:"Group Keys,omitempty"`
		}
		list := make([]set, 0, len(v))
		for _, g := range v {
			s := set{SortKey: g.SortKey}
			if g.Hashed {
				s.Hash = g.Keys
			} else {
				s.Group = g.Keys
			}
			list = append(list, s)
		}
		o.value(d.Name, list)
	default:
		o.value(d.Name, v)
	}
}
