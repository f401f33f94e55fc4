package naming

import (
	"strings"
	"unicode"
)

// irregular nouns, singular and plural, that tables are named after.
func irregular() [][2]string {
	return [][2]string{
		{"person", "people"},
		{"child", "children"},
		{"man", "men"},
		{"woman", "women"},
		{"foot", "feet"},
		{"tooth", "teeth"},
		{"goose", "geese"},
		{"mouse", "mice"},
		{"ox", "oxen"},
		{"move", "moves"},
		{"index", "indices"},
		{"vertex", "vertices"},
		{"matrix", "matrices"},
		{"appendix", "appendices"},
		{"axis", "axes"},
		{"quiz", "quizzes"},
		{"movie", "movies"},
		{"cookie", "cookies"},
		{"tie", "ties"},
		{"pie", "pies"},
		{"leaf", "leaves"},
		{"shelf", "shelves"},
		{"half", "halves"},
		{"wolf", "wolves"},
		{"knife", "knives"},
		{"life", "lives"},
		{"wife", "wives"},
		{"calf", "calves"},
		{"thief", "thieves"},
		{"loaf", "loaves"},
		{"hero", "heroes"},
		{"potato", "potatoes"},
		{"tomato", "tomatoes"},
		{"echo", "echoes"},
		{"veto", "vetoes"},
		{"cargo", "cargoes"},
		{"shoe", "shoes"},
		{"toe", "toes"},
		{"cache", "caches"},
		{"house", "houses"},
		{"database", "databases"},
		{"purchase", "purchases"},
		{"release", "releases"},
		{"case", "cases"},
		{"course", "courses"},
		{"horse", "horses"},
		{"license", "licenses"},
		{"licence", "licences"},
		{"expense", "expenses"},
		{"response", "responses"},
		{"invoice", "invoices"},
		{"lease", "leases"},
		{"phase", "phases"},
		{"nurse", "nurses"},
		{"clause", "clauses"},
		{"pause", "pauses"},
		{"cause", "causes"},
		{"use", "uses"},
		{"base", "bases"},
		{"vase", "vases"},
		{"rose", "roses"},
		{"nose", "noses"},
		{"dose", "doses"},
		{"exercise", "exercises"},
		{"enterprise", "enterprises"},
		{"franchise", "franchises"},
		{"premise", "premises"},
		{"size", "sizes"},
		{"prize", "prizes"},
		{"criterion", "criteria"},
		{"phenomenon", "phenomena"},
		{"datum", "data"},
		{"medium", "media"},
		{"stimulus", "stimuli"},
		{"alumnus", "alumni"},
		{"radius", "radii"},
		{"virus", "viruses"},
		{"bus", "buses"},
		{"gas", "gases"},
		{"lens", "lenses"},
		{"alias", "aliases"},
		{"bonus", "bonuses"},
		{"campus", "campuses"},
		{"census", "censuses"},
		{"status", "statuses"},
		{"corpus", "corpora"},
		{"analysis", "analyses"},
		{"thesis", "theses"},
		{"crisis", "crises"},
		{"diagnosis", "diagnoses"},
		{"synopsis", "synopses"},
		{"hypothesis", "hypotheses"},
		{"basis", "bases"},
	}
}

// uncountable words are their own plural, or end in s without being one.
const uncountable = " equipment information rice money species series sheep fish news metadata feedback software hardware " +
	"data media staff aircraft audio video music traffic inventory catalog history address business process access progress " +
	"success class status bus gas virus bonus campus census corpus lens alias analysis basis crisis diagnosis thesis " +
	"hypothesis synopsis parenthesis oasis emphasis axis radius canvas atlas pancreas bias chaos kudos logistics analytics " +
	"statistics economics politics mathematics physics ethics athletics electronics settings preferences sms dns gps is has " +
	"was this its us perhaps pos vas cvs rss css tls os ms "

