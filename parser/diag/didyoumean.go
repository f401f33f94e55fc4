package diag

import "unicode"

// DidYouMean returns the candidate nearest to word, and false where none is
// near: the edits between them (Damerau–Levenshtein distance in its restricted
// form: insert, delete, replace, swap neighbours; upper and lower case are the
// same) must be at most a third of the word, but one is always allowed in a
// word of two letters or more. Of equally near ones the first in alphabetical
// order is taken, so the order of candidates does not matter.
func DidYouMean(word string, candidates []string) (string, bool) {
	w := fold(word)
	if len(w) < 2 {
		return "", false
	}
	bound := max(1, (len(w)+1)/3)
	best, found := "", false
	for _, c := range candidates {
		if c == word || c == "" {
			continue
		}
		d := distance(w, fold(c), bound)
		if d > bound || d >= len(w) {
			continue
		}
		if !found || d < bound || d == bound && c < best {
			best, bound, found = c, d, true
		}
	}
	return best, found
}

func fold(s string) []rune {
	r := []rune(s)
	for i := range r {
		r[i] = unicode.ToLower(r[i])
	}
	return r
}

// distance is the number of edits between a and b, or some number over bound.
func distance(a, b []rune, bound int) int {
	if len(a)-len(b) > bound || len(b)-len(a) > bound {
		return bound + 1
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := prev[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(prev[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
