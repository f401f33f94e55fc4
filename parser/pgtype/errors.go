package pgtype

import (
	"errors"
	"fmt"
)

// ValueError says why a text is no value of a type, in the server's words.
type ValueError struct {
	// Code is the SQLSTATE.
	Code    string
	Message string
	Detail  string
	Hint    string
}

func (e *ValueError) Error() string { return e.Message }

// ErrNow is returned for inputs such as 'now' and 'today' when [Env] has no time.
var ErrNow = errors.New("the current time is not known")

// SQLSTATEs of input functions.
const (
	codeSyntax         = "22P02" // invalid_text_representation
	codeRange          = "22003" // numeric_value_out_of_range
	codeDateFormat     = "22007" // invalid_datetime_format
	codeDateOverflow   = "22008" // datetime_field_overflow
	codeZoneRange      = "22009" // invalid_time_zone_displacement_value
	codeIntervalRange  = "22015" // interval_field_overflow
	codeTooLong        = "22001" // string_data_right_truncation
	codeLength         = "22026" // string_data_length_mismatch
	codeParameter      = "22023" // invalid_parameter_value
	codeUntranslatable = "22P05" // untranslatable_character
	codeEncoding       = "22021" // character_not_in_repertoire
	codeData           = "22000" // data_exception
	codeLimit          = "54000" // program_limit_exceeded
	codeSubscript      = "2202E" // array_subscript_error
)

func valueError(code, format string, args ...any) error {
	return &ValueError{Code: code, Message: fmt.Sprintf(format, args...)}
}

func syntaxError(typ, text string) error {
	return valueError(codeSyntax, "invalid input syntax for type %s: \"%s\"", typ, text)
}

func rangeError(typ, text string) error {
	return valueError(codeRange, "value \"%s\" is out of range for type %s", text, typ)
}