// Singular is the singular of an English noun in small letters, as far as its
// form tells; a word that is none stays as it is. For a name of several words
// the last one counts: `order_items` is order_item.
func Singular(name string) string {
	head, last := splitLast(name)
	if last == "" {
		return name
	}
	return head + matchCase(last, singular(strings.ToLower(last)))
}

// Plural is the plural of a name, of its last word: Status is Statuses.
func Plural(name string) string {
	head, last := splitLast(name)
	if last == "" {
		return name
	}
	return head + matchCase(last, plural(strings.ToLower(last)))
}

// splitLast cuts a name before its last word.
func splitLast(name string) (head, last string) {
	words := Words(name)
	if len(words) == 0 {
		return name, ""
	}
	last = words[len(words)-1]
	at := strings.LastIndex(name, last)
	return name[:at], name[at:]
}

// matchCase writes changed as original was: what they share is kept.
func matchCase(original, changed string) string {
	if strings.ToUpper(original) == original && strings.IndexFunc(original, unicode.IsLower) < 0 && len([]rune(original)) > 1 {
		return strings.ToUpper(changed)
	}
	from, to := []rune(original), []rune(changed)
	for i := range min(len(from), len(to)) {
		if unicode.ToLower(from[i]) != to[i] {
			break
		}
		to[i] = from[i]
	}
	if len(from) > 0 && unicode.IsUpper(from[0]) {
		to[0] = unicode.ToUpper(to[0])
	}
	return string(to)
}

func singular(w string) string {
	// The plurals of a few words are words without a plural to others: data.
	if strings.Contains(uncountable, " "+w+" ") {
		return w
	}
	for _, p := range irregular() {
		if w == p[0] || w == p[1] {
			return p[0]
		}
	}
	for _, rule := range []struct{ plural, singular string }{
		{"ss", "ss"},
		{"us", "us"},
		{"is", "is"},
		{"analyses", "analysis"},
		{"theses", "thesis"},
		{"crises", "crisis"},
		{"diagnoses", "diagnosis"},
		{"synopses", "synopsis"},
		{"addresses", "address"},
		{"sses", "ss"},
		{"shes", "sh"},
		{"ches", "ch"},
		{"xes", "x"},
		{"zzes", "zz"},
		{"uses", "us"},
		{"ies", "y"},
		{"s", ""},
	} {
		stem, ok := strings.CutSuffix(w, rule.plural)
		if !ok || stem == "" {
			continue
		}
		if rule.plural == "uses" && !strings.HasSuffix(stem, "n") && !strings.HasSuffix(stem, "t") && !strings.HasSuffix(stem, "p") {
			continue // warehouses and causes keep their e
		}
		if rule.plural == "ies" && len(stem) < 2 {
			return w[:len(w)-1] // dies, lies
		}
		return stem + rule.singular
	}
	return w
}

func plural(w string) string {
	for _, p := range irregular() {
		if w == p[0] || w == p[1] {
			return p[1]
		}
	}
	switch {
	case singular(w) != w:
		return w // it is one
	case strings.Contains(uncountable, " "+w+" ") && (strings.HasSuffix(w, "ings") || strings.HasSuffix(w, "ics") ||
		strings.HasSuffix(w, "ces") || strings.HasSuffix(w, "ies") || strings.HasSuffix(w, "ws") || strings.HasSuffix(w, "data")):
		return w // it has no other
	case strings.HasSuffix(w, "s"), strings.HasSuffix(w, "x"), strings.HasSuffix(w, "z"),
		strings.HasSuffix(w, "ch"), strings.HasSuffix(w, "sh"):
		if stem, ok := strings.CutSuffix(w, "sis"); ok {
			return stem + "ses"
		}
		return w + "es"
	case strings.HasSuffix(w, "y") && len(w) > 1 && !strings.ContainsAny(w[len(w)-2:len(w)-1], "aeiou"):
		return w[:len(w)-1] + "ies"
	}
	return w + "s"
}
