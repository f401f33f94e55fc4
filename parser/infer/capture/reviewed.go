package main

import "strings"

// reviewedSQL are built-in functions that are written in SQL and give a value for
// values: each was read, and is tried like the others.
func reviewedSQL() map[string]bool {
	m := map[string]bool{}
	for _, s := range strings.Fields(`lpad(text,int4) rpad(text,int4) timestamptz(date,time) quote_literal(anyelement) quote_nullable(anyelement)
		timedate_pl(time,date) timetzdate_pl(timetz,date) age(timestamptz) age(timestamp) path_contain_pt(path,point) log10(numeric)
		polygon(circle) round(numeric) trunc(numeric) log(numeric) bit_length(bytea) bit_length(text) bit_length(bit) integer_pl_date(int4,date)
		interval_pl_time(interval,time) interval_pl_date(interval,date) interval_pl_timetz(interval,timetz)
		interval_pl_timestamp(interval,timestamp) interval_pl_timestamptz(interval,timestamptz) int8pl_inet(int8,inet)
		numeric_pl_pg_lsn(numeric,pg_lsn) textanycat(text,anynonarray) anytextcat(anynonarray,text)`) {
		m[s] = true
	}
	return m
}

// reviewedRows are set-returning functions that fill a tuplestore: for each column,
// 1 where no row has a NULL. A key's value is the JSON null, not NULL, but for the
// functions that give it as text; text_to_table gives a NULL where it is asked to,
// by its third argument.
func reviewedRows() map[string]string {
	return map[string]string{
		"json_each": "11", "jsonb_each": "11", "json_each_text": "10", "jsonb_each_text": "10",
		"json_array_elements": "1", "jsonb_array_elements": "1", "json_object_keys": "1", "jsonb_object_keys": "1",
		"text_to_table": "1", "regexp_matches": "1", "regexp_matches_no_flags": "1",
		"aclexplode": "1111", "pg_timezone_names": "1111", "pg_timezone_abbrevs": "111",
	}
}

// rowsClass is "1" for a function that gives one value a call and no NULL among them.
func rowsClass(sources []*source, name string) string {
	found := false
	for _, s := range sources {
		for _, f := range s.funcs[name] {
			found = true
			body := strings.ReplaceAll(f.body, "SRF_RETURN_DONE", "")
			if !strings.Contains(body, "SRF_RETURN_NEXT") && s.forwarded(body, f.file) == "" || strings.Contains(body, "tuplestore") {
				return ""
			}
			if !strings.Contains(body, "SRF_RETURN_NEXT") {
				continue
			}
			if v := s.text(body, "fcinfo", f.file, map[string]bool{"SRF_RETURN_NEXT": !strings.Contains(body, "SRF_RETURN_NEXT_NULL")}); v < guarded {
				return ""
			}
		}
	}
	if !found {
		return ""
	}
	return "1"
}

// forwarded follows a function that does nothing but call another with its data.
func (s *source) forwarded(body, file string) string {
	body = strings.TrimSpace(body)
	rest, ok := strings.CutPrefix(body, "return ")
	if !ok || strings.Count(body, ";") != 1 {
		return ""
	}
	name, _, _ := strings.Cut(rest, "(")
	for _, f := range s.funcs[name] {
		if f.file == file {
			return rowsClass([]*source{s}, name)
		}
	}
	return ""
}
