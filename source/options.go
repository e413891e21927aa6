package source

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/source/stage"
)

// The formats of an input and of a list.
const (
	CSV   = "csv"
	JSONL = "jsonl"
)

// Options say how rows are read. All except NoSource, MaxFriends, NoRosters and AllowEmpty belong
// to the identity of a job; NoSource follows from its command.
type Options struct {
	Format           string            // --format, for inputs whose name says none: "", csv, jsonl or ndjson
	Map              map[string]string // --map: from the API's name to the name in the input
	DefaultAddSource string            // --default-add-source: for rows without one
	NoSource         bool              // rows need no AddSource: friend_update does not send it
	// --integer-tags: custom fields that are integers in CSV, with or without Tag_SNS_Custom_
	IntegerTags  []string
	InvalidField string // --invalid-field: reject (also ""), drop or cut
	Duplicates   string // --duplicates: last (also ""), first or error
	Mutual       bool   // --mutual: add missing reverses
	MaxFriends   int    // --max-friends: warn of rosters over it; 0: no warning
	NoRosters    bool   // no warnings of whole rosters, since none is imported
	AllowEmpty   bool   // --allow-empty: inputs without any row are no error
}

// Check returns an *OptionError for the first option that cannot be used.
func (o Options) Check() error {
	for _, err := range []error{
		oneOf("format", o.Format, CSV, JSONL, "ndjson"),
		oneOf("invalid-field", o.InvalidField, "reject", "drop", "cut"),
		oneOf("duplicates", o.Duplicates, "last", "first", "error"),
	} {
		if err != nil {
			return err
		}
	}
	if o.DefaultAddSource != "" && !validSource(o.DefaultAddSource) {
		word := strings.TrimPrefix(o.DefaultAddSource, sourcePrefix)
		if !isKeyword(word) {
			word = "WORD"
		}
		return &OptionError{Option: "--default-add-source", Reason: fmt.Sprintf("%q %s", o.DefaultAddSource,
			reasonSource), Better: Flag{"default-add-source", sourcePrefix + word}}
	}
	for i, tag := range o.IntegerTags {
		if !isTag(fullTag(tag)) {
			better := slices.Clone(o.IntegerTags)
			better[i] = tagPrefix + "WORD"
			return &OptionError{Option: "--integer-tags", Reason: fmt.Sprintf("%q %s", tag, reasonTag),
				Better: Flag{"integer-tags", strings.Join(better, ",")}}
		}
	}
	return o.checkMap()
}

func oneOf(flag, value string, known ...string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return &OptionError{Option: "--" + flag, Reason: fmt.Sprintf("%q is none of %s", value, strings.Join(known, ", ")),
		Better: Flag{flag, cmp.Or(near(value, known...), known[0])}}
}

func (o Options) checkMap() error {
	headers := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(o.Map)) {
		header := o.Map[name]
		if !isTag(name) && !slices.Contains(mappable(), name) {
			better := maps.Clone(o.Map)
			delete(better, name)
			if meant := nearField(name); meant != "" {
				better[meant] = header
			}
			return &OptionError{Option: "--map", Better: mapFlag(better),
				Reason: fmt.Sprintf("%q is not a field of the API: %s and %s* can be mapped", name,
					strings.Join(mappable(), ", "), tagPrefix)}
		}
		if header == "" {
			return &OptionError{Option: "--map", Reason: fmt.Sprintf("%q is mapped to nothing", name)}
		}
		if other, twice := headers[header]; twice {
			return &OptionError{Option: "--map", Reason: fmt.Sprintf("%q is mapped to both %q and %q", header, other,
				name)}
		}
		headers[header] = name
	}
	return nil
}

func mappable() []string {
	unmapped := func(name string) bool { return name == "" || name == nameCustomItem }
	return slices.DeleteFunc(slices.Clone(fieldNames[:]), unmapped)
}

// Canonical returns the options as text, by flag, as a job records them. The same flags in another
// order, or with a default written out, give the same text. MaxFriends, NoRosters and AllowEmpty
// are not in it, because they change no edge.
func (o Options) Canonical() map[string]string {
	source := o.DefaultAddSource
	if o.NoSource { // what jobs recorded when their rows still got one
		source = sourcePrefix + "Update"
	}
	return map[string]string{
		"--format":             o.format(),
		"--map":                pairs(o.Map),
		"--default-add-source": source,
		"--integer-tags":       strings.Join(o.integerTags(), ","),
		"--invalid-field":      cmp.Or(o.InvalidField, "reject"),
		"--duplicates":         cmp.Or(o.Duplicates, "last"),
		"--mutual":             strconv.FormatBool(o.Mutual),
	}
}

// mapFlag returns a --map, or no flag if a header has a comma, which --map cannot express.
func mapFlag(mapped map[string]string) Flag {
	for _, header := range mapped {
		if strings.Contains(header, ",") {
			return Flag{}
		}
	}
	return Flag{"map", pairs(mapped)}
}

func pairs(mapped map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(mapped)) {
		list = append(list, name+"="+mapped[name])
	}
	return strings.Join(list, ",")
}

func (o Options) format() string {
	if o.Format == "ndjson" {
		return JSONL
	}
	return o.Format
}

// integerTags lists the full tags, sorted, each once.
func (o Options) integerTags() []string {
	tags := make([]string, 0, len(o.IntegerTags))
	for _, tag := range o.IntegerTags {
		tags = append(tags, fullTag(tag))
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

func fullTag(tag string) string {
	if strings.HasPrefix(tag, tagPrefix) {
		return tag
	}
	return tagPrefix + tag
}

func (o Options) duplicates() stage.Duplicates {
	return map[string]stage.Duplicates{"first": stage.First, "error": stage.Refuse}[o.Duplicates] // Last is zero
}

// rules are the options in the form that the parsers need. They are read only and shared.
type rules struct {
	dictionary dictionary
	mapped     map[string]string
	integer    []string // full tags
	source     string   // for rows without one
	noSource   bool     // rows need none
	invalid    string   // --invalid-field: reject, drop or cut
}

func (o Options) rules() *rules {
	return &rules{dictionary: newDictionary(o.Map), mapped: o.Map, integer: o.integerTags(), source: o.DefaultAddSource,
		noSource: o.NoSource, invalid: cmp.Or(o.InvalidField, "reject")}
}

// checkTags refuses --integer-tags that name no column. It is called once the last header is read,
// before the rows after it.
func (r *reading) checkTags() error {
	known := slices.Compact(slices.Sorted(slices.Values(r.tags)))
	var wrong, better []string
	for _, tag := range r.request.Options.integerTags() {
		meant := near(tag, known...)
		if meant != "" {
			better = append(better, meant)
		}
		if meant != tag {
			wrong = append(wrong, didYouMean(tag, meant))
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

// checkMap refuses a --map that names a key that no row has. For CSV the header was checked; for
// JSONL this is known only at the end.
func (r *reading) checkMap(tallies []*tally) error {
	if r.headers > 0 || r.counts.NoRows() {
		return nil
	}
	mapped := maps.Clone(r.rules.mapped)
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(mapped)) {
		if !slices.ContainsFunc(tallies, func(t *tally) bool { _, used := t.used[name]; return used }) {
			wrong = append(wrong, fmt.Sprintf("%q for %s", mapped[name], name))
			mapped[name] = cmp.Or(near(mapped[name], r.counts.ColumnsIgnored...), "KEY")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	reason := "no row has a key " + strings.Join(wrong, " or ") + list(r.counts.ColumnsIgnored)
	return &OptionError{Option: "--map", Reason: reason, Better: mapFlag(mapped)}
}
