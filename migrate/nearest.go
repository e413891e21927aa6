package migrate

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the known word that takes the fewest letters to be changed, added or removed to
// make it from word, whatever the case of letters. It returns "" if every known word takes more
// than most.
func Nearest(word string, most int, known ...string) (nearest string) {
	for _, candidate := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(candidate)); d <= most {
			nearest, most = candidate, d-1
		}
	}
	return nearest
}
