package source

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"friendmigrate/migrate"
)

// reject says why a row is not valid. Reasons are constants, so that they can be counted and valid
// rows cost nothing.
type reject struct {
	column string // the API's name; "": the whole record
	reason string // "": valid
}

// The reasons.
const (
	reasonEmpty       = "is empty"
	reasonMissing     = "is missing"
	reasonLong        = "is over its limit in bytes"
	reasonBreaks      = "is over its limit in bytes and has line breaks: a quote too many or too few?"
	reasonUTF8        = "is not valid UTF-8"
	reasonControl     = "has a control character"
	reasonSelf        = "is the account itself"
	reasonSource      = "is not " + sourcePrefix + keyword
	reasonNumber      = "is not an integer"
	reasonRange       = "is out of range"
	reasonNegative    = "is negative"
	reasonMillis      = "has 13 digits: it is in milliseconds and has to be in seconds"
	reasonDate        = "is a date and has to be in seconds since 1970"
	reasonMicros      = "has 16 digits: it is in microseconds and has to be in seconds"
	reasonDigits      = "has over 11 digits and has to be in seconds since 1970"
	reasonNanos       = "has 19 digits: it is in nanoseconds and has to be in seconds"
	reasonGroups      = "has over 32 groups"
	reasonTag         = "is not " + tagPrefix + keyword
	reasonTwice       = "is there twice"
	reasonTooLarge    = "the texts of the edge are together over 64 KiB" // stage.MaxEdgeBytes
	reasonQuotes      = "quotes are broken"
	reasonHeader      = "repeats the header"
	reasonOtherHeader = "is another header, with more columns or fewer: the input has to be split there"
	reasonColumns     = "number of columns is not the header's"
	reasonOverlong    = "record is over 1 MiB (the row shows its beginning)"
	reasonJSON        = "is not a JSON object in one line"
	reasonSurrogate   = "has half a surrogate pair (\\ud800 to \\udfff), which is no character"
	reasonString      = "is not a string"
	reasonStrings     = "is not an array of strings"
	reasonItems       = "is not an array of Tag and Value"
	reasonItemValue   = "is neither a string nor an integer"
)

// change is a field that was dropped or cut to keep its row.
type change struct {
	column, reason string
	was, now       string // now is empty if the field was dropped
}

// validator checks edges against the rules of the API. It belongs to one goroutine.
type validator struct {
	rules   *rules
	usual   string   // the last valid AddSource, almost always also that of the next edge
	unusual bool     // the edge has an account id with characters that the vendor doesn't recommend
	usable  bool     // the edge's From_Account is valid
	changes []change // to the edge; reused
}

// numbers are the fields of a row that are numbers, as text.
type numbers struct{ remarkTime, addTime string }

// check checks e, completes it and, with --invalid-field drop or cut, fixes it. The order of the
// checks decides which reason a row gets.
func (v *validator) check(e *migrate.Edge, n numbers) reject {
	v.unusual, v.usable, v.changes = false, false, v.changes[:0]
	if reason := v.account(e.From); reason != "" {
		return reject{nameFrom, reason}
	}
	v.usable = true
	if reason := v.account(e.To); reason != "" {
		return reject{nameTo, reason}
	}
	if e.From == e.To {
		return reject{nameTo, reasonSelf}
	}
	if e.AddSource == "" {
		e.AddSource = v.rules.source
	}
	switch {
	case e.AddSource == "" && !v.rules.noSource:
		return reject{nameAddSource, reasonMissing}
	case e.AddSource == "" || e.AddSource == v.usual:
	case !validSource(e.AddSource):
		return reject{nameAddSource, reasonSource}
	default:
		v.usual = strings.Clone(e.AddSource)
	}
	return v.optional(e, n)
}

