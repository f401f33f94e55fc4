package diag

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// GitHub writes the list as workflow commands, which GitHub Actions shows at
// the lines of a pull request. It returns the writer's error.
func (l List) GitHub(w io.Writer) error {
	for i := range l {
		d := &l[i]
		var properties []string
		add := func(key, value string) {
			properties = append(properties, key+"="+propertyEscaper.Replace(value))
		}
		if d.File != nil {
			add("file", d.File.Name)
			if line, column, endLine, endColumn := region(d.File, d.Span); line > 0 {
				add("line", fmt.Sprint(line))
				add("endLine", fmt.Sprint(endLine))
				// Columns across lines are refused there.
				if line == endLine {
					add("col", fmt.Sprint(column))
					add("endColumn", fmt.Sprint(max(endColumn, column)))
				}
			}
		}
		if title := cmp.Or(d.SQLState, d.Code); title != "" {
			add("title", title)
		}
		message := d.Message
		for _, more := range []string{d.Detail, d.advice()} {
			if more != "" {
				message += "\n" + more
			}
		}
		space := ""
		if len(properties) > 0 {
			space = " "
		}
		if _, err := fmt.Fprintf(w, "::%s%s%s::%s\n", workflowCommand(d.Severity), space,
			strings.Join(properties, ","), dataEscaper.Replace(message)); err != nil {
			return err
		}
	}
	return nil
}

// What a workflow command escapes in its message and in its properties. A
// Replacer is immutable once made.
var (
	dataEscaper     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscaper = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func workflowCommand(s Severity) string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "notice"
}
