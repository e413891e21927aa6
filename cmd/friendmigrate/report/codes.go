package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// Codes lists the codes with which edges failed, in parentheses; "" if none did.
func Codes(edges map[int]int64) string {
	codes := slices.SortedFunc(maps.Keys(edges), func(a, b int) int {
		return cmp.Or(cmp.Compare(edges[b], edges[a]), cmp.Compare(a, b))
	})
	codes = slices.DeleteFunc(codes, func(code int) bool { return edges[code] == 0 })
	var parts []string
	for _, code := range codes[:min(3, len(codes))] {
		parts = append(parts, fmt.Sprintf("%s with %d", terminal.Count(edges[code]), code))
	}
	switch {
	case len(codes) == 1:
		parts[0] = fmt.Sprint(codes[0])
	case len(codes) > 3:
		parts = append(parts, "others with other codes")
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
