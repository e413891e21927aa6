package graph

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// idPattern makes account ids of numbers.
type idPattern struct {
	prefix, suffix string
	width          int
}

var verb = regexp.MustCompile(`%(?:0([0-9]{1,2}))?d`)

// parseID takes a pattern whose ids are valid up to the number last.
func parseID(pattern string, last int64) (idPattern, error) {
	found := verb.FindStringSubmatchIndex(pattern)
	if found == nil {
		return idPattern{}, fmt.Errorf("id: %q has no %%d or %%08d for the number of the account", pattern)
	}
	p := idPattern{prefix: pattern[:found[0]], suffix: pattern[found[1]:]}
	if found[2] >= 0 {
		p.width, _ = strconv.Atoi(pattern[found[2]:found[3]])
	}
	rest := p.prefix + p.suffix
	if strings.Contains(rest, "%") || !utf8.ValidString(rest) || strings.ContainsFunc(rest, unicode.IsControl) {
		return idPattern{}, fmt.Errorf("id: %q has more than one %%, a control character or invalid UTF-8", pattern)
	}
	if id := p.append(nil, last); len(id) > maxID {
		return idPattern{}, fmt.Errorf("id: %q is over %d bytes", id, maxID)
	}
	return p, nil
}

func (p *idPattern) append(dst []byte, number int64) []byte {
	dst = append(dst, p.prefix...)
	var digits [20]byte
	i := len(digits)
	for n := number; n > 0 || i == len(digits); n /= 10 {
		i--
		digits[i] = byte('0' + n%10)
	}
	for range p.width - (len(digits) - i) {
		dst = append(dst, '0')
	}
	dst = append(dst, digits[i:]...)
	return append(dst, p.suffix...)
}
