package source

import (
	"fmt"
	"slices"
	"strings"

	"friendmigrate/migrate"
)

// The API's names of CSV columns and JSONL keys (vendor's page of friend_import, 2024-09-25).
const (
	nameFrom       = "From_Account"
	nameTo         = "To_Account"
	nameRemark     = "Remark"
	nameRemarkTime = "RemarkTime"
	nameGroups     = "GroupName"
	nameAddSource  = "AddSource"
	nameAddWording = "AddWording"
	nameAddTime    = "AddTime"
	nameCustomItem = "CustomItem" // JSONL only
	tagPrefix      = "Tag_SNS_Custom_"
	sourcePrefix   = "AddSource_Type_"
)

// groupSeparator separates the groups in a CSV cell.
const groupSeparator = ";"

// The API's limits, in bytes of UTF-8 (vendor's pages "Friend Fields" and "Limits").
const (
	maxRemark  = 96
	maxWording = 256
	maxGroup   = 30
	maxCustom  = 500
	maxKeyword = 8
)

// field is what a column or key means.
type field uint8

const (
	fieldUnknown field = iota // unknown: ignored, and named in a warning
	fieldListed               // a column that our own lists add: ignored
	fieldFrom
	fieldTo
	fieldRemark
	fieldRemarkTime
	fieldGroups
	fieldAddSource
	fieldAddWording
	fieldAddTime
	fieldCustomItem // the API's array of Tag and Value
	fieldTag        // one custom field, by its tag; isTag says whether that is valid
)

var fieldNames = [...]string{
	fieldFrom: nameFrom, fieldTo: nameTo, fieldRemark: nameRemark, fieldRemarkTime: nameRemarkTime,
	fieldGroups:    nameGroups,
	fieldAddSource: nameAddSource, fieldAddWording: nameAddWording, fieldAddTime: nameAddTime,
	fieldCustomItem: nameCustomItem,
}

// listColumns are the columns that the program's own lists add to the API's. Such a list is a valid
// input and gives no warning.
var listColumns = [...]string{
	"Input", "Line", "ResultCode", "ResultInfo", "Attempts", "KeptInput", "KeptLine", "Column", "Reason", "Row", "Was",
	"Now",
	"Uncertain", "Relation", "Field", "Fields", "Expected", "Found", "SettledAt", "Outcome",
}

// keyword describes, for messages, what follows the prefix of an AddSource or a custom field's tag.
const keyword = " and 1 to 8 English letters"

func isKeyword(word string) bool {
	for i := range len(word) {
		if c := word[i] | ' '; c < 'a' || c > 'z' {
			return false
		}
	}
	return word != "" && len(word) <= maxKeyword
}

// isTag reports whether name can be the tag of a custom field. Only the app's console shows which
// tags exist.
func isTag(name string) bool {
	word, ok := strings.CutPrefix(name, tagPrefix)
	return ok && isKeyword(word)
}

// meaning is the meaning of a column or key. text is the API's name (for a custom field its tag),
// which may differ from the name in the input.
type meaning struct {
	field field
	text  string
}

// dictionary holds the meanings of the columns and keys of an input.
type dictionary struct {
	known  map[string]meaning // by the name in the input
	mapped map[string]string  // --map; an API name read from another column is itself unknown
}

func newDictionary(mapped map[string]string) dictionary {
	d := dictionary{known: map[string]meaning{}, mapped: mapped}
	for _, name := range listColumns {
		d.known[name] = meaning{fieldListed, name}
	}
	names := map[string]meaning{}
	for f, name := range fieldNames {
		if name != "" {
			names[name] = meaning{field(f), name}
			d.known[name] = names[name]
		}
	}
	for name := range mapped {
		delete(d.known, name)
	}
	for name, header := range mapped {
		if m, ok := names[name]; ok {
			d.known[header] = m
		} else {
			d.known[header] = meaning{fieldTag, name}
		}
	}
	return d
}

func (d *dictionary) look(word string) meaning {
	if m, ok := d.known[word]; ok {
		return m
	}
	if _, taken := d.mapped[word]; strings.HasPrefix(word, tagPrefix) && !taken {
		return meaning{fieldTag, word}
	}
	return meaning{}
}

// didYouMean quotes a word and adds the word that was probably meant, if there is one.
func didYouMean(word, meant string) string {
	if meant == "" || meant == word {
		return fmt.Sprintf("%.60q", word)
	}
	return fmt.Sprintf("%.60q (did you mean %s?)", word, meant)
}

// near returns the word of list that word was probably meant to be; "" if none is similar.
func near(word string, list ...string) string {
	if slices.Contains(list, word) {
		return word
	}
	for _, known := range list {
		if plain := lettersOf(word); plain != "" && plain == lettersOf(known) {
			return known
		}
	}
	return migrate.Nearest(word, min(2, len(word)/3), list...)
}

// lettersOf returns the letters and digits of a word, in lower case.
func lettersOf(word string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(word))
}

// nearField returns the API's field that an unknown column or key was probably meant to be; "" if
// none is similar.
func nearField(name string) string {
	if i := strings.LastIndexByte(name, '_') + 1; isKeyword(name[i:]) && near(name[:i], tagPrefix) != "" {
		return tagPrefix + name[i:]
	}
	return near(name, mappable()...)
}
