package source

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// checkTags refuses --integer-tags that name no column. It is called with the last header, before
// the rows behind it.
func (r *reading) checkTags() error {
	tags := r.options.integerTags()
	known := slices.Compact(slices.Sorted(slices.Values(r.tags)))
	var wrong, better []string
	for _, tag := range tags {
		switch meant := near(tag, known...); {
		case meant == tag:
			better = append(better, tag)
		case meant != "":
			better = append(better, meant)
			wrong = append(wrong, fmt.Sprintf("%q (did you mean %s?)", tag, meant))
		default:
			wrong = append(wrong, strconv.Quote(tag))
		}
	}
	if len(wrong) == 0 || r.headers == 0 { // JSONL alone: a warning
		return nil
	}
	there := "there is no custom column"
	if len(known) > 0 {
		there = "the custom columns are " + strings.Join(known, ", ")
	}
	reason := "no input has a column " + strings.Join(wrong, " or ") + "; " + there
	return &OptionError{Option: "--integer-tags", Reason: reason,
		Better: Flag{"integer-tags", strings.Join(slices.Compact(better), ",")}}
}

// checkMap refuses a --map that reads an account from a key that no row has. CSV was checked by its
// header; of JSONL this is known at its end. Other keys may be absent from all rows, which is a
// warning.
func (r *reading) checkMap(tallies []*tally) error {
	if r.headers > 0 || r.counts.NoRows() {
		return nil
	}
	mapped := maps.Clone(r.rules.mapped)
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(mapped)) {
		header := mapped[name]
		switch {
		case slices.ContainsFunc(tallies, func(t *tally) bool { _, used := t.used[name]; return used }):
		case name == nameFrom || name == nameTo:
			wrong = append(wrong, fmt.Sprintf("%q for %s", header, name))
			mapped[name] = orElse(near(header, r.counts.ColumnsIgnored...), "KEY")
		default:
			r.counts.MapUnused = append(r.counts.MapUnused, header)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	reason := "no row has a key " + strings.Join(wrong, " or ") + list(r.counts.ColumnsIgnored)
	return &OptionError{Option: "--map", Reason: reason, Better: mapFlag(mapped)}
}
