package migrate

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the known word that is nearest to word: the fewest letters have to be changed,
// added or removed, and case is ignored. It returns "" if every known word takes more than most
// changes.
func Nearest(word string, most int, known ...string) (nearest string) {
	for _, candidate := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(candidate)); d <= most {
			nearest, most = candidate, d-1
		}
	}
	return nearest
}

// Count returns a whole number with a comma at each thousand.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(digits) - 3; i > start; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Some returns a number with its noun: "1 edge", "2,000 edges".
func Some(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}

// Shorten cuts text to at most most bytes, an ellipsis included, at the end of a character.
func Shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := max(0, most-len("…"))
	for n := 1; n < utf8.UTFMax && end > 0 && !utf8.RuneStart(text[end]); n++ {
		end--
	}
	return text[:end] + "…"
}