func (v *validator) optional(e *migrate.Edge, n numbers) (r reject) {
	e.RemarkTime, e.AddTime = 0, 0
	if n.remarkTime != "" {
		if e.RemarkTime, r = v.time(nameRemarkTime, n.remarkTime); r.reason != "" {
			return r
		}
	}
	if n.addTime != "" {
		if e.AddTime, r = v.time(nameAddTime, n.addTime); r.reason != "" {
			return r
		}
	}
	if e.Remark != "" {
		if e.Remark, r = v.text(nameRemark, e.Remark, maxRemark); r.reason != "" {
			return r
		}
	}
	if e.AddWording != "" {
		if e.AddWording, r = v.text(nameAddWording, e.AddWording, maxWording); r.reason != "" {
			return r
		}
	}
	if len(e.Groups) > 0 {
		if e.Groups, r = v.groups(e.Groups); r.reason != "" {
			return r
		}
	}
	if len(e.Custom) > 0 {
		e.Custom, r = v.custom(e.Custom)
	}
	return r
}

// usualByte marks the bytes that the vendor's pages allow in account ids without restriction.
var usualByte = func() (table [256]bool) {
	for c := range table {
		table[c] = c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-'
	}
	return table
}()

// CheckAccount returns why id cannot be an account id, such as "is empty", or "" if it can.
func CheckAccount(id string) string { return new(validator).account(id) }

// account returns why id is no account id, or "".
func (v *validator) account(id string) string {
	if id == "" {
		return reasonEmpty
	}
	if len(id) > migrate.MaxAccountBytes {
		return reasonLong
	}
	for i := range len(id) {
		if !usualByte[id[i]] {
			v.unusual = true
			return unusualAccount(id)
		}
	}
	return ""
}

func unusualAccount(id string) string {
	if !utf8.ValidString(id) {
		return reasonUTF8
	}
	if strings.ContainsFunc(id, unicode.IsControl) {
		return reasonControl
	}
	return ""
}

func validSource(s string) bool {
	word, ok := strings.CutPrefix(s, sourcePrefix)
	return ok && isKeyword(word)
}

// text checks an optional text. Invalid UTF-8 is treated like a text that is too long: the API does
// not accept it, and json.Marshal would alter it silently. With line breaks neither is fixed,
// because two stray quotes make one field of all the rows between them.
func (v *validator) text(column, s string, limit int) (string, reject) {
	valid := utf8.ValidString(s)
	if valid && len(s) <= limit {
		return s, reject{}
	}
	reason := reasonLong
	if !valid {
		reason = reasonUTF8
	}
	if strings.ContainsAny(s, "\r\n") {
		return "", reject{column, reasonBreaks}
	}
	now := ""
	switch v.rules.invalid {
	case "reject":
		return "", reject{column, reason}
	case "cut":
		now = cutText(s, limit)
	}
	v.changes = append(v.changes, change{column, reason, s, now})
	return now, reject{}
}

// cutText returns the longest beginning of s that is valid UTF-8 and has at most limit bytes.
func cutText(s string, limit int) string {
	end := 0
	for end < len(s) {
		r, size := utf8.DecodeRuneInString(s[end:])
		if r == utf8.RuneError && size == 1 || end+size > limit {
			break
		}
		end += size
	}
	return s[:end]
}

// groups checks the groups of an edge, in place.
func (v *validator) groups(list []string) ([]string, reject) {
	kept := list[:0]
	for _, group := range list {
		now, r := v.text(nameGroups, group, maxGroup)
		if r.reason != "" {
			return nil, r
		}
		if now != "" {
			kept = append(kept, now)
		}
	}
	if len(kept) <= migrate.MaxGroups {
		return kept, reject{}
	}
	was := strings.Join(kept, groupSeparator)
	if strings.ContainsAny(was, "\r\n") {
		return nil, reject{nameGroups, reasonBreaks}
	}
	switch v.rules.invalid {
	case "reject":
		return nil, reject{nameGroups, reasonGroups}
	case "drop":
		kept = kept[:0]
	case "cut":
		kept = kept[:migrate.MaxGroups]
	}
	v.changes = append(v.changes, change{nameGroups, reasonGroups, was, strings.Join(kept, groupSeparator)})
	return kept, reject{}
}

