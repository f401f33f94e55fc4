package upper

// qsort sorts as PostgreSQL's qsort does, with the same outcome for elements
// that compare equal: Bentley and McIlroy's quicksort that leaves sorted input
// alone (sort_template.h).
func qsort[T any](a []T, cmp func(x, y T) int) {
	for {
		sorted := true
		for i := 1; i < len(a) && sorted; i++ {
			sorted = cmp(a[i-1], a[i]) <= 0
		}
		if sorted {
			return
		}
		if len(a) < 7 {
			for i := 1; i < len(a); i++ {
				for j := i; j > 0 && cmp(a[j-1], a[j]) > 0; j-- {
					a[j-1], a[j] = a[j], a[j-1]
				}
			}
			return
		}
		left, right := partition(a, cmp)
		if len(left) <= len(right) {
			qsort(left, cmp)
			a = right
		} else {
			qsort(right, cmp)
			a = left
		}
	}
}

// partition moves the elements equal to a chosen one to the middle, and returns
// what is less and what is greater.
func partition[T any](a []T, cmp func(x, y T) int) (left, right []T) {
	n := len(a)
	median := func(i, j, k int) int {
		if cmp(a[i], a[j]) < 0 {
			switch {
			case cmp(a[j], a[k]) < 0:
				return j
			case cmp(a[i], a[k]) < 0:
				return k
			}
			return i
		}
		switch {
		case cmp(a[j], a[k]) > 0:
			return j
		case cmp(a[i], a[k]) < 0:
			return i
		}
		return k
	}
	m := n / 2
	if n > 7 {
		l, r := 0, n-1
		if n > 40 {
			d := n / 8
			l, m, r = median(l, l+d, l+2*d), median(m-d, m, m+d), median(r-2*d, r-d, r)
		}
		m = median(l, m, r)
	}
	a[0], a[m] = a[m], a[0]
	// Elements equal to the chosen one gather at both ends.
	pa, pb, pc, pd := 1, 1, n-1, n-1
	for {
		for pb <= pc {
			c := cmp(a[pb], a[0])
			if c > 0 {
				break
			}
			if c == 0 {
				a[pa], a[pb] = a[pb], a[pa]
				pa++
			}
			pb++
		}
		for pb <= pc {
			c := cmp(a[pc], a[0])
			if c < 0 {
				break
			}
			if c == 0 {
				a[pc], a[pd] = a[pd], a[pc]
				pd--
			}
			pc--
		}
		if pb > pc {
			break
		}
		a[pb], a[pc] = a[pc], a[pb]
		pb++
		pc--
	}
	swap := func(i, j, n int) {
		for range n {
			a[i], a[j] = a[j], a[i]
			i++
			j++
		}
	}
	d := min(pa, pb-pa)
	swap(0, pb-d, d)
	d = min(pd-pc, n-pd-1)
	swap(pb, n-d, d)
	return a[:pb-pa], a[n-(pd-pc):]
}
