# Makes a table of the benchmarks that run beside bare pgx: what ours costs over
# it in allocations and nanoseconds, and as a ratio of times. What is not measured
# by a benchmark stays empty. Failures and other lines pass through.
BEGIN { line = "%-34s %12s %10s %8s\n"; printf line, "beside bare pgx, in one run", "allocs over", "ns over", "ratio" }
/^Benchmark/ && NF > 3 {
	name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name); gsub(/_/, " ", name)
	split("", of)
	for (i = 3; i < NF; i += 2) of[$(i + 1)] = $i
	ratio = "x-pgx" in of ? of["x-pgx"] : of["time/pgx"]
	printf line, name, number(of["allocs-over-pgx"], "%+.1f"), number(of["ns-over-pgx"], "%+.0f"), number(ratio, "%.2f")
	next
}
/^(goos|goarch|pkg|cpu|PASS|ok)/ { next }
{ print }
function number(text, format) {
	if (text == "") return ""
	text = sprintf(format, text)
	sub(/^[-+]0(\.0)?$/, "0", text)
	return text
}