// custom checks the custom fields of an edge, in place. "" is absent; the integer 0 is a value.
func (v *validator) custom(list []migrate.CustomItem) ([]migrate.CustomItem, reject) {
	kept := list[:0]
	for _, item := range list {
		if item.Value == "" {
			continue
		}
		if slices.ContainsFunc(kept, func(k migrate.CustomItem) bool { return k.Tag == item.Tag }) {
			return nil, reject{item.Tag, reasonTwice}
		}
		if !isTag(item.Tag) {
			return nil, reject{nameCustomItem, reasonTag}
		}
		now, r := v.customValue(item)
		if r.reason != "" {
			return nil, r
		}
		if now != "" {
			item.Value = now
			kept = append(kept, item)
		}
	}
	return kept, reject{}
}

func (v *validator) customValue(item migrate.CustomItem) (string, reject) {
	if !item.Integer {
		return v.text(item.Tag, item.Value, maxCustom)
	}
	digits, reason := integer(item.Value)
	return digits, reject{item.Tag, reason}
}

// mostDigits is the most digits of a time in seconds, until the year 5138. reasonsByDigits says, by
// the number of digits, what one with more is.
const mostDigits = 11

var reasonsByDigits = map[int]string{13: reasonMillis, 14: reasonDate, 16: reasonMicros, 19: reasonNanos}

// isDay reports whether a number of seconds reads as a day of the years 1970 to 2099, as 20240131
// does. As seconds it would be in the summer of 1970.
func isDay(digits string) bool {
	_, err := time.Parse("20060102", digits)
	return err == nil && digits >= "1970" && digits < "21"
}

// plainTime parses a number of at most mostDigits, as almost every time is. One of 8 may be a date.
func plainTime(s string) (t int64, ok bool) {
	for i := range len(s) {
		digit := s[i] - '0'
		if digit > 9 {
			return 0, false
		}
		t = t*10 + int64(digit)
	}
	return t, len(s) <= mostDigits && len(s) != 8
}

// time checks a field of Unix seconds. Only a negative number is ever fixed.
func (v *validator) time(column, s string) (int64, reject) {
	if t, ok := plainTime(s); ok {
		return t, reject{}
	}
	digits, reason := integer(s)
	if reason != "" {
		return 0, reject{column, reason}
	}
	t, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, reject{column, reasonRange}
	}
	if n := len(strings.TrimPrefix(digits, "-")); n > mostDigits {
		return 0, reject{column, cmp.Or(reasonsByDigits[n], reasonDigits)}
	}
	if isDay(digits) {
		return 0, reject{column, reasonDate}
	}
	if t >= 0 {
		return t, reject{}
	}
	if v.rules.invalid == "reject" {
		return 0, reject{column, reasonNegative}
	}
	v.changes = append(v.changes, change{column, reasonNegative, s, ""})
	return 0, reject{}
}

// integer returns the canonical decimal digits of a number that fits 64 bits, signed or unsigned.
// It uses no float, so no digit changes. The only sign is '-'; white space, fractions, exponents
// and digit separators are not accepted.
func integer(s string) (digits, reason string) {
	rest, negative := strings.CutPrefix(s, "-")
	if rest == "" || strings.ContainsFunc(rest, func(r rune) bool { return r < '0' || r > '9' }) {
		return "", reasonNumber
	}
	if rest = strings.TrimLeft(rest, "0"); rest == "" {
		return "0", ""
	}
	var err error
	if negative {
		rest = "-" + rest
		_, err = strconv.ParseInt(rest, 10, 64)
	} else {
		_, err = strconv.ParseUint(rest, 10, 64)
	}
	if err != nil {
		return "", reasonRange
	}
	return rest, ""
}
