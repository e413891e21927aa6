package source

import (
	"slices"
	"strings"

	"friendmigrate/migrate"
)

// near returns the word of a list that was meant by another word; "" if none is like it.
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

// lettersOf is a word without what people add to it: case, spaces, marks and underscores.
func lettersOf(word string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(word))
}

// keywordOf makes a keyword of a word, or leaves it to the user.
func keywordOf(word string) string {
	letters := strings.Map(func(c rune) rune {
		if !isKeyword(string(c)) {
			return -1
		}
		return c
	}, word)
	return orElse(letters[:min(len(letters), maxKeyword)], "WORD")
}

// nearField returns the field of the API that was meant by a column or key that means nothing; ""
// if none is like it.
func nearField(name string) string {
	if i := strings.LastIndexByte(name, '_') + 1; isKeyword(name[i:]) && near(name[:i], tagPrefix) != "" {
		return tagPrefix + name[i:]
	}
	return near(name, mappable()...)
}
