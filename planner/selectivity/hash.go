package selectivity

import (
	"math"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// HashBucketStats estimates, for a hash table of nbuckets over a key, the
// frequency of the most common key and the fraction of rows in an average
// bucket that is probed (estimate_hash_bucket_stats, selfuncs.c).
func HashBucketStats(root *rel.PlannerInfo, key query.Expr, nbuckets float64) (mcvFreq, bucketSize float64) {
	v := Examine(root, key, 0)
	if f := v.freqs(); len(f) > 0 {
		mcvFreq = f[0]
	}
	nd, isDefault := v.NDistinct()
	if isDefault {
		return mcvFreq, math.Max(0.1, mcvFreq)
	}
	avg := (1.0 - v.nullFrac()) / nd
	if v.Rel != nil && v.Rel.Tuples > 0 {
		nd *= v.Rel.Rows / v.Rel.Tuples
		nd = clampRows(nd)
	}
	s := 1.0 / nd
	if nd > nbuckets {
		s = 1.0 / nbuckets
	}
	if avg > 0 && mcvFreq > avg {
		s *= mcvFreq / avg
	}
	if s < 1.0e-6 {
		s = 1.0e-6
	} else if s > 1.0 {
		s = 1.0
	}
	return mcvFreq, s
}
